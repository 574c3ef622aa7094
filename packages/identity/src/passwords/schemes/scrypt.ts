/** Owns scrypt: as a PHC string, and as Auth0's object with the parameters beside the hash. */
import { scryptSync, timingSafeEqual } from 'node:crypto'
import {
  bounded,
  type CustomPasswordHash,
  decode,
  malformed,
  passwordBytes,
  type Recipe,
  rawHash,
  type Scheme,
  saltBytes,
} from './scheme.ts'

interface Parameters {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

const maxMemory = 128 * 1024 * 1024
/** N times r times p: about a second and a half. */
const maxWork = 4_194_304

const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([\w+/-]*)\$([\w+/-]+)$/

function readPhc(value: string): Parameters {
  const match = phc.exec(value)
  if (match === null) throw malformed('A scrypt string looks like $scrypt$ln=16,r=8,p=1$salt$hash.')
  const [, ln, r, p, salt = '', hash = ''] = match
  const bytes = { salt: decode('The salt', salt, 'base64'), hash: decode('The hash', hash, 'base64') }
  return { N: 2 ** Number(ln), r: Number(r), p: Number(p), ...bytes }
}

function readObject(hash: CustomPasswordHash): Parameters {
  const { keylen, cost = 16_384, blockSize = 8, parallelization = 1 } = hash
  if (keylen === undefined) throw malformed('keylen is required for scrypt.')
  return { N: cost, r: blockSize, p: parallelization, salt: saltBytes(hash), hash: rawHash(hash, keylen) }
}

/** @spec RFC 7914 §6 */
export const scrypt: Scheme = {
  algorithm: 'scrypt',
  prefix: /^\$scrypt\$/,
  fields: ['salt', 'password', 'scrypt'],
  read(hash: CustomPasswordHash): Recipe {
    const parameters = hash.hash.value.startsWith('$scrypt$') ? readPhc(hash.hash.value) : readObject(hash)
    const { N, r, p, salt } = parameters
    if (N < 2 || !Number.isInteger(Math.log2(N))) throw malformed('The scrypt cost must be a power of two above 1.')
    if (r < 1 || p < 1) throw malformed('The scrypt block size and parallelization must be at least 1.')
    if (parameters.hash.length < 8) throw malformed('A scrypt hash has at least 8 bytes.')
    bounded('The length of the scrypt hash', parameters.hash.length, 512)
    bounded('The scrypt memory, 128 times cost times block size,', 128 * N * r, maxMemory)
    bounded('The scrypt work, cost times block size times parallelization,', N * r * p, maxWork)
    const options = { N, r, p, maxmem: 2 * maxMemory }
    return {
      algorithm: 'scrypt',
      async verify(password) {
        const made = scryptSync(passwordBytes(hash, password), salt, parameters.hash.length, options)
        return timingSafeEqual(made, parameters.hash)
      },
    }
  },
}
