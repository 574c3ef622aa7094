/** Owns every reason for which a request is refused: a stable code, its status, and a sentence on what to change. */
import { asDescription } from '@latchkey/oauth'

interface Definition {
  readonly status: 400 | 401 | 403 | 503
  readonly error:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
    | 'temporarily_unavailable'
  readonly description: string
  /** For the developer of the calling app or of the API: what to change. Holds nothing secret. */
  readonly fix: string
}

const renew = 'Get a new access token for this API, for example by silent renewal.'
const notForThisApi = 'Ask the authorization server for an access token with the audience of this API.'

/** Every reason, by its code. */
export const definitions = {
  missing_token: {
    status: 401,
    error: 'invalid_request',
    description: 'The request carries no access token.',
    fix: 'Send the header Authorization with the word Bearer, a space and the access token. No other place is read.',
  },
  malformed_authorization: {
    status: 400,
    error: 'invalid_request',
    description: 'The Authorization header is not the word Bearer followed by one token.',
    fix: 'Send the word Bearer, a space and the access token, and nothing after it.',
  },
  repeated_authorization: {
    status: 400,
    error: 'invalid_request',
    description: 'The request carries more than one Authorization header.',
    fix: 'Send exactly one Authorization header.',
  },
  token_in_two_places: {
    status: 400,
    error: 'invalid_request',
    description: 'The request carries an access token in more than one place.',
    fix: 'Send it in the Authorization header only and take access_token out of the query and the body.',
  },
  token_too_large: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is longer than 16384 characters.',
    fix: 'Put fewer custom claims into the token.',
  },
  malformed: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is not a well-formed signed JWT.',
    fix: 'An opaque token is for /userinfo alone: put the audience of this API into the authorization request.',
  },
  encrypted: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is encrypted.',
    fix: 'Have the authorization server issue a signed token that is not encrypted.',
  },
  algorithm_refused: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is signed with an algorithm that this API does not accept.',
    fix: 'Make signing_alg of the API at the authorization server and algorithms of the verifier the same.',
  },
  critical_header: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token has a critical header parameter that this API does not know.',
    fix: 'Have the authorization server issue tokens without crit.',
  },
  wrong_type: {
    status: 401,
    error: 'invalid_token',
    description: 'The typ of the token is not that of an access token.',
    fix: 'Send the access token: its typ is JWT or at+jwt.',
  },
  unknown_key: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token names no key that the issuer publishes.',
    fix: `${renew} If it persists, check that jwks_uri belongs to the server that issued the token.`,
  },
  bad_signature: {
    status: 401,
    error: 'invalid_token',
    description: 'The signature of the access token does not match.',
    fix: `Send the token exactly as it was issued. ${renew}`,
  },
  expired: { status: 401, error: 'invalid_token', description: 'The access token has expired.', fix: renew },
  not_yet_valid: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is not valid yet.',
    fix: 'Check the clocks of this API and of the authorization server; clock_tolerance allows for a small difference.',
  },
  wrong_issuer: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token comes from an issuer that this API does not trust.',
    fix: 'Set issuer of the verifier to the iss of the token, character for character: it ends with a slash.',
  },
  wrong_audience: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is meant for another audience.',
    fix: notForThisApi,
  },
  missing_claim: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token lacks a claim that every access token has.',
    fix: notForThisApi,
  },
  invalid_claim: {
    status: 401,
    error: 'invalid_token',
    description: 'A claim of the access token has the wrong type.',
    fix: renew,
  },
  id_token: {
    status: 401,
    error: 'invalid_token',
    description: 'The token is an ID token, which is for the app alone.',
    fix: `Send the access token. ${notForThisApi}`,
  },
  proof_required: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to a key and is not a bearer token.',
    fix: 'Send it with the word DPoP in place of Bearer, and with a proof in the header DPoP.',
  },
  not_bound: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to no key and is not a DPoP token.',
    fix: 'Send it with the word Bearer, or get a token with a DPoP proof.',
  },
  bound_token_required: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to nothing, and this API takes bound tokens alone.',
    fix: 'Get the token with a DPoP proof, or over TLS with a certificate.',
  },
  invalid_dpop_proof: {
    status: 401,
    error: 'invalid_dpop_proof',
    description: 'The DPoP proof is none.',
    fix: 'Make a new proof for each request, with the key that the token is bound to.',
  },
  use_dpop_nonce: {
    status: 401,
    error: 'use_dpop_nonce',
    description: 'The DPoP proof lacks the nonce of this API.',
    fix: 'Make the proof with the nonce of the header DPoP-Nonce.',
  },
  certificate_required: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to a TLS certificate, and the request came without one.',
    fix: 'Call this API over TLS with the certificate that the token was issued to.',
  },
  wrong_sender: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to another key.',
    fix: 'Use the key or the certificate with which the token was asked for.',
  },
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    description: 'The access token does not carry the scope that this request needs.',
    fix: 'Ask for the named scope in the authorization request; the user has to consent to it.',
  },
  insufficient_user_authentication: {
    status: 401,
    error: 'insufficient_user_authentication',
    description: 'The sign-in behind the access token is not strong or not fresh enough for this request.',
    fix: 'Send the user to the authorization server again, with the acr_values and the max_age of this answer.',
  },
  keys_unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'The keys of the issuer cannot be fetched, so the access token cannot be checked.',
    fix: 'Try again. If it persists, check that this API reaches jwks_uri.',
  },
  proofs_unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'It cannot be told whether the DPoP proof was used before.',
    fix: 'Try again with a new proof.',
  },
} as const satisfies Record<string, Definition>

export type TokenErrorCode = keyof typeof definitions

export interface TokenErrorOptions {
  /** A sentence more exact than the usual one. */
  readonly description?: string
  /** The scopes that the request needs. */
  readonly scope?: readonly string[]
  /** Of the challenge; Bearer where it is left out. */
  readonly scheme?: 'DPoP' | undefined
  /** The nonce for the next proof. */
  readonly dpop_nonce?: string | undefined
  /** More parameters of the challenge. */
  readonly challenge?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** A refusal. `code` is stable; `status`, `error` and `description` go to the caller, `fix` says what to change. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code: TokenErrorCode
  readonly status: Definition['status']
  readonly error: Definition['error']
  readonly description: string
  readonly fix: string
  readonly scope: readonly string[]
  readonly challenge: Readonly<Record<string, string>>
  readonly scheme: 'Bearer' | 'DPoP'
  readonly dpop_nonce: string | undefined

  constructor(code: TokenErrorCode, options: TokenErrorOptions = {}) {
    const definition = definitions[code]
    const description = asDescription(options.description ?? definition.description)
    super(
      `${code}: ${description} ${definition.fix}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.status = definition.status
    this.error = definition.error
    this.description = description
    this.fix = definition.fix
    this.scope = options.scope ?? []
    this.challenge = options.challenge ?? {}
    this.scheme = options.scheme ?? 'Bearer'
    this.dpop_nonce = options.dpop_nonce
  }
}
