/** Owns hashing and verifying passwords: Argon2id away from the event loop, and every imported scheme besides. */
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import {
  checkCosts,
  checkPepper,
  dummyHash,
  judgeOwnHash,
  leastCosts,
  type PepperKey,
  pepperKey,
  readOwnHash,
  secretOf,
  withKeyId,
} from './passwords/encoded.ts'
import { readHash } from './passwords/hashes.ts'
import { openPool } from './passwords/pool.ts'
import { normalisePassword, textProblem } from './passwords/text.ts'

export type { PepperKey } from './passwords/encoded.ts'
export { checkPasswordHash, encodePasswordHash, type HashProblem } from './passwords/hashes.ts'
export { checkPasswordHistory, passwordHistorySize } from './passwords/history.ts'
export { type InvalidPassword, invalidPassword, passwordRules } from './passwords/invalid_password.ts'
export {
  checkPassword,
  type PasswordPerson,
  type PasswordPolicy,
  type PasswordProblem,
  passwordLevels,
} from './passwords/policy.ts'
export { Busy } from './passwords/pool.ts'
export { type CustomPasswordHash, HashRefused } from './passwords/schemes/scheme.ts'
export { normalisePassword, passwordMaxBytes } from './passwords/text.ts'
export { WorkerFailed } from './passwords/thread.ts'

export interface PasswordsOptions {
  /** Worker threads; by default one fewer than the machine's cores, 1 to 4. */
  readonly threads?: number
  /** Jobs that may wait; by default 256. */
  readonly queue?: number
  /** KiB; by default, and at least, 19456. */
  readonly memory_cost?: number
  /** Passes; by default, and at least, 2. */
  readonly time_cost?: number
  /** Keys of the pre-hash, the current one first; none by default. */
  readonly pepper?: readonly PepperKey[]
  /** Longest wait in the queue, in ms; by default 5000. */
  readonly queue_timeout?: number
  /** Time without work, in ms, after which the threads end; by default 60000. */
  readonly idle_timeout?: number
}

export interface Verified {
  readonly ok: boolean
  /** The password matched, but the stored hash should be replaced by a new one of the same password. */
  readonly rehash: boolean
}

export interface Passwords {
  /**
   * A new hash to store.
   *
   * @throws Busy when too many wait
   * @throws RangeError for a text that `checkPassword` would refuse as no password at all
   */
  hash(password: string): Promise<string>
  /**
   * Whether this is the password of the stored hash. Where there is none, `undefined`, the same work is done and the
   * answer is no: who asks cannot tell an unknown person from a wrong password.
   *
   * @throws Busy when too many wait
   * @throws HashRefused when the stored hash cannot be read, or its pepper key is missing
   */
  verify(encoded: string | undefined, password: string): Promise<Verified>
  /**
   * Whether this is the password of one of the hashes; for the history of a person who is known already. They are
   * compared one after the other, so that a change of password does not fill the queue before everybody's login.
   *
   * @throws Busy when too many wait
   * @throws HashRefused when one of them cannot be read, or its pepper key is missing
   */
  matchesAny(hashes: readonly string[], password: string): Promise<boolean>
  /** Lets the running work finish and ends the threads. */
  close(): Promise<void>
  /** Threads that are alive: none before the first use and after a while without any. */
  readonly threads: number
}

/** No imported hash takes longer than this, in ms, on the slowest machine we think of. */
const jobTimeout = 20_000

/** The longest that a refusal is held back, in ms, to look like the slowest one. */
const longestHold = 2000

/** As the module runs from its TypeScript source, or compiled. */
const entry = new URL(
  import.meta.url.endsWith('.ts') ? './passwords/worker.ts' : './passwords/worker.js',
  import.meta.url,
)

function checkedOptions(options: PasswordsOptions) {
  const costs = {
    memory_cost: options.memory_cost ?? leastCosts.memory_cost,
    time_cost: options.time_cost ?? leastCosts.time_cost,
  }
  const { threads = Math.min(Math.max(availableParallelism() - 1, 1), 4), queue = 256 } = options
  const { pepper = [], queue_timeout = 5000, idle_timeout = 60_000 } = options
  checkCosts(costs)
  checkPepper(pepper)
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) throw new RangeError('threads must be 1 to 64.')
  if (!Number.isInteger(queue) || queue < 0 || queue > 10_000) throw new RangeError('queue must be 0 to 10000.')
  return { costs, pepper, pool: { threads, queue, queue_timeout, idle_timeout } }
}

/**
 * Opens the password workers. Nothing is started before the first use.
 *
 * @throws RangeError naming the option that cannot be used
 */
export function openPasswords(options: PasswordsOptions = {}): Passwords {
  const { costs, pepper, pool: poolOptions } = checkedOptions(options)
  const pool = openPool({ ...poolOptions, entry, job_timeout: jobTimeout })
  const [current] = pepper
  const dummy = withKeyId(dummyHash(costs), current)
  /** Ms that the slowest hash of an unusual cost took. Every refusal takes at least as long, so that none stands out. */
  let slowest = 0

  /** What is to be compared, and whether a match should be hashed anew. */
  function comparison(encoded: string, password: string) {
    const normal = normalisePassword(password)
    // The system it comes from may have hashed the text as it was typed.
    const passwords: readonly string[] = normal === password ? [normal] : [normal, password]
    const own = readOwnHash(encoded)
    if (own === undefined) {
      readHash(encoded)
      return { job: { kind: 'verify', encoded, passwords }, rehash: true, ordinary: false } as const
    }
    const key = pepperKey(pepper, own.key_id)
    const secrets = (key === undefined ? passwords : [normal]).map((text) => secretOf(text, key))
    const { rehash, ordinary } = judgeOwnHash(own, costs, current)
    return { job: { kind: 'verify', encoded: own.argon2, passwords: secrets }, rehash, ordinary } as const
  }

  async function compare(encoded: string, password: string): Promise<Verified & { readonly ms: number }> {
    const { job, rehash, ordinary } = comparison(encoded, password)
    const { value, ms } = await pool.run(job)
    if (!ordinary) slowest = Math.min(Math.max(slowest, ms), longestHold)
    return { ok: value === true, rehash: value === true && rehash, ms }
  }

  return {
    async hash(password) {
      const problem = textProblem(password)
      if (problem !== undefined || password === '') throw new RangeError('This text cannot be a password.')
      const done = await pool.run({ kind: 'hash', secret: secretOf(normalisePassword(password), current), costs })
      return withKeyId(String(done.value), current)
    },
    async verify(encoded, password) {
      if (password === '' || textProblem(password) !== undefined) return { ok: false, rehash: false }
      const { ok, rehash, ms } = await compare(encoded ?? dummy, password)
      const verified = { ok: ok && encoded !== undefined, rehash: rehash && encoded !== undefined }
      if (!verified.ok && slowest > ms) await delay(slowest - ms)
      return verified
    },
    async matchesAny(hashes, password) {
      if (password === '' || textProblem(password) !== undefined) return false
      for (const hash of hashes) if ((await compare(hash, password)).ok) return true
      return false
    },
    close: () => pool.close(),
    get threads() {
      return pool.threads
    },
  }
}
