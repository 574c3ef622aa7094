/** Owns the client an app works with: sign in, read the answer, keep and renew the tokens, sign out. */

import { LatchkeyError } from './errors.ts'
import type { IdTokenClaims } from './id_token.ts'
import { openKeys } from './jwks.ts'
import { openMemory, type User } from './memory.ts'
import { type ClientOptions, readOptions, type TokenSet } from './options.ts'
import { type AuthorizeOptions, ask, fullScope } from './request.ts'
import { type Answer, judge, once, readFragment } from './response.ts'
import { openTransactions, type Transaction } from './transaction.ts'
import { askInFrame, askInPopup } from './web_message.ts'

export interface SignedIn {
  readonly tokens: TokenSet
  readonly user: User | undefined
  /** What was handed to authorize() or popup(). */
  readonly app_state: unknown
}

export interface TokenOptions {
  readonly audience?: string | undefined
  readonly scope?: string | undefined
  /** Seconds the token must still last; default is the option `renew_before`. */
  readonly min_ttl?: number | undefined
}

export interface LogoutOptions {
  /** Where to go afterwards; one of the Allowed Logout URLs. */
  readonly returnTo?: string | undefined
  /** Sign out at the person's own identity provider too. */
  readonly federated?: boolean | undefined
}

export type Client = ReturnType<typeof createClient>

/** @throws {LatchkeyError} `invalid_option`. */
export function createClient(options: ClientOptions) {
  const settings = readOptions(options)
  const { issuer, client_id } = settings
  const findKey = openKeys(issuer)
  const transactions = openTransactions(options.storage)
  const memory = openMemory()
  const renewals = new Map<string, Promise<SignedIn>>()
  let logouts = 0

  /** Waits for an answer, judges it and keeps its tokens. `silent`: the person must still be the same. */
  async function accept(coming: Answer | Promise<Answer>, transaction: Transaction, silent = false): Promise<SignedIn> {
    const { app_state } = transaction
    const before = logouts
    try {
      const answer = await coming
      const outcome = await judge(answer, transaction, settings, findKey, silent ? memory.user()?.sub : undefined)
      if (logouts !== before) throw new LatchkeyError('signed_out', 'The answer came after logout().')
      memory.keep(outcome, transaction.scope)
      options.on_tokens?.(outcome.tokens)
      return { tokens: outcome.tokens, user: memory.user(), app_state }
    } catch (error) {
      if (error instanceof LatchkeyError) {
        error.app_state = app_state
        // The session at the server is over: signed out there is signed out here.
        if (silent && error.code === 'login_required' && transaction.max_age === undefined) memory.clear()
      }
      throw error
    }
  }

  /** The URL of `/authorize`, its transaction remembered: for a link, or for a web view. */
  function buildAuthorizeUrl(request: AuthorizeOptions = {}): string {
    const { url, transaction } = ask(settings, request)
    transactions.save(transaction)
    return url
  }

  /** Leaves the page for the server; the answer comes to `redirect_uri`. */
  function authorize(request: AuthorizeOptions = {}): void {
    location.assign(buildAuthorizeUrl(request))
  }

  /** Whether an address carries an answer for handleCallback(). */
  function isCallback(address: string = location.href): boolean {
    return readFragment(address) !== undefined
  }

  /**
   * Takes the answer out of the address bar and the history, then judges it.
   * @param address the address to read, where it is not the page's own.
   */
  async function handleCallback(address?: string): Promise<SignedIn> {
    const source = address ?? location.href
    const fragment = readFragment(source)
    if (!fragment) throw new LatchkeyError('no_response', 'This address holds no answer of the server.')
    const [page = ''] = source.split('#')
    if (globalThis.location?.href === source) history.replaceState(history.state, '', page)

    const transaction = transactions.take(fragment.get('state') ?? '')
    if (!transaction) throw new LatchkeyError('no_transaction', 'No login of this browser fits the answer.')
    if (path(page) !== path(transaction.redirect_uri))
      throw new LatchkeyError('redirect_uri_mismatch', `The answer was to come to ${transaction.redirect_uri}.`)
    return accept(once(fragment), transaction)
  }

  /** Asks again in a hidden frame, without the person. Requests alike share one frame. */
  function renew(request: Omit<AuthorizeOptions, 'prompt'> = {}): Promise<SignedIn> {
    const { audience = settings.audience, scope, app_state, ...rest } = request
    const key = JSON.stringify([audience, fullScope(settings, scope).split(' ').sort(), rest])
    const running = renewals.get(key)
    if (running) return running
    const renewal = throughMessage(request, true).finally(() => renewals.delete(key))
    renewals.set(key, renewal)
    return renewal
  }

  /** Signs in in a window of its own. Call it straight from a click, or the browser blocks the window. */
  function popup(request: AuthorizeOptions = {}): Promise<SignedIn> {
    return throughMessage(request, false)
  }

  async function throughMessage(request: AuthorizeOptions, silent: boolean): Promise<SignedIn> {
    const fixed = { response_mode: 'web_message', ...(silent ? { prompt: 'none' } : {}) }
    const { url, transaction } = ask(settings, request, fixed)
    const { origin } = new URL(transaction.redirect_uri)
    if (origin !== location.origin)
      throw new LatchkeyError('origin_mismatch', `The answer would go to ${origin}, but this is ${location.origin}.`)
    const wait = { url, state: transaction.state, seconds: silent ? settings.timeout : 1800 }
    return accept(silent ? askInFrame(wait) : askInPopup(wait), transaction, silent)
  }

  /** An access token that lasts a while yet: from memory, or by renew(). */
  async function getToken({ audience = settings.audience, scope, min_ttl }: TokenOptions = {}): Promise<string> {
    const found = memory.find(audience, fullScope(settings, scope))
    const left = (found?.expires_at ?? 0) - Date.now() / 1000
    if (found?.access_token && left > (min_ttl ?? settings.renew_before)) return found.access_token
    const { tokens } = await renew({ audience, scope })
    if (!tokens.access_token) throw new LatchkeyError('invalid_option', 'The option response_type asks for no token.')
    return tokens.access_token
  }

  /**
   * Asks `/userinfo` about the person.
   * @spec OpenID Connect Core §5.3
   */
  async function userInfo(): Promise<User> {
    const headers = { authorization: `Bearer ${await getToken()}` }
    const answer = await fetch(`${issuer}userinfo`, { headers, credentials: 'omit' }).catch(() => undefined)
    const info: User | undefined = answer?.ok ? await answer.json() : undefined
    if (!info) throw new LatchkeyError('userinfo_failed', `The server answered ${answer?.status ?? 'nothing'}.`)
    const sub = memory.user()?.sub ?? info.sub
    if (sub !== info.sub) throw new LatchkeyError('id_token_sub', `The server told about "${info.sub}".`)
    return info
  }

  function buildLogoutUrl({ returnTo, federated }: LogoutOptions = {}): string {
    const url = new URL(`${issuer}v2/logout`)
    url.searchParams.set('client_id', client_id)
    if (returnTo !== undefined) url.searchParams.set('returnTo', returnTo)
    return federated ? `${url.href}&federated` : url.href
  }

  /** Forgets everything here and leaves for the server, which ends the session. */
  function logout(request: LogoutOptions = {}): void {
    logouts += 1
    memory.clear()
    location.assign(buildLogoutUrl(request))
  }

  return {
    authorize,
    buildAuthorizeUrl,
    isCallback,
    handleCallback,
    renew,
    popup,
    getToken,
    userInfo,
    /** What the ID token says about the person who is signed in. */
    user: (): User | undefined => memory.user(),
    /** Every claim of the last ID token. */
    idTokenClaims: (): IdTokenClaims | undefined => memory.claims(),
    /** Whether this page holds a token that has not ended. */
    isAuthenticated: (): boolean => memory.end() > Date.now() / 1000,
    logout,
    buildLogoutUrl,
  }
}

/** An address without query and fragment. */
function path(address: string): string {
  const url = new URL(address)
  return `${url.protocol}//${url.host}${url.pathname}`
}
