/** Owns HMAC hashes: one pass with a key that is imported beside them. */
import { timingSafeEqual } from 'node:crypto'
import { findDigest, hmacOf } from './digests.ts'
import {
  type CustomPasswordHash,
  decode,
  malformed,
  type Recipe,
  rawHash,
  type Scheme,
  saltBytes,
  saltedPassword,
} from './scheme.ts'

/** @spec RFC 2104 §2 */
export const hmac: Scheme = {
  algorithm: 'hmac',
  fields: ['salt', 'password', 'digest', 'key'],
  read(hash: CustomPasswordHash): Recipe {
    const { digest: name, key } = hash.hash
    if (name === undefined) throw malformed('hash.digest is required for hmac.')
    if (key === undefined) throw malformed('hash.key.value is required for hmac.')
    const digest = findDigest(name)
    const expected = rawHash(hash, digest.length)
    const keyBytes = decode('hash.key.value', key.value, key.encoding ?? 'utf8')
    const salt = saltBytes(hash)
    return {
      algorithm: 'hmac',
      async verify(password) {
        return timingSafeEqual(await hmacOf(digest, keyBytes, saltedPassword(hash, salt, password)), expected)
      },
    }
  },
}
