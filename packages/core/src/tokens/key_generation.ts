/** Owns the making of keys: to sign, with a certificate, and to decrypt. Slow; done off the request path. */
import { createHash, createPublicKey, generateKeyPair, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyState, SigningKey } from '@latchkey/store'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { algorithms, decryptionAlgs } from './algorithms.ts'

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ publicKey: string; privateKey: string }>

const certificateYears = 10

/**
 * @param alg a name in the list of algorithms
 * @param subject the common name of the certificate, such as the tenant's host
 * @throws Error when the algorithm has no key of its own
 * @spec RFC 7517 §4.7
 */
export async function generateSigningKey(
  alg: string,
  state: KeyState,
  subject: string,
  now: number,
): Promise<SigningKey> {
  const algorithm = algorithms.get(alg)
  if (algorithm?.key === undefined) throw new Error(`No key can be made for the algorithm ${alg}`)
  const pair = await generate(algorithm.key.type, {
    ...algorithm.key.options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const jwk = await exportJWK(createPublicKey(pair.publicKey))
  const kid = await calculateJwkThumbprint(jwk)
  const certificate = await selfSigned(alg, pair, subject, now)
  const public_jwk = {
    alg,
    ...jwk,
    use: 'sig',
    kid,
    x5c: [certificate.toString('base64')],
    x5t: createHash('sha1').update(certificate).digest('base64url'),
    'x5t#S256': createHash('sha256').update(certificate).digest('base64url'),
  }
  return { kid, alg, state, public_jwk, private_key: pair.privateKey, created_at: now }
}

/**
 * @param alg one by which clients encrypt for this server
 * @throws Error when there is no such algorithm
 * @spec RFC 7517 §4.2
 */
export async function generateDecryptionKey(alg: string, state: KeyState, now: number): Promise<SigningKey> {
  const made = decryptionAlgs.get(alg)
  if (made === undefined) throw new Error(`No key can be made for the algorithm ${alg}`)
  const pair = await generate(made.type, {
    ...made.options,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const jwk = await exportJWK(createPublicKey(pair.publicKey))
  const kid = await calculateJwkThumbprint(jwk)
  return {
    kid,
    alg,
    state,
    public_jwk: { alg, ...jwk, use: 'enc', kid },
    private_key: pair.privateKey,
    created_at: now,
  }
}

async function selfSigned(
  alg: string,
  pair: { publicKey: string; privateKey: string },
  subject: string,
  now: number,
): Promise<Buffer> {
  await import('reflect-metadata')
  const { PemConverter, X509CertificateGenerator } = await import('@peculiar/x509')
  const algorithm = importAlgorithms[alg]
  if (algorithm === undefined) throw new Error(`No certificate can be made for the algorithm ${alg}`)
  const privateKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(pair.privateKey),
    algorithm,
    false,
    ['sign'],
  )
  const publicKey = await webcrypto.subtle.importKey(
    'spki',
    PemConverter.decodeFirst(pair.publicKey),
    algorithm,
    true,
    ['verify'],
  )
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${subject.replace(/[^A-Za-z0-9.-]/g, '-')}`,
      notBefore: new Date(now),
      notAfter: new Date(now + certificateYears * 365 * 86_400_000),
      signingAlgorithm: algorithm,
      keys: { privateKey: privateKey as CryptoKey, publicKey: publicKey as CryptoKey },
    },
    webcrypto as unknown as Crypto,
  )
  return Buffer.from(certificate.rawData)
}

const importAlgorithms: Readonly<
  Record<string, EcKeyImportParams & RsaHashedImportParams & EcdsaParams & RsaPssParams>
> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', namedCurve: '', saltLength: 0 },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', namedCurve: '', saltLength: 32 },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256', saltLength: 0 },
  EdDSA: { name: 'Ed25519', namedCurve: 'Ed25519', hash: 'SHA-512', saltLength: 0 },
}
