/** Owns what a client is made from: the options, their defaults, and the checks that refuse a bad one early. */

import { words } from './encoding.ts'
import { LatchkeyError } from './errors.ts'
import { type SigningAlg, signingAlgs } from './jwks.ts'
import type { TransactionStorage } from './transaction.ts'

export interface ClientOptions {
  /** The server's base URL, as in its tokens: `https://id.example.com/`. The last slash may be left out. */
  readonly issuer?: string | undefined
  /** Instead of `issuer`: a host as `localhost:8443` (https is meant), or a URL. */
  readonly domain?: string | undefined
  readonly client_id: string
  /** Where the server sends the answer; one of the client's Allowed Callback URLs. */
  readonly redirect_uri: string
  /** The identifier of the API to call. Without one, the access token is good for `/userinfo` only. */
  readonly audience?: string | undefined
  /** Default `openid profile email`. */
  readonly scope?: string | undefined
  /** `id_token token` (default), `token` or `id_token`. */
  readonly response_type?: string | undefined
  /** For authorize(); the server's default is `fragment`. */
  readonly response_mode?: string | undefined
  /** The one algorithm an ID token may be signed with. Default `RS256`. */
  readonly id_token_signing_alg?: SigningAlg | undefined
  /** Seconds by which the clocks may differ. Default 60. */
  readonly leeway?: number | undefined
  /** getToken() renews a token that has no more than this many seconds left. Default 60. */
  readonly renew_before?: number | undefined
  /** Seconds renew() waits for an answer. Default 30. */
  readonly timeout?: number | undefined
  /** Where a login in progress is remembered: `session` (this tab, the default), `local` (every tab), or your own. */
  readonly storage?: 'session' | 'local' | TransactionStorage | undefined
  /** Further parameters for every request to `/authorize`. */
  readonly authorization_parameters?: Readonly<Record<string, string>> | undefined
  /** Called with every new set of tokens. */
  readonly on_tokens?: ((tokens: TokenSet) => void) | undefined
}

export interface TokenSet {
  readonly access_token?: string
  readonly id_token?: string
  readonly token_type?: string
  /** Lifetime of the access token in seconds. */
  readonly expires_in?: number
  /** The end of the access token, in seconds since 1970 on this device's clock. */
  readonly expires_at?: number
  /** What was granted, which may be less than what was asked for. */
  readonly scope: string
  readonly audience?: string
}

export interface Settings extends ClientOptions {
  readonly issuer: string
  readonly scope: string
  readonly response_type: string
  readonly id_token_signing_alg: SigningAlg
  readonly leeway: number
  readonly renew_before: number
  readonly timeout: number
}

const invalid = (message: string) => new LatchkeyError('invalid_option', message)

/** @throws {LatchkeyError} `invalid_option`, `insecure_context`. */
export function readOptions(options: ClientOptions): Settings {
  // Outside https and localhost a browser has no `subtle`, and no signature could be checked on the way back.
  if (!globalThis.crypto?.subtle) throw new LatchkeyError('insecure_context', 'This page is not served securely.')
  if (!options.client_id) throw invalid('The option client_id is missing.')
  if (!URL.canParse(options.redirect_uri)) throw invalid('The option redirect_uri must be a whole URL.')
  const response_type = options.response_type ?? 'id_token token'
  const types = words(response_type)
  if (types.length === 0 || types.some((type) => type !== 'token' && type !== 'id_token'))
    throw invalid(`The option response_type cannot be "${response_type}".`)
  const id_token_signing_alg = options.id_token_signing_alg ?? 'RS256'
  if (!Object.hasOwn(signingAlgs, id_token_signing_alg))
    throw invalid(`The option id_token_signing_alg cannot be "${id_token_signing_alg}".`)
  return {
    ...options,
    issuer: readIssuer(options.issuer ?? options.domain ?? ''),
    scope: options.scope ?? 'openid profile email',
    response_type,
    id_token_signing_alg,
    leeway: seconds('leeway', options.leeway, 60),
    renew_before: seconds('renew_before', options.renew_before, 60),
    timeout: seconds('timeout', options.timeout, 30),
  }
}

function seconds(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault
  if (!(value >= 0 && value < 2e6)) throw invalid(`The option ${name} must be a number of seconds.`)
  return value
}

function readIssuer(text: string): string {
  const whole = /^https?:\/\//i.test(text) ? text : `https://${text}`
  if (!URL.canParse(whole)) throw invalid(`The option issuer (or domain) must be a URL or a host, not "${text}".`)
  const { href, username, search, hash } = new URL(whole)
  if (username || search || hash) throw invalid('The option issuer must have no user name, query or fragment.')
  return href.endsWith('/') ? href : `${href}/`
}
