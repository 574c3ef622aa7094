/** Two processes on one file: what one commits the other sees, and neither gets between the other's reading and writing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Database, migrate, openDatabase, openStore, pendingMigrations, type Store } from '../src/index.ts'
import { fresh, now, secrets, temporaryDirectory, vault } from './support/stores.ts'

const script = fileURLToPath(new URL('support/other_process.ts', import.meta.url))
const children: ChildProcess[] = []

interface Other {
  /** Tells it what to do and waits for the answer. */
  ask(line: string): Promise<unknown>
  stop(): Promise<void>
}

async function startOther(address: string, ...words: string[]): Promise<Other> {
  const child = spawn(process.execPath, [script, address, secrets.current, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  children.push(child)
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints += text
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`The other process ended: ${complaints}`)
    return JSON.parse(value) as unknown
  }
  expect(await next()).toBe('ready')
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    ask(line) {
      child.stdin.write(`${line}\n`)
      return next()
    },
    stop() {
      child.stdin.end()
      return exit
    },
  }
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill()
})

let directory: string
let address: string
let db: Database
let store: Store
beforeAll(async () => {
  directory = temporaryDirectory()
  address = `sqlite:${join(directory, 'shared.sqlite')}`
  db = openDatabase(address)
  await migrate(db)
  store = openStore(db, 'one', vault)
  await store.configuration.ensureTenant(now)
})
afterAll(async () => {
  await db.destroy()
  rmSync(directory, { recursive: true })
})

describe('two processes on one file', () => {
  test('what one has committed, the other reads, the version of the configuration too', async () => {
    const other = await startOther(address)
    const user_id = fresh('auth0|')
    expect(await store.users.find(user_id)).toBeUndefined()
    await other.ask(`createUser ${user_id}`)
    expect(await store.users.find(user_id)).toBeDefined()
    const before = await store.configuration.version()
    await other.ask('touch')
    expect(await store.configuration.version()).toBe(before + 1)
    await other.stop()
  })

  test('counters that both add to lose nothing', async () => {
    const other = await startOther(address)
    const key = fresh()
    const theirs = other.ask(`count ${key} 150`)
    const ours: number[] = []
    for (let index = 0; index < 150; index++) ours.push((await store.counters.add(key, 1e9, now)).count)
    const all = [...ours, ...((await theirs) as number[])].toSorted((a, b) => a - b)
    expect(all).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
    await other.stop()
  })

  test('a transaction that reads first and writes later loses nothing that the other wrote', async () => {
    const other = await startOther(address)
    const user_id = fresh('auth0|')
    const theirs = other.ask(`allow ${user_id} b 60`)
    for (let index = 0; index < 60; index++) {
      const grant = { grant_id: `a${index}`, user_id, client_id: 'c', audience: 'a', scope: [`a${index}`] }
      await store.grants.allow(grant, now)
    }
    await theirs
    expect(new Set(await store.grants.scope(user_id, 'c', 'a')).size).toBe(120)
    await other.stop()
  })

  test('of fifty tickets, each is taken by one of the two', async () => {
    const other = await startOther(address)
    const tickets = Array.from({ length: 50 }, () => fresh('t'))
    for (const [index, ticket] of tickets.entries())
      await store.tickets.create('unblock', ticket, { user_id: `u${index}`, details: {} }, now + 1000, now)
    const theirs = other.ask(`take ${tickets.join(' ')}`)
    const ours: string[] = []
    for (const ticket of tickets.toReversed()) if (await store.tickets.take('unblock', ticket, now)) ours.push(ticket)
    expect([...ours, ...((await theirs) as string[])].toSorted()).toEqual(tickets.toSorted())
    await other.stop()
  })

  test('while one holds the write lock the other reads at once, and its write waits', async () => {
    const other = await startOther(address)
    const before = await store.configuration.version()
    const held = other.ask('hold 400')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const start = performance.now()
    expect(await store.configuration.version()).toBe(before)
    expect(performance.now() - start).toBeLessThan(100)
    await store.configuration.touch(now)
    expect(performance.now() - start).toBeGreaterThan(150)
    await held
    expect(await store.configuration.version()).toBe(before + 2)
    await other.stop()
  })

  test('four that start at once on a new file migrate it once', async () => {
    const file = `sqlite:${join(directory, `${fresh()}.sqlite`)}`
    const others = await Promise.all(Array.from({ length: 4 }, () => startOther(file, 'migrate')))
    const here = openDatabase(file)
    expect(await pendingMigrations(here)).toEqual([])
    await here.destroy()
    await Promise.all(others.map((other) => other.stop()))
  })

  test('one that is killed in the middle of a transaction leaves nothing of it', async () => {
    const other = await startOther(address)
    const before = await store.configuration.version()
    void other.ask('hold 10000').catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 150))
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await store.configuration.touch(now)
    expect(await store.configuration.version()).toBe(before + 1)
  })
})
