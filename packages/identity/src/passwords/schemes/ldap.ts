/** Owns directory hashes: `{SSHA}` and its kin, a digest of the password and then the salt. */
import { timingSafeEqual } from 'node:crypto'
import { digestOf, findDigest } from './digests.ts'
import {
  type CustomPasswordHash,
  decode,
  HashRefused,
  malformed,
  passwordBytes,
  type Recipe,
  type Scheme,
  textHash,
} from './scheme.ts'

const format = /^\{(s?)(md5|sha-?(?:1|224|256|384|512)?)\}([\w+/-]+={0,2})$/i

/** @spec RFC 2307 §5.3 */
export const ldap: Scheme = {
  algorithm: 'ldap',
  prefix: /^\{[A-Za-z]/,
  fields: ['password'],
  read(hash: CustomPasswordHash): Recipe {
    const value = textHash(hash)
    const match = format.exec(value)
    if (match === null) {
      if (!/^\{[\w-]+\}/.test(value)) throw malformed('A directory hash looks like {SSHA}Base64.')
      const schemes = '{MD5}, {SMD5}, {SHA…} or {SSHA…}'
      throw new HashRefused('password_hash_unsupported', `The directory hash must be ${schemes} with Base64 after it.`)
    }
    const [, salted = '', name = '', text = ''] = match
    const digest = findDigest(name)
    const bytes = decode('The hash', text, 'base64')
    const expected = bytes.subarray(0, digest.length)
    const salt = bytes.subarray(digest.length)
    if (expected.length < digest.length || (salted === '') !== (salt.length === 0)) {
      throw malformed(
        `{${salted}${name}} needs ${digest.length} bytes${salted === '' ? '' : ' and a salt after them'}.`,
      )
    }
    return {
      algorithm: 'ldap',
      async verify(password) {
        const made = await digestOf(digest, Buffer.concat([passwordBytes(hash, password), salt]))
        return timingSafeEqual(made, expected)
      },
    }
  },
}
