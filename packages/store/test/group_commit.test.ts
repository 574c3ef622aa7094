/** What is written at once is committed at once, and yet each holds or fails by itself. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Database, migrate, openDatabase, openStore } from '../src/index.ts'
import { fresh, now, vault } from './support/stores.ts'

let folder: string
let db: Database
let store: ReturnType<typeof openStore>
let commits = 0
const prepare = BetterSqlite3.prototype.prepare
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-group-'))
  BetterSqlite3.prototype.prepare = function (this: BetterSqlite3.Database, text: string) {
    const statement = prepare.call(this, text)
    if (text === 'commit') {
      const run = statement.run.bind(statement)
      statement.run = ((values: readonly unknown[]) => {
        commits++
        return run(values)
      }) as typeof run
    }
    return statement
  } as typeof prepare
  db = openDatabase(`sqlite:${join(folder, 'group.sqlite')}`)
  await migrate(db)
  store = openStore(db, 'one', vault)
  commits = 0
})
afterEach(async () => {
  await db.destroy()
  BetterSqlite3.prototype.prepare = prepare
  rmSync(folder, { recursive: true })
})

const row = () => ({ lineage: 'l', client_id: 'c', authorization: '{}', ends_at: now + 9e9, kept_until: now + 9e9 })
const insert = (code: string) => store.codes.create(code, row(), now)
const insertIn = (code: string) => store.atomically((trx) => trx.codes.create(code, row(), now))
const isThere = async (code: string) => (await store.codes.peek(code)) !== undefined

/** As another process sees it. */
function onDisk(): number {
  const other = new BetterSqlite3(join(folder, 'group.sqlite'), { readonly: true })
  const { count } = other.prepare('select count(*) as count from codes').get() as { count: number }
  other.close()
  return count
}

describe('security rule 6 acknowledged after the commit, and committed together', () => {
  test('two hundred at once, alone and in transactions, take a handful of commits', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? insert(fresh()) : insertIn(fresh()))))
    expect(commits).toBeLessThan(10)
    expect(onDisk()).toBe(200)
  })

  test('whoever is answered finds it on the disk, the first and the last', async () => {
    const seen = await Promise.all(Array.from({ length: 50 }, () => insert(fresh()).then(onDisk)))
    expect(seen).toEqual(Array.from({ length: 50 }, () => 50))
  })

  test('a statement that fails takes no other with it', async () => {
    const code = fresh()
    const results = await Promise.allSettled([
      insert(code),
      insert(code),
      insertIn(fresh()),
      insertIn(code),
      insert(fresh()),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(onDisk()).toBe(3)
  })

  test('a transaction that fails leaves nothing of its own, and all of the others', async () => {
    const [lost, kept, alone] = [fresh(), fresh(), fresh()]
    const failing = store.atomically(async (trx) => {
      await trx.codes.create(lost, row(), now)
      await trx.codes.create(fresh(), row(), now)
      throw new Error('stop')
    })
    const outcomes = await Promise.allSettled([insert(alone), failing, insertIn(kept)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect([await isThere(lost), await isThere(kept), await isThere(alone)]).toEqual([false, true, true])
    expect(onDisk()).toBe(2)
  })

  test('nobody sees half a transaction, however long it takes', async () => {
    const code = fresh()
    let reading: Promise<boolean> | undefined
    let writing: Promise<void> | undefined
    const failing = store.atomically(async (trx) => {
      await trx.codes.create(code, row(), now)
      reading = isThere(code)
      writing = insert(code)
      await new Promise((resolve) => setTimeout(resolve, 30))
      throw new Error('stop')
    })
    await expect(failing).rejects.toThrow('stop')
    expect(await reading).toBe(false)
    await writing
    expect(onDisk()).toBe(1)
  })

  test('transactions keep their order, and what stands between them is in none', async () => {
    const order: string[] = []
    const step = (name: string) =>
      store.atomically(async (trx) => {
        order.push(`${name} begins`)
        await trx.codes.create(fresh(), row(), now)
        await new Promise((resolve) => setTimeout(resolve, 5))
        order.push(`${name} ends`)
      })
    const between = fresh()
    const failing = store.atomically(async () => {
      throw new Error('stop')
    })
    await Promise.allSettled([step('first'), insert(between), failing, step('second')])
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
    expect(await isThere(between)).toBe(true)
  })

  test('a full disk refuses everyone in the group, and work goes on when there is room', async () => {
    await insert(fresh())
    const before = onDisk()
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    await sql.raw(`pragma max_page_count = ${rows[0]?.page_count ?? 0}`).execute(db)
    const large = { ...row(), authorization: 'x'.repeat(200_000) }
    const full = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => store.codes.create(fresh(), large, now)),
      store.atomically((trx) => trx.codes.create(fresh(), large, now)),
    ])
    expect(full.map(({ status }) => status)).toEqual(full.map(() => 'rejected'))
    expect(onDisk()).toBe(before)
    await sql.raw('pragma max_page_count = 100000').execute(db)
    await Promise.all([store.codes.create(fresh(), large, now), insertIn(fresh())])
    expect(onDisk()).toBe(before + 2)
  })

  test('a transaction that swallows an error of the disk commits nothing in silence', async () => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    await sql.raw(`pragma max_page_count = ${rows[0]?.page_count ?? 0}`).execute(db)
    const large = { ...row(), authorization: 'x'.repeat(200_000) }
    const swallowing = store.atomically(async (trx) => {
      await trx.codes.create(fresh(), large, now).catch(() => undefined)
      return 'done'
    })
    await Promise.allSettled([swallowing])
    // SQLite may end the whole transaction at such an error, or only the statement: in neither case is a lost write acknowledged.
    expect(onDisk()).toBe(0)
    await sql.raw('pragma max_page_count = 100000').execute(db)
    await insert(fresh())
    expect(onDisk()).toBe(1)
  })
})
