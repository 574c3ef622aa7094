/** Owns the judgement of an ID token: who signed it, for whom, when, in answer to which request. */

import { fromBase64url, toBase64url } from './encoding.ts'
import { type ErrorCode, LatchkeyError } from './errors.ts'
import { type FindKey, type SigningAlg, signingAlgs } from './jwks.ts'

export interface IdTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly exp: number
  readonly iat: number
  readonly nonce?: string
  readonly auth_time?: number
  readonly azp?: string
  readonly at_hash?: string
  readonly sid?: string
  readonly [claim: string]: unknown
}

/** What the token has to say. Times are in seconds. */
export interface Expected {
  readonly issuer: string
  readonly client_id: string
  readonly nonce: string
  readonly alg: SigningAlg
  readonly leeway: number
  readonly now: number
  readonly max_age?: number | undefined
  /** The access token that came along; then `at_hash` is required. */
  readonly access_token?: string | undefined
  /** The person already signed in, when this is a renewal. */
  readonly sub?: string | undefined
}

/**
 * Verifies an ID token and returns its claims.
 * @throws {LatchkeyError} `id_token_*`, `jwks_unavailable`.
 * @spec OpenID Connect Core §3.2.2.11
 */
export async function verifyIdToken(token: string, expected: Expected, findKey: FindKey): Promise<IdTokenClaims> {
  const { header, claims, signature, signed } = parse(token)
  const { alg } = expected
  if (header.alg !== alg) refuse('alg', `The ID token is signed with ${header.alg}, not with ${alg}.`)
  const key = await findKey(alg, typeof header.kid === 'string' ? header.kid : undefined)
  if (!(await crypto.subtle.verify(signingAlgs[alg].key, key, signature, signed)))
    refuse('signature', 'The signature of the ID token is wrong.')
  checkParties(claims, expected)
  checkTimes(claims, expected)
  await checkAccessToken(claims, expected)
  return claims as unknown as IdTokenClaims
}

type Claim = 'alg' | 'malformed' | 'signature' | 'iss' | 'sub' | 'aud' | 'azp' | 'exp' | 'iat' | 'nonce'

function refuse(what: Claim | 'auth_time' | 'at_hash', message: string, cause?: unknown): never {
  throw new LatchkeyError(`id_token_${what}` satisfies ErrorCode, message, cause)
}

type Members = Readonly<Record<string, unknown>>

function parse(token: string) {
  try {
    const [head = '', body = '', tail = '', ...more] = token.split('.')
    if (more.length > 0) throw new TypeError('too many parts')
    const header = members(head)
    // RFC 7515 §4.1.11: an extension that must be understood is not.
    if (header.crit !== undefined) throw new TypeError('crit')
    return {
      header,
      claims: members(body),
      signature: fromBase64url(tail),
      signed: new TextEncoder().encode(`${head}.${body}`),
    }
  } catch (cause) {
    return refuse('malformed', 'The ID token is not a signed JWT.', cause)
  }
}

function members(part: string): Members {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(part)))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object')
  return value as Members
}

function checkParties(claims: Members, { issuer, client_id, nonce, sub }: Expected): void {
  if (claims.iss !== issuer) refuse('iss', `The ID token was issued by "${claims.iss}", not by "${issuer}".`)
  if (typeof claims.sub !== 'string' || !claims.sub) refuse('malformed', 'The ID token does not say who signed in.')
  const audiences = [claims.aud].flat()
  if (!audiences.includes(client_id)) refuse('aud', `The ID token is for "${audiences}", not for "${client_id}".`)
  if ((audiences.length > 1 || claims.azp !== undefined) && claims.azp !== client_id)
    refuse('azp', `The ID token was given to "${claims.azp}", not to "${client_id}".`)
  if (claims.nonce !== nonce) refuse('nonce', 'The nonce of the ID token is not the one that was sent.')
  if (sub !== undefined && claims.sub !== sub)
    refuse('sub', `The ID token is about "${claims.sub}", but "${sub}" is signed in here.`)
}

function checkTimes({ exp, iat, nbf = iat, auth_time }: Members, { now, leeway, max_age }: Expected): void {
  if (!isTime(exp) || now >= exp + leeway) refuse('exp', `The ID token ended at ${exp}; it is ${now} now.`)
  if (!isTime(iat) || !isTime(nbf) || Math.max(iat, nbf) > now + leeway)
    refuse('iat', `The ID token starts at ${iat}; it is only ${now} now.`)
  if (max_age !== undefined && (!isTime(auth_time) || now > auth_time + max_age + leeway))
    refuse('auth_time', `The ID token says the person signed in at ${auth_time}; it is ${now} now.`)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** @spec OpenID Connect Core §3.2.2.9 */
async function checkAccessToken({ at_hash }: Members, { access_token, alg }: Expected): Promise<void> {
  if (access_token === undefined) return
  const digest = await crypto.subtle.digest(signingAlgs[alg].hash, new TextEncoder().encode(access_token))
  if (at_hash !== toBase64url(new Uint8Array(digest, 0, digest.byteLength / 2)))
    refuse('at_hash', 'The at_hash of the ID token does not fit the access token.')
}
