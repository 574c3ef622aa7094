/** Owns the reading of a logout request: who asks, whose session is meant, and where the browser goes afterwards. */
import { differsAt, encodeParameters, nearest, OAuthError, type Parameters } from '@latchkey/oauth'
import type { Client, SignedIn } from '@latchkey/store'
import { findClient } from '../authorization_request.ts'
import type { Context } from '../context.ts'
import { type HintedToken, readHintedToken } from '../id_token_hint.ts'

/** A logout request that passed every check. */
export interface EndSessionRequest {
  readonly client_id?: string
  /** Where the browser goes, with the request's `state`; absent for our own page. */
  readonly target?: string
  /** The session that a hint names: only whoever got tokens of it knows this text. */
  readonly hinted_sid?: string
  readonly ui_locales?: string
}

const maximumState = 8192

/**
 * @throws OAuthError for our own page: then nobody is redirected, and nothing ends
 * @spec OpenID Connect RP-Initiated Logout §2
 * @spec OpenID Connect RP-Initiated Logout §4
 */
export async function readEndSessionRequest(
  ctx: Context,
  parameters: Parameters,
  signed_in: SignedIn | undefined,
): Promise<EndSessionRequest> {
  const hint = await readHintedToken(ctx, parameters.get('id_token_hint'))
  const client = clientOf(ctx, parameters.get('client_id'), hint)
  const hinted_sid = sessionOf(parameters.get('logout_hint'), hint, signed_in)
  const target = targetOf(ctx, client, parameters)
  const ui_locales = parameters.get('ui_locales')?.slice(0, 1024)
  return {
    ...(client === undefined ? {} : { client_id: client.client_id }),
    ...(target === undefined ? {} : { target }),
    ...(hinted_sid === undefined ? {} : { hinted_sid }),
    ...(ui_locales === undefined ? {} : { ui_locales }),
  }
}

function clientOf(ctx: Context, client_id: string | undefined, hint: HintedToken | undefined): Client | undefined {
  // OpenID Connect RP-Initiated Logout §2: with both, the hint must have been issued to the client.
  if (hint !== undefined && client_id !== undefined && hint.client_id !== client_id)
    throw new OAuthError('invalid_request', 'id_token_hint was not issued to the client of client_id')
  const known = client_id ?? hint?.client_id
  return known === undefined ? undefined : findClient(ctx, known)
}

/** `logout_hint` is the id of the session, or names its person; what names somebody else contradicts the other hint. */
function sessionOf(
  logout_hint: string | undefined,
  hint: HintedToken | undefined,
  signed_in: SignedIn | undefined,
): string | undefined {
  if (logout_hint === undefined) return hint?.sid
  if (hint === undefined) return logout_hint
  if (logout_hint === hint.sid || logout_hint === hint.sub || names(logout_hint, signed_in)) return hint.sid
  throw new OAuthError('invalid_request', 'logout_hint and id_token_hint are about different sessions')
}

function names(hint: string, signed_in: SignedIn | undefined): boolean {
  if (signed_in === undefined) return false
  const { user } = signed_in
  return [user.user_id, user.email, user.username].includes(hint.toLowerCase())
}

/** @spec OpenID Connect RP-Initiated Logout §3 */
function targetOf(ctx: Context, client: Client | undefined, parameters: Parameters): string | undefined {
  const asked = parameters.get('post_logout_redirect_uri')
  const state = parameters.get('state')
  if (state !== undefined && state.length > maximumState)
    throw new OAuthError('invalid_request', `state is longer than ${maximumState} characters`)
  if (asked === undefined) return undefined
  const allowed =
    client === undefined
      ? (ctx.configuration.settings.allowed_logout_urls ?? [])
      : (client.post_logout_redirect_uris ?? client.allowed_logout_urls)
  // Byte for byte, the query included; an entry with a wildcard counts for /v2/logout alone.
  if (!allowed.includes(asked) || asked.includes('*')) throw notRegistered(asked, client, allowed)
  return state === undefined ? asked : withState(asked, state)
}

function withState(uri: string, state: string): string {
  const [before = '', ...fragment] = uri.split('#')
  const joint = before.includes('?') ? (/[?&]$/.test(before) ? '' : '&') : '?'
  return [`${before}${joint}${encodeParameters([['state', state]])}`, ...fragment].join('#')
}

function notRegistered(asked: string, client: Client | undefined, allowed: readonly string[]): OAuthError {
  const registered = nearest(asked, allowed)
  return new OAuthError('invalid_request', 'The post_logout_redirect_uri is not registered', {
    explanation: {
      summary:
        client === undefined
          ? 'Without id_token_hint and client_id the list of the tenant counts, which does not have this address.'
          : `${client.name} does not have this address. It is compared exactly, query and trailing slash included.`,
      fix:
        client === undefined
          ? 'Send id_token_hint or client_id, so that the addresses of the application count.'
          : `Add ${asked.slice(0, 300)} to the application's post_logout_redirect_uris.`,
      setting: client === undefined ? 'tenant.allowed_logout_urls' : 'clients[].post_logout_redirect_uris',
      ...(registered === undefined
        ? {}
        : { nearest: { registered, requested: asked.slice(0, 2048), differs_at: differsAt(registered, asked) } }),
    },
  })
}

/**
 * Whether the person must be asked first. Only a request that knows the id of this very session may end it unasked: anyone can send a
 * browser to the endpoint.
 * @spec OpenID Connect RP-Initiated Logout §6
 */
export async function mustConfirmLogout(
  ctx: Context,
  { hinted_sid }: EndSessionRequest,
  signed_in: SignedIn | undefined,
): Promise<boolean> {
  if (signed_in === undefined) return false
  const { session_id } = signed_in.session
  if (hinted_sid === undefined) return true
  if (hinted_sid === session_id) return false
  // The same person signed in again meanwhile: the application knows the session by its former id.
  return !(await ctx.store.sessionClients.list(session_id)).some(({ sid }) => sid === hinted_sid)
}
