/** Owns the plain digests: one pass over salt and password. Weak, and gone after the first login. */
import { timingSafeEqual } from 'node:crypto'
import { digestOf, findDigest } from './digests.ts'
import { type CustomPasswordHash, type Recipe, rawHash, type Scheme, saltBytes, saltedPassword } from './scheme.ts'

function plainDigest(algorithm: string): Scheme {
  const digest = findDigest(algorithm)
  return {
    algorithm,
    fields: ['salt', 'password'],
    read(hash: CustomPasswordHash): Recipe {
      const expected = rawHash(hash, digest.length)
      const salt = saltBytes(hash)
      return {
        algorithm,
        async verify(password) {
          return timingSafeEqual(await digestOf(digest, saltedPassword(hash, salt, password)), expected)
        },
      }
    },
  }
}

export const plainDigests: readonly Scheme[] = ['md4', 'md5', 'sha1', 'sha256', 'sha512'].map(plainDigest)
