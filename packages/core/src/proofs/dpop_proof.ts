/** Owns the checking of DPoP proofs. */
import { createHash } from 'node:crypto'
import { isProofShaped, OAuthError, type ProofClaims, proofClaims, proofKey, proofLasts } from '@latchkey/oauth'
import type { Aggregates } from '@latchkey/store'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { jwtVerify } from 'jose/jwt/verify'
import { importJWK } from 'jose/key/import'
import { type Context, seconds } from '../context.ts'
import { isDpopNonce } from './dpop_nonce.ts'

/** What of a request a proof speaks about. */
export interface ProvedRequest {
  /** Each `DPoP` header as it was sent. */
  readonly dpop: readonly string[]
  readonly method: string
  /** The address that was called; query and fragment do not count. */
  readonly url: string
}

export interface ProofRules {
  /** The access token that the proof comes with. */
  readonly access_token?: string
  /** Whether the proof must carry a nonce of this server; one that is there is always checked. */
  readonly nonce_required: boolean
}

export interface ProvedKey {
  /** The thumbprint of the key. */
  readonly jkt: string
  /**
   * Takes the proof, in the transaction of what it yields.
   * @throws OAuthError `invalid_dpop_proof` when it was used before
   */
  take(store: Aggregates): Promise<void>
}

const invalid = (description: string, cause?: unknown) => new OAuthError('invalid_dpop_proof', description, { cause })

/**
 * @throws OAuthError `invalid_dpop_proof` or `use_dpop_nonce`
 * @spec RFC 9449 §4.3
 */
export async function checkProof(ctx: Context, request: ProvedRequest, rules: ProofRules): Promise<ProvedKey> {
  const [proof, second] = request.dpop
  if (proof === undefined || second !== undefined) throw invalid('Send exactly one DPoP proof')
  if (!isProofShaped(proof)) throw invalid('The DPoP proof is not a well-formed signed JWT')
  const { jkt, payload } = await readSigned(ctx, proof)
  const claims = proofClaims(payload, {
    method: request.method,
    url: request.url,
    now: seconds(ctx.now()),
    ...(rules.access_token === undefined ? {} : { ath: hashOf(rules.access_token) }),
  })
  if (typeof claims === 'string') throw invalid(claims)
  checkNonce(ctx, claims, rules)
  return { jkt, take: (store) => take(store, jkt, claims) }
}

/** The signature is checked by the key that the proof brings: it proves that whoever made it holds that key, and no more. */
async function readSigned(ctx: Context, proof: string) {
  try {
    const header = decodeProtectedHeader(proof)
    const jwk = proofKey(header)
    if (typeof jwk === 'string') throw invalid(jwk)
    const alg = String(header.alg)
    const key = await importJWK(jwk, alg)
    const currentDate = new Date(ctx.now())
    const { payload } = await jwtVerify(proof, key, { algorithms: [alg], currentDate, clockTolerance: 60 })
    return { jkt: await calculateJwkThumbprint(jwk), payload }
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw invalid('The DPoP proof cannot be verified', error)
  }
}

/** @spec RFC 9449 §8 */
function checkNonce(ctx: Context, { nonce }: ProofClaims, { nonce_required }: ProofRules): void {
  if (nonce === undefined && !nonce_required) return
  if (nonce === undefined || !isDpopNonce(ctx, nonce))
    throw new OAuthError('use_dpop_nonce', 'Make the DPoP proof with the nonce of the DPoP-Nonce header')
}

/** @spec RFC 9449 §11.1 */
async function take(store: Aggregates, jkt: string, { jti, iat }: ProofClaims): Promise<void> {
  const ends_at = (Math.ceil(iat) + proofLasts + 1) * 1000
  if (!(await store.usedIds.take(`dpop ${jkt}`, jti, ends_at))) throw invalid('The DPoP proof was used before')
}

/** @spec RFC 9449 §4.1 */
function hashOf(access_token: string): string {
  return createHash('sha256').update(access_token).digest('base64url')
}
