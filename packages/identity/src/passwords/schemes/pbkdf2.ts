/** Owns PBKDF2 as a PHC string, with the digests that Auth0 takes. */
import { timingSafeEqual } from 'node:crypto'
import { findDigest, pbkdf2Of } from './digests.ts'
import {
  bounded,
  type CustomPasswordHash,
  decode,
  malformed,
  passwordBytes,
  type Recipe,
  type Scheme,
  textHash,
} from './scheme.ts'

/** Where the string does not say, as Auth0 reads it. */
const defaultIterations = 100_000

/** Iterations times blocks of output: about a second. */
const maxWork = { native: 2_097_152, wasm: 500_000 } as const

const phc = /^\$pbkdf2-([\w-]{2,32})\$(?:([il]=\d{1,9}(?:,[il]=\d{1,9})?)\$)?([\w+/-]+={0,2})\$([\w+/-]+={0,2})$/

/** @spec RFC 8018 §5.2 */
export const pbkdf2: Scheme = {
  algorithm: 'pbkdf2',
  prefix: /^\$pbkdf2-/,
  fields: ['password'],
  read(custom: CustomPasswordHash): Recipe {
    const match = phc.exec(textHash(custom))
    if (match === null) throw malformed('A PBKDF2 hash looks like $pbkdf2-sha256$i=600000,l=32$salt$hash.')
    const [, name = '', parameters = ''] = match
    const salt = decode('The salt', match[3] ?? '', 'base64')
    const hash = decode('The hash', match[4] ?? '', 'base64')
    const digest = findDigest(name)
    const iterations = Number(/i=(\d+)/.exec(parameters)?.[1] ?? defaultIterations)
    const length = Number(/l=(\d+)/.exec(parameters)?.[1] ?? hash.length)
    if (iterations < 1) throw malformed('PBKDF2 needs at least one iteration.')
    if (hash.length !== length) throw malformed(`The hash has ${hash.length} bytes, but l says ${length}.`)
    if (hash.length < 8) throw malformed('A PBKDF2 hash has at least 8 bytes.')
    const work = iterations * Math.ceil(length / digest.length)
    bounded('The PBKDF2 work, iterations times blocks,', work, digest.wasm ? maxWork.wasm : maxWork.native)
    return {
      algorithm: 'pbkdf2',
      async verify(password) {
        const made = await pbkdf2Of(digest, passwordBytes(custom, password), salt, iterations, length)
        return timingSafeEqual(made, hash)
      },
    }
  },
}
