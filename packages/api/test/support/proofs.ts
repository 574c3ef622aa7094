/** Owns DPoP proofs as tests make them: every part open to change. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { encode, seconds, signToken } from './issuer.ts'

export interface ProofKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
  readonly jkt: string
}

export function proofKey(): ProofKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = pair.publicKey.export({ format: 'jwk' })
  const { crv, kty, x, y } = jwk
  return { ...pair, jwk: { ...jwk }, jkt: hash(JSON.stringify({ crv, kty, x, y })) }
}

export interface ProofChange {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs in place of the key in the header. */
  readonly signer?: ProofKey
}

/** A proof for one request with one token. */
export function proofOf(key: ProofKey, htm: string, htu: string, token: string, change: ProofChange = {}): string {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk, ...change.header }
  const claims = { jti: randomUUID(), htm, htu, iat: seconds(), ath: hash(token), ...change.claims }
  return signToken({ kid: '', alg: 'ES256', ...(change.signer ?? key) }, header, claims)
}

export function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('base64url')
}

/** The same proof without a signature. */
export function unsigned(proof: string): string {
  return `${encode({ typ: 'dpop+jwt', alg: 'none' })}.${proof.split('.')[1]}.`
}
