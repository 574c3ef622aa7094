/** Hashing in real worker threads: what is stored, what it costs to ask, and how the workers live and die. */
import { execFile } from 'node:child_process'
import { createHash, createHmac, generateKeyPair, randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hashRawSync, hashSync, parseOptions, verifySync } from '@node-rs/argon2'
import { afterEach, describe, expect, test } from 'vitest'
import { openPool, type PoolOptions } from '../src/passwords/pool.ts'
import { Busy, openPasswords, type Passwords, type PasswordsOptions, WorkerFailed } from '../src/passwords.ts'

const open: Passwords[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((passwords) => passwords.close()))
})

function passwordsWith(options: PasswordsOptions = {}): Passwords {
  const passwords = openPasswords({ threads: 1, ...options })
  open.push(passwords)
  return passwords
}

const password = 'Correct horse 7 battery'

describe('hash and verify', () => {
  test('a hash is Argon2id of at least 19 MiB and two passes, never twice the same', async () => {
    const passwords = passwordsWith()
    const [one, other] = await Promise.all([passwords.hash(password), passwords.hash(password)])
    expect(one).not.toBe(other)
    expect(parseOptions(one)).toMatchObject({
      algorithm: 2,
      version: 1,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
      outputLen: 32,
      saltLen: 16,
    })
    expect(verifySync(one, password)).toBe(true)
    expect(await passwords.verify(one, password)).toEqual({ ok: true, rehash: false })
    expect(await passwords.verify(one, 'correct horse 7 battery')).toEqual({ ok: false, rehash: false })
    expect(await passwords.verify(undefined, password)).toEqual({ ok: false, rehash: false })
  })

  test('NIST SP 800-63B-4 §3.1.1.2 a letter composed in another way is the same letter', async () => {
    const passwords = passwordsWith()
    const composed = 'Caf\u00e9 cr\u00e8me 7'
    const decomposed = 'Cafe\u0301 cre\u0300me 7'
    expect(composed).not.toBe(decomposed)
    expect(await passwords.verify(await passwords.hash(composed), decomposed)).toEqual({ ok: true, rehash: false })
    expect(await passwords.verify(await passwords.hash(decomposed), composed)).toEqual({ ok: true, rehash: false })
    const compatible = await passwords.hash('ﬁne 7 words')
    expect((await passwords.verify(compatible, 'fine 7 words')).ok).toBe(false)
  })

  test.each([
    ['empty', ''],
    ['too long', 'a'.repeat(1025)],
    ['too long in bytes', '€'.repeat(342)],
    ['huge', 'a'.repeat(5_000_000)],
    ['with a control character', 'hunter\u00002'],
    ['with half a surrogate pair', 'hunter2\ud83d'],
  ])('a text that is %s is never hashed, and never right', async (_name, text) => {
    const passwords = passwordsWith()
    await expect(passwords.hash(text)).rejects.toThrow(RangeError)
    expect(await passwords.verify(hashSync('x', { memoryCost: 64 }), text)).toEqual({ ok: false, rehash: false })
    expect(passwords.threads).toBe(0)
  })

  test('1024 bytes are a password, every one of them', async () => {
    const passwords = passwordsWith()
    const long = `${'€'.repeat(341)}a`
    const hash = await passwords.hash(long)
    expect((await passwords.verify(hash, long)).ok).toBe(true)
    expect((await passwords.verify(hash, `${'€'.repeat(341)}b`)).ok).toBe(false)
  })

  test.each([
    ['less memory', { memoryCost: 16_384, timeCost: 2 }, true],
    ['fewer passes', { memoryCost: 65_536, timeCost: 1 }, true],
    ['an old version', { memoryCost: 19_456, timeCost: 2, version: 0 }, true],
    ['Argon2i', { memoryCost: 19_456, timeCost: 2, algorithm: 1 }, true],
    ['a short hash', { memoryCost: 19_456, timeCost: 2, outputLen: 16 }, true],
    ['the same', { memoryCost: 19_456, timeCost: 2 }, false],
    ['more of both', { memoryCost: 32_768, timeCost: 3 }, false],
  ])('a hash with %s: rehash is %s', async (_name, options, rehash) => {
    expect(await passwordsWith().verify(hashSync(password, options), password)).toEqual({ ok: true, rehash })
  })

  test('options below the floor, or without a bound, are refused by name', () => {
    const key = randomBytes(32)
    expect(() => openPasswords({ memory_cost: 8192 })).toThrow(/memory_cost/)
    expect(() => openPasswords({ memory_cost: 1_000_000 })).toThrow(/memory_cost/)
    expect(() => openPasswords({ time_cost: 1 })).toThrow(/time_cost/)
    expect(() => openPasswords({ memory_cost: 131_072, time_cost: 64 })).toThrow(/lower one/)
    expect(() => openPasswords({ threads: 0 })).toThrow(/threads/)
    expect(() => openPasswords({ queue: Number.POSITIVE_INFINITY })).toThrow(/queue/)
    expect(() => openPasswords({ pepper: [{ id: 'a', key: randomBytes(31) }] })).toThrow(/32 bytes/)
    expect(() => openPasswords({ pepper: [{ id: '$', key }] })).toThrow(/id/)
    expect(() =>
      openPasswords({
        pepper: [
          { id: 'a', key },
          { id: 'a', key },
        ],
      }),
    ).toThrow(/Two/)
  })
})

describe('pepper', () => {
  const first = { id: '2026-01', key: randomBytes(32) }
  const second = { id: '2026-02', key: randomBytes(32) }

  test('the password goes through HMAC-SHA-256 with a key that is not in the hash', async () => {
    const passwords = passwordsWith({ pepper: [first] })
    const hash = await passwords.hash(password)
    expect(hash).toMatch(/^\$hmac-sha256\$k=2026-01\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const argon2 = hash.slice('$hmac-sha256$k=2026-01'.length)
    expect(verifySync(argon2, password)).toBe(false)
    const [salt = '', made] = argon2.split('$').slice(-2)
    const secret = createHmac('sha256', first.key).update(password).digest()
    const raw = hashRawSync(secret, { memoryCost: 19_456, timeCost: 2, salt: Buffer.from(salt, 'base64') })
    expect(raw.toString('base64')).toBe(`${made}=`)
    expect(await passwords.verify(hash, password)).toEqual({ ok: true, rehash: false })
    expect(await passwords.verify(hash, 'another')).toEqual({ ok: false, rehash: false })
    expect(await passwords.verify(undefined, password)).toEqual({ ok: false, rehash: false })
  })

  test('a new key takes over: old hashes still match, and are to be replaced', async () => {
    const old = await passwordsWith({ pepper: [first] }).hash(password)
    const bare = await passwordsWith().hash(password)
    const rotated = passwordsWith({ pepper: [second, first] })
    expect(await rotated.verify(old, password)).toEqual({ ok: true, rehash: true })
    expect(await rotated.verify(old, 'another')).toEqual({ ok: false, rehash: false })
    expect(await rotated.verify(bare, password)).toEqual({ ok: true, rehash: true })
    const renewed = await rotated.hash(password)
    expect(renewed).toContain('k=2026-02')
    expect(await passwordsWith({ pepper: [second] }).verify(renewed, password)).toEqual({ ok: true, rehash: false })
  })

  test('a hash whose key is missing is an error that names the key', async () => {
    const old = await passwordsWith({ pepper: [first] }).hash(password)
    for (const pepper of [[], [second]]) {
      const verifying = passwordsWith({ pepper }).verify(old, password)
      await expect(verifying).rejects.toMatchObject({ code: 'password_hash_key_unknown', message: /2026-01/ })
    }
  })

  test('a key of the same id but other bytes matches nothing', async () => {
    const old = await passwordsWith({ pepper: [first] }).hash(password)
    const forged = passwordsWith({ pepper: [{ id: first.id, key: randomBytes(32) }] })
    expect((await forged.verify(old, password)).ok).toBe(false)
  })
})

/** The shortest of some rounds: what the work itself takes, whatever else the machine does. */
async function shortest(rounds: number, ask: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    await ask()
    least = Math.min(least, performance.now() - started)
  }
  return least
}

describe('who asks learns nothing from the time', () => {
  test('an unknown person takes as long as a wrong password', async () => {
    const passwords = passwordsWith()
    const hash = await passwords.hash(password)
    let known = Number.POSITIVE_INFINITY
    let unknown = Number.POSITIVE_INFINITY
    for (let round = 0; round < 30; round += 1) {
      known = Math.min(known, await shortest(1, () => passwords.verify(hash, 'wrong')))
      unknown = Math.min(unknown, await shortest(1, () => passwords.verify(undefined, 'wrong')))
    }
    expect(known / unknown).toBeGreaterThan(0.4)
    expect(known / unknown).toBeLessThan(2.5)
  })

  test('once a dearer hash was met, every refusal takes as long as that one, and a success does not', async () => {
    const passwords = passwordsWith()
    const own = await passwords.hash(password)
    const cheapest = `{SHA}${createHash('sha1').update('x').digest('base64')}`
    const dear = hashSync(password, { memoryCost: 65_536, timeCost: 10 })
    const dearest = await shortest(3, () => passwords.verify(dear, 'wrong'))
    for (const stored of [undefined, own, cheapest]) {
      expect(await shortest(3, () => passwords.verify(stored, 'wrong'))).toBeGreaterThan(dearest * 0.3)
    }
    expect(await shortest(5, () => passwords.verify(own, password))).toBeLessThan(dearest * 0.3)
  })

  test('the history of a person who is known is compared without holding back', async () => {
    const passwords = passwordsWith()
    const dear = hashSync('older', { memoryCost: 65_536, timeCost: 8 })
    const cheap = hashSync('old', { memoryCost: 1024 })
    const cost = await shortest(3, () => passwords.verify(dear, 'wrong'))
    const started = performance.now()
    expect(await passwords.matchesAny([cheap, cheap, cheap, cheap, cheap, cheap], 'new')).toBe(false)
    expect(performance.now() - started).toBeLessThan(cost * 3)
    expect(await passwords.matchesAny([cheap, dear], 'older')).toBe(true)
    expect(await passwords.matchesAny([], 'older')).toBe(false)
  })
})

describe('RL-25 many at once', () => {
  test('64 hashes leave the event loop and the thread pool free', async () => {
    const passwords = passwordsWith()
    await passwords.hash(password)
    const loop = monitorEventLoopDelay({ resolution: 5 })
    loop.enable()
    const hashing = Promise.all(Array.from({ length: 64 }, (_, n) => passwords.hash(`${password}${n}`)))
    const started = performance.now()
    await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
    const pooled = performance.now() - started
    const hashes = await hashing
    loop.disable()
    // Behind 64 hashes in the pool it would wait for nearly all of them, half a second.
    expect(pooled).toBeLessThan(100)
    expect(new Set(hashes).size).toBe(64)
    expect(loop.percentile(99) / 1e6).toBeLessThan(100)
    expect(verifySync(hashes[63] ?? '', `${password}63`)).toBe(true)
  })

  test('a full queue refuses at once, with a time to come back', async () => {
    const passwords = passwordsWith({ queue: 3 })
    const asked = Array.from({ length: 10 }, () => passwords.hash(password))
    const started = performance.now()
    const refusals = asked.slice(4).map((hash) => expect(hash).rejects.toBeInstanceOf(Busy))
    await Promise.all(refusals)
    expect(performance.now() - started).toBeLessThan(60)
    const error = await passwords.hash(password).catch((refusal: unknown) => refusal)
    expect(error).toMatchObject({ code: 'temporarily_unavailable', retry_after: 1 })
    expect((await Promise.all(asked.slice(0, 4))).every((hash) => verifySync(hash, password))).toBe(true)
    expect((await passwords.verify(await passwords.hash(password), password)).ok).toBe(true)
  })

  test('nobody waits longer than the bound', async () => {
    const passwords = passwordsWith({ queue: 200, queue_timeout: 150 })
    const asked = await Promise.allSettled(Array.from({ length: 200 }, () => passwords.hash(password)))
    const refused = asked.filter((answer) => answer.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(asked.length - refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason).toBeInstanceOf(Busy)
  })
})

describe('the life of the workers', () => {
  test('none before the first use, never more than asked for, none after a while, then again', async () => {
    const passwords = passwordsWith({ threads: 2, idle_timeout: 100 })
    expect(passwords.threads).toBe(0)
    await Promise.all(Array.from({ length: 6 }, () => passwords.hash(password)))
    expect(passwords.threads).toBe(2)
    await expect.poll(() => passwords.threads, { timeout: 5000 }).toBe(0)
    expect((await passwords.verify(await passwords.hash(password), password)).ok).toBe(true)
  })

  test('closing lets the running work finish, refuses what waits and what comes', async () => {
    const passwords = passwordsWith()
    const running = passwords.hash(password)
    const waiting = expect(passwords.hash(password)).rejects.toBeInstanceOf(WorkerFailed)
    await passwords.close()
    expect(verifySync(await running, password)).toBe(true)
    await waiting
    await expect(passwords.hash(password)).rejects.toThrow(/closed/)
    expect(passwords.threads).toBe(0)
  })

  test('a process ends with its work, not before and not a minute later', async () => {
    const module = new URL('../src/passwords.ts', import.meta.url).href
    const program = `
      const { openPasswords } = await import(${JSON.stringify(module)})
      const passwords = openPasswords()
      process.stdout.write(await passwords.hash('x'))`
    const started = performance.now()
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    expect(verifySync(stdout, 'x')).toBe(true)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('a worker that fails', () => {
  /** A real worker thread that does what the password tells it to. */
  const entry = new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads'
      parentPort.on('message', ({ encoded }) => {
        if (encoded === 'exit') process.exit(7)
        if (encoded === 'throw') throw new Error('lost its head')
        if (encoded === 'hang') for (;;);
        if (encoded === 'fail') return parentPort.postMessage({ failure: 'no such thing' })
        parentPort.postMessage({ value: encoded, ms: 1 })
      })`)}`,
  )
  const options: PoolOptions = {
    entry,
    threads: 1,
    queue: 20,
    queue_timeout: 10_000,
    job_timeout: 500,
    idle_timeout: 10_000,
  }
  const job = (encoded: string) => ({ kind: 'verify', encoded, passwords: [] }) as const

  test.each([
    ['exits', 'exit', /ended/],
    ['throws', 'throw', /ended/],
    ['hangs', 'hang', /ended/],
    ['reports a failure', 'fail', /no such thing/],
  ])('one that %s fails its own job only; the next ones are done', async (_name, command, message) => {
    const pool = openPool(options)
    const jobs = ['a', command, 'b', command, 'c'].map((encoded) => pool.run(job(encoded)))
    const done = await Promise.allSettled(jobs)
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    const error = await jobs[1]?.catch((refusal: unknown) => refusal)
    expect(error).toBeInstanceOf(WorkerFailed)
    expect(error).toMatchObject({ code: 'password_worker_failed', message })
    expect(pool.threads).toBe(1)
    await pool.close()
  })

  test('one that cannot start fails each job, and does not try for ever', async () => {
    const pool = openPool({ ...options, entry: new URL('data:text/javascript,throw new Error("not here")') })
    const done = await Promise.allSettled(['a', 'b', 'c'].map((encoded) => pool.run(job(encoded))))
    expect(done.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await delay(50)
    expect(pool.threads).toBe(0)
    await pool.close()
  })

  test('the reason is kept as the cause', async () => {
    const pool = openPool(options)
    await expect(pool.run(job('throw'))).rejects.toMatchObject({ cause: { message: 'lost its head' } })
    await expect(pool.run(job('hang'))).rejects.toMatchObject({ cause: { message: /longer than 500 ms/ } })
    await pool.close()
  })
})
