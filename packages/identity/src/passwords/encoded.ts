/** Owns our own stored hashes: Argon2id, with the pepper's key id before it, and when one should be made anew. */
import { createHmac, randomBytes } from 'node:crypto'
import { argon2Limits, readArgon2 } from './schemes/argon2.ts'
import { HashRefused } from './schemes/scheme.ts'

/** A key for the pre-hash. The first of a list makes new hashes; the others still verify old ones. */
export interface PepperKey {
  /** Up to 64 letters, digits, `.`, `_` and `-`; it is stored with each hash. */
  readonly id: string
  /** At least 32 bytes, kept apart from the database. */
  readonly key: Uint8Array
}

export interface Costs {
  /** KiB. */
  readonly memory_cost: number
  readonly time_cost: number
}

/** The weakest that is ever made, whatever the options say. */
export const leastCosts: Costs = { memory_cost: 19_456, time_cost: 2 }

const peppered = /^\$hmac-sha256\$k=([\w.-]{1,64})(\$argon2id\$.+)$/

export interface OwnHash {
  /** The Argon2 string without the pepper's key id. */
  readonly argon2: string
  readonly key_id: string | undefined
}

/** @returns undefined where the stored hash is another scheme's */
export function readOwnHash(encoded: string): OwnHash | undefined {
  const match = peppered.exec(encoded)
  if (match !== null) return { argon2: match[2] ?? '', key_id: match[1] }
  return encoded.startsWith('$argon2id$') ? { argon2: encoded, key_id: undefined } : undefined
}

export function withKeyId(argon2: string, key: PepperKey | undefined): string {
  return key === undefined ? argon2 : `$hmac-sha256$k=${key.id}${argon2}`
}

/** The password as Argon2 gets it: through the pepper's HMAC where there is one. */
export function secretOf(password: string, key: PepperKey | undefined): Uint8Array {
  return key === undefined ? Buffer.from(password) : createHmac('sha256', key.key).update(password).digest()
}

/** @throws HashRefused where the key that the hash names is not configured: no password could ever match */
export function pepperKey(keys: readonly PepperKey[], id: string | undefined): PepperKey | undefined {
  if (id === undefined) return undefined
  const key = keys.find((entry) => entry.id === id)
  if (key !== undefined) return key
  throw new HashRefused(
    'password_hash_key_unknown',
    `The stored password hash was made with the pepper key ${id}; put it back into the list of pepper keys.`,
  )
}

export interface OwnHashJudged {
  /** Weaker than today's, or not under the current key: to be replaced once it matched. */
  readonly rehash: boolean
  /** It costs what a new one costs. */
  readonly ordinary: boolean
}

/** @throws HashRefused where the Argon2 string is malformed or too costly */
export function judgeOwnHash(own: OwnHash, costs: Costs, current: PepperKey | undefined): OwnHashJudged {
  const made = readArgon2(own.argon2)
  return {
    rehash:
      own.key_id !== current?.id ||
      made.version !== 19 ||
      made.memory_cost < costs.memory_cost ||
      made.time_cost < costs.time_cost ||
      made.salt.length < 16 ||
      made.hash.length < 32,
    ordinary: made.memory_cost === costs.memory_cost && made.time_cost === costs.time_cost,
  }
}

/** A hash of nothing, as dear as a real one, for those who have none. */
export function dummyHash(costs: Costs): string {
  const base64 = (length: number) => randomBytes(length).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${costs.memory_cost},t=${costs.time_cost},p=1$${base64(16)}$${base64(32)}`
}

/** @throws RangeError naming the option that cannot be used */
export function checkCosts({ memory_cost, time_cost }: Costs): void {
  const { memory_cost: leastMemory, time_cost: leastTime } = leastCosts
  if (!Number.isInteger(memory_cost) || memory_cost < leastMemory || memory_cost > argon2Limits.memory_cost) {
    throw new RangeError(`memory_cost must be ${leastMemory} to ${argon2Limits.memory_cost} KiB.`)
  }
  if (!Number.isInteger(time_cost) || time_cost < leastTime || time_cost > argon2Limits.time_cost) {
    throw new RangeError(`time_cost must be ${leastTime} to ${argon2Limits.time_cost}.`)
  }
  if (memory_cost * time_cost > argon2Limits.work) {
    throw new RangeError(`memory_cost times time_cost must be at most ${argon2Limits.work}; lower one of them.`)
  }
}

/** @throws RangeError naming the key that cannot be used */
export function checkPepper(keys: readonly PepperKey[]): void {
  for (const { id, key } of keys) {
    if (!/^[\w.-]{1,64}$/.test(id))
      throw new RangeError('A pepper key id has 1 to 64 letters, digits, ".", "_" or "-".')
    if (key.byteLength < 32) throw new RangeError(`The pepper key ${id} must have at least 32 bytes.`)
    if (keys.filter((entry) => entry.id === id).length > 1) throw new RangeError(`Two pepper keys have the id ${id}.`)
  }
}
