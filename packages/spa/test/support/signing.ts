/** Owns the signing half of the tests: keys of each kind, and tokens made with Node's own crypto. */

import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export type Alg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

export interface TestKey {
  readonly kid: string
  readonly alg: Alg
  readonly private: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export function makeKey(alg: Alg, kid: string): TestKey {
  const { privateKey, publicKey } = makePair(alg)
  return { kid, alg, private: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

function makePair(alg: Alg) {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

export function signToken(key: TestKey, claims: object, header: object = {}): string {
  const signed = `${encode({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header })}.${encode(claims)}`
  return `${signed}.${signatureOf(key, signed).toString('base64url')}`
}

function signatureOf({ alg, private: key }: TestKey, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (alg === 'EdDSA') return sign(null, bytes, key)
  if (alg === 'ES256') return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
  if (alg === 'PS256') return sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
  return sign('sha256', bytes, key)
}

/** The left half of the token's digest. */
export function atHash(access_token: string, alg: Alg = 'RS256'): string {
  const digest = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
    .update(access_token, 'ascii')
    .digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
