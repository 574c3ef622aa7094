/** Owns the claims of an access token, and what makes a verified JWT an access token rather than something else. */
import type { JWTPayload } from 'jose'
import { TokenError } from './token_error.ts'

/** The claims of a token that passed every check. Times are seconds since 1970. */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly exp: number
  readonly iat?: number
  readonly nbf?: number
  /** Space-separated; absent when nothing was granted. */
  readonly scope?: string
  /** The app that the token was issued to, in Auth0's profile. */
  readonly azp?: string
  /** The same in the profile of RFC 9068. */
  readonly client_id?: string
  readonly permissions?: readonly string[]
  /** What the token is bound to; whoever sent it has proved it. */
  readonly cnf?: unknown
  readonly [claim: string]: unknown
}

export interface ClaimRules {
  readonly audience: string
  /** Seconds. */
  readonly clock_tolerance: number
  /** Seconds since 1970. */
  readonly now: number
  readonly at_jwt: boolean
}

/** Claims that only an ID token has: the app's own nonce, and hashes that bind the other parts of a response to it. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash']

/**
 * Checks what is left once signature, `iss`, `aud`, `exp` and `nbf` have been checked.
 * @throws TokenError
 * @spec RFC 9068 §2.2
 * @spec RFC 9068 §4
 */
export function readClaims(payload: JWTPayload, rules: ClaimRules): AccessTokenClaims {
  const { iss, sub, aud, exp, iat, permissions, azp, client_id } = payload
  if (typeof iss !== 'string') throw invalid('iss')
  if (typeof sub !== 'string' || sub === '') throw invalid('sub')
  if (typeof aud !== 'string' && !isTexts(aud)) throw invalid('aud')
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw invalid('exp')
  if (iat !== undefined && !Number.isFinite(iat)) throw invalid('iat')
  if (iat !== undefined && iat > rules.now + rules.clock_tolerance) {
    throw new TokenError('not_yet_valid', { description: 'The access token was issued in the future.' })
  }
  for (const claim of ['scope', 'azp', 'client_id'] as const) {
    if (payload[claim] !== undefined && typeof payload[claim] !== 'string') throw invalid(claim)
  }
  if (permissions !== undefined && !isTexts(permissions)) throw invalid('permissions')
  if (idTokenClaims.some((claim) => claim in payload)) throw new TokenError('id_token')
  // Every access token says who it was issued to; an ID token says it by its audience.
  if (!azp && !client_id) throw missing('azp or client_id')
  if (!rules.at_jwt && (azp === rules.audience || client_id === rules.audience)) throw new TokenError('id_token')
  return { ...payload, iss, sub, aud, exp }
}

export function missing(claim: string): TokenError {
  return new TokenError('missing_claim', { description: `The access token has no ${claim} claim.` })
}

export function invalid(claim: string): TokenError {
  return new TokenError('invalid_claim', { description: `The claim ${claim} of the access token has the wrong type.` })
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
