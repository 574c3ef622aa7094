/** Owns Argon2: the scheme of our own hashes, and the strings of it that others made. */
import { timingSafeEqual } from 'node:crypto'
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

export interface Argon2Parameters {
  readonly variant: 'argon2id' | 'argon2i' | 'argon2d'
  readonly version: number
  /** KiB. */
  readonly memory_cost: number
  readonly time_cost: number
  readonly parallelism: number
  readonly salt: Buffer
  readonly hash: Buffer
}

/** The numbers by which the library knows the variants. */
const variants = { argon2d: 0, argon2i: 1, argon2id: 2 } as const

/** Bounds for our own parameters and for imported ones alike: about half a second and 128 MiB. */
export const argon2Limits = { memory_cost: 131_072, time_cost: 64, parallelism: 16, work: 1_048_576 } as const

const phc =
  /^\$(argon2id|argon2i|argon2d)\$(?:v=(\d{1,3})\$)?m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([\w+/-]+)\$([\w+/-]+)$/

/** @throws HashRefused where the string is malformed or asks for more work than a worker may be given */
export function readArgon2(value: string): Argon2Parameters {
  const match = phc.exec(value)
  if (match === null) {
    throw malformed('An Argon2 hash looks like $argon2id$v=19$m=19456,t=2,p=1$salt$hash, without keyid or data.')
  }
  const [, variant, version = '16', m, t, p, salt = '', hash = ''] = match
  const parameters: Argon2Parameters = {
    variant: variant === 'argon2id' ? 'argon2id' : variant === 'argon2i' ? 'argon2i' : 'argon2d',
    version: Number(version),
    memory_cost: Number(m),
    time_cost: Number(t),
    parallelism: Number(p),
    salt: decode('The salt', salt, 'base64'),
    hash: decode('The hash', hash, 'base64'),
  }
  checkParameters(parameters)
  return parameters
}

function checkParameters(parameters: Argon2Parameters): void {
  const { version, memory_cost, time_cost, parallelism, salt, hash } = parameters
  if (version !== 16 && version !== 19) throw malformed('The Argon2 version must be 16 or 19.')
  if (time_cost < 1 || parallelism < 1 || memory_cost < 8 * parallelism) {
    throw malformed('Argon2 needs t of at least 1, p of at least 1 and m of at least 8 times p.')
  }
  if (salt.length < 8 || salt.length > 64) throw malformed('An Argon2 salt has 8 to 64 bytes.')
  if (hash.length < 12 || hash.length > 64) throw malformed('An Argon2 hash has 12 to 64 bytes here.')
  bounded('The Argon2 memory cost m', memory_cost, argon2Limits.memory_cost)
  bounded('The Argon2 time cost t', time_cost, argon2Limits.time_cost)
  bounded('The Argon2 parallelism p', parallelism, argon2Limits.parallelism)
  bounded('The Argon2 work, m times t,', memory_cost * time_cost, argon2Limits.work)
}

/** @spec RFC 9106 §3.1 */
export const argon2: Scheme = {
  algorithm: 'argon2',
  prefix: /^\$argon2/,
  fields: ['password'],
  read(hash: CustomPasswordHash): Recipe {
    const parameters = readArgon2(textHash(hash))
    return {
      algorithm: 'argon2',
      async verify(password) {
        // Synchronous on purpose: the asynchronous call would take the thread pool that signs tokens. Raw, as the
        // library's own comparison takes nothing but UTF-8, which a password after its pepper is not.
        const { hashRawSync } = await import('@node-rs/argon2')
        const made = hashRawSync(passwordBytes(hash, password), {
          algorithm: variants[parameters.variant],
          version: parameters.version === 16 ? 0 : 1,
          memoryCost: parameters.memory_cost,
          timeCost: parameters.time_cost,
          parallelism: parameters.parallelism,
          outputLen: parameters.hash.length,
          salt: parameters.salt,
        })
        return timingSafeEqual(made, parameters.hash)
      },
    }
  },
}

/**
 * A new hash of our own kind: Argon2id, version 19, one lane, 16 bytes of salt, 32 of hash.
 *
 * @param costs.memory_cost in KiB
 */
export async function hashArgon2(
  password: Uint8Array,
  costs: { readonly memory_cost: number; readonly time_cost: number },
): Promise<string> {
  const { hashSync } = await import('@node-rs/argon2')
  return hashSync(password, { memoryCost: costs.memory_cost, timeCost: costs.time_cost, parallelism: 1, outputLen: 32 })
}
