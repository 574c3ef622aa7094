/** Owns the judgement of a redirect URI: where an answer with tokens may go. */
import {
  differsAt,
  type Explanation,
  isLoopbackUri,
  matchesRegistered,
  nearest,
  OAuthError,
  staysOnDevice,
} from '@latchkey/oauth'
import type { Client } from '@latchkey/store'

/**
 * @param requested the parameter; without it the client's first callback is meant
 * @returns the URI that answers go to
 * @throws OAuthError when it is not one of the client's callbacks
 * @spec RFC 6749 §3.1.2.3
 * @spec RFC 9700 §4.1.3
 */
export function checkRedirectUri(client: Client, requested: string | undefined): string {
  const [first] = client.callbacks
  if (requested === undefined) {
    if (client.callbacks.length === 1 && first !== undefined && !first.includes('*')) return first
    throw new OAuthError('invalid_request', 'Missing required parameter: redirect_uri', {
      explanation: missing(client),
    })
  }
  const rules = {
    loopback_any_port: client.app_type === 'native' || client.registration?.by === 'document',
    wildcards: client.is_first_party,
  }
  if (client.callbacks.some((registered) => matchesRegistered(requested, registered, rules))) return requested
  throw new OAuthError(
    'invalid_request',
    'Callback URL mismatch: redirect_uri is not in the list of allowed callback URLs',
    {
      explanation: mismatch(client, requested),
    },
  )
}

/**
 * True when nobody can vouch for the program behind the callback, so that consent is never skipped.
 * @spec RFC 8252 §8.6
 */
export function isUnverifiable(client: Client, redirect_uri: string): boolean {
  return hasLoopbackCallback(client) || staysOnDevice(redirect_uri)
}

const loopbackCallbacks = new WeakMap<Client, boolean>()

// A client is the same object until the configuration changes: its callbacks are parsed once.
function hasLoopbackCallback(client: Client): boolean {
  const known = loopbackCallbacks.get(client)
  if (known !== undefined) return known
  const has = client.callbacks.some(isLoopbackUri)
  loopbackCallbacks.set(client, has)
  return has
}

/** Characters of what was asked for that a page or a log line repeats; no registered URL is longer. */
const maxShown = 2048

function missing(client: Client): Explanation {
  return {
    summary: `The application ${client.name} has ${client.callbacks.length} allowed callback URLs, so the request must say which one.`,
    fix: 'Send redirect_uri with one of the allowed callback URLs.',
    setting: 'clients[].callbacks',
  }
}

function mismatch(client: Client, requested: string): Explanation {
  const registered = nearest(requested, client.callbacks)
  const summary = 'Callback URLs are compared byte for byte, and the one in this request is not registered.'
  const fix = `Add ${requested.slice(0, 300)} to the allowed callback URLs of ${client.name}, or send the registered one.`
  const explanation = { summary, fix, setting: 'clients[].callbacks' }
  if (registered === undefined)
    return { ...explanation, summary: `The application ${client.name} has no allowed callback URL.` }
  const differs_at = differsAt(registered, requested)
  return { ...explanation, nearest: { registered, requested: requested.slice(0, maxShown), differs_at } }
}
