/** Owns the question put to `/authorize`: its parameters, and the transaction that will recognise the answer. */

import { randomText, words } from './encoding.ts'
import type { Settings } from './options.ts'
import type { Transaction } from './transaction.ts'

export interface AuthorizeOptions {
  /** Handed back by handleCallback(); it stays in this browser and is not sent. */
  readonly app_state?: unknown
  /** Instead of the client's own. `openid` is added where an ID token is asked for. */
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  readonly redirect_uri?: string | undefined
  readonly prompt?: 'none' | 'login' | 'consent' | 'select_account' | undefined
  readonly login_hint?: string | undefined
  readonly screen_hint?: string | undefined
  readonly ui_locales?: string | undefined
  readonly connection?: string | undefined
  /** Seconds since the person last typed a password. */
  readonly max_age?: number | undefined
  /** Any other parameter of `/authorize`. */
  readonly authorization_parameters?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes the URL to go to and the transaction to remember. `fixed` wins over everything the caller gave.
 * @spec RFC 6749 §4.2.1, OpenID Connect Core §3.2.2.1
 */
export function ask(
  settings: Settings,
  options: AuthorizeOptions,
  fixed: Readonly<Record<string, string>> = {},
): { readonly url: string; readonly transaction: Transaction } {
  const { client_id, response_type, response_mode, issuer } = settings
  const { app_state, authorization_parameters, ...known } = options
  const state = randomText()
  const nonce = randomText()
  const asked = {
    redirect_uri: known.redirect_uri ?? settings.redirect_uri,
    response_type,
    scope: fullScope(settings, known.scope),
    audience: known.audience ?? settings.audience,
    max_age: known.max_age,
  }
  const url = new URL(`${issuer}authorize`)
  const parameters = {
    response_mode,
    ...settings.authorization_parameters,
    ...authorization_parameters,
    ...known,
    ...fixed,
    ...asked,
    client_id,
    state,
    nonce: response_type.includes('id_token') ? nonce : undefined,
  }
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value))
  return { url: url.href, transaction: { ...asked, state, nonce, app_state, created: Date.now() } }
}

/** An ID token without `openid` is refused by the server, so the word is never forgotten. */
export function fullScope({ scope, response_type }: Settings, wanted = scope): string {
  return words(response_type.includes('id_token') ? `openid ${wanted}` : wanted).join(' ')
}
