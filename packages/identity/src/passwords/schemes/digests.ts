/** Owns the digests that imported hashes use: Node's own, and two that only WebAssembly still has. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { HashRefused } from './scheme.ts'

export interface Digest {
  readonly name: string
  /** In bytes. */
  readonly length: number
  /** Node's OpenSSL does not offer it; ten times slower. */
  readonly wasm: boolean
}

const digests: readonly Digest[] = [
  { name: 'md4', length: 16, wasm: true },
  { name: 'md5', length: 16, wasm: false },
  { name: 'ripemd160', length: 20, wasm: false },
  { name: 'sha1', length: 20, wasm: false },
  { name: 'sha224', length: 28, wasm: false },
  { name: 'sha256', length: 32, wasm: false },
  { name: 'sha384', length: 48, wasm: false },
  { name: 'sha512', length: 64, wasm: false },
  { name: 'whirlpool', length: 64, wasm: true },
]

/** Names that OpenSSL gave to the same digests. */
const aliases = new Map([
  ['ripemd', 'ripemd160'],
  ['rmd160', 'ripemd160'],
  ['sha', 'sha1'],
  ['sha1-2', 'sha1'],
  ['ssl3-md5', 'md5'],
  ['ssl3-sha1', 'sha1'],
])

/** @throws HashRefused for a digest that is not on the list */
export function findDigest(name: string): Digest {
  const bare = name
    .toLowerCase()
    .replace(/^rsa-/, '')
    .replace(/with(?:rsa|rsaencryption)$/, '')
    .replace(/^sha-/, 'sha')
  const wanted = aliases.get(bare) ?? bare
  const found = digests.find((digest) => digest.name === wanted)
  if (found !== undefined) return found
  const known = digests.map((digest) => digest.name).join(', ')
  throw new HashRefused('password_hash_unsupported', `The digest ${JSON.stringify(name)} is not one of ${known}.`)
}

async function wasmHasher(digest: Digest) {
  const { createMD4, createWhirlpool } = await import('hash-wasm')
  return digest.name === 'md4' ? createMD4() : createWhirlpool()
}

export async function digestOf(digest: Digest, data: Uint8Array): Promise<Uint8Array> {
  if (!digest.wasm) return createHash(digest.name).update(data).digest()
  return (await wasmHasher(digest)).init().update(data).digest('binary')
}

export async function hmacOf(digest: Digest, key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  if (!digest.wasm) return createHmac(digest.name, key).update(data).digest()
  const { createHMAC } = await import('hash-wasm')
  return (await createHMAC(wasmHasher(digest), key)).init().update(data).digest('binary')
}

export async function pbkdf2Of(
  digest: Digest,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array> {
  if (!digest.wasm) return pbkdf2Sync(password, salt, iterations, length, digest.name)
  const { pbkdf2 } = await import('hash-wasm')
  const hashFunction = wasmHasher(digest)
  return pbkdf2({ password, salt, iterations, hashLength: length, hashFunction, outputType: 'binary' })
}
