/** Owns the list of signature algorithms: how each signs, and how a key for it is made. */

import { constants, createHmac, type KeyObject, sign } from 'node:crypto'

export interface Algorithm {
  readonly name: string
  /** Options of `generateKeyPair`. Undefined for HS256, whose key is the API's own secret. */
  readonly key?: { readonly type: 'rsa' | 'ec' | 'ed25519'; readonly options: object }
  sign(data: Buffer, key: KeyObject): Promise<Buffer>
}

/**
 * The thread pool signs while the event loop goes on answering. Even with one core, and even for a quick algorithm, that is the faster
 * way: the pool makes many signatures in a row, and the later ones find the processor ready for them.
 */
function signInPool(digest: string | null, data: Buffer, key: Parameters<typeof sign>[2]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(digest, data, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
}

/** Turns an ECDSA signature from DER into `r` and `s` side by side. @spec RFC 7518 §3.4 */
function rawSignature(der: Buffer, bytes: number): Buffer {
  const raw = Buffer.alloc(2 * bytes)
  // SEQUENCE, its length, then twice INTEGER, length, value; an integer may have a leading zero, or be shorter.
  let at = 2
  for (const end of [bytes, 2 * bytes]) {
    const length = der[at + 1] ?? 0
    const value = der.subarray(at + 2, at + 2 + length)
    const digits = value.length > bytes ? value.subarray(value.length - bytes) : value
    raw.set(digits, end - digits.length)
    at += 2 + length
  }
  return raw
}

const rsa = { type: 'rsa', options: { modulusLength: 2048, publicExponent: 0x10001 } } as const

const list: readonly Algorithm[] = [
  { name: 'RS256', key: rsa, sign: (data, key) => signInPool('sha256', data, key) },
  {
    name: 'PS256',
    key: rsa,
    sign: (data, key) => signInPool('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  },
  {
    name: 'ES256',
    key: { type: 'ec', options: { namedCurve: 'P-256' } },
    // Asking Node for the raw form would cost as much as the signature again.
    sign: async (data, key) => rawSignature(await signInPool('sha256', data, key), 32),
  },
  { name: 'EdDSA', key: { type: 'ed25519', options: {} }, sign: (data, key) => signInPool(null, data, key) },
  {
    name: 'HS256',
    sign: async (data, key) => createHmac('sha256', key).update(data).digest(),
  },
]

/** By the name in the `alg` header. @spec RFC 7518 §3.1 */
export const algorithms: ReadonlyMap<string, Algorithm> = new Map(list.map((one) => [one.name, one]))

export interface DecryptionAlgorithm {
  readonly type: 'rsa' | 'ec'
  /** Of `generateKeyPair`. */
  readonly options: object
}

/** By which clients may encrypt for this server, by the name in the `alg` header. @spec RFC 7518 §4.1 */
export const decryptionAlgs: ReadonlyMap<string, DecryptionAlgorithm> = new Map<string, DecryptionAlgorithm>([
  ['RSA-OAEP-256', rsa],
  ['ECDH-ES', { type: 'ec', options: { namedCurve: 'P-256' } }],
])
