/** Owns DPoP proofs as tests make them: real keys, and every part open to change. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

export interface ProofKey {
  readonly alg: string
  readonly private_key: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
  /** With the private members. */
  readonly private_jwk: Readonly<Record<string, unknown>>
  readonly jkt: string
}

const makers = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const

export function proofKey(alg: keyof typeof makers = 'ES256'): ProofKey {
  const { privateKey, publicKey } = makers[alg]()
  const jwk = publicKey.export({ format: 'jwk' })
  const { kty, crv, x, y, n, e } = jwk
  // RFC 7638 §3.2: the required members, in the order of their names.
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  const jkt = createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  return {
    alg,
    private_key: privateKey,
    jwk: { ...jwk },
    private_jwk: { ...privateKey.export({ format: 'jwk' }) },
    jkt,
  }
}

export interface ProofChange {
  /** `undefined` takes a member away. */
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs in place of the key in the header. */
  readonly signer?: KeyObject
}

/** A proof for one request. */
export function dpopProof(key: ProofKey, htm: string, htu: string, change: ProofChange = {}): string {
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...change.header }
  const claims = { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...change.claims }
  return signedProof(key.alg, header, claims, change.signer ?? key.private_key)
}

export function signedProof(alg: string, header: object, claims: object, signer: KeyObject): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const digest = alg === 'EdDSA' ? null : 'sha256'
  const padding = alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}
  const signature = sign(digest, Buffer.from(signed), { key: signer, dsaEncoding: 'ieee-p1363', ...padding })
  return `${signed}.${signature.toString('base64url')}`
}

/** The claim that ties a proof to an access token. */
export const athOf = (access_token: string | undefined) => ({
  ath: createHash('sha256')
    .update(access_token ?? '')
    .digest('base64url'),
})
