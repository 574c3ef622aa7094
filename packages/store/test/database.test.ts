/** Opening, the promises about durability, and the migrations. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DatabaseError, migrate, openDatabase, openStore, pendingMigrations } from '../src/index.ts'
import { schemaOf } from './support/schema.ts'
import { fresh, kinds, now, temporaryDirectory, useStore, vault } from './support/stores.ts'

let directory: string
beforeAll(() => {
  directory = temporaryDirectory()
})
afterAll(async () => {
  const { rmSync } = await import('node:fs')
  rmSync(directory, { recursive: true })
})

describe.each(kinds)('migrations over %s', (kind) => {
  const opened = useStore(kind)

  test('run once: the second time nothing is left to do', async () => {
    const before = await schemaOf(opened.db)
    expect(await migrate(opened.db)).toEqual([])
    expect(await pendingMigrations(opened.db)).toEqual([])
    expect(await schemaOf(opened.db)).toEqual(before)
  })

  test('make every table with the tenant first in its primary key', async () => {
    const tables = Object.keys(await schemaOf(opened.db)).filter((name) => !name.startsWith('kysely_'))
    expect(tables.length).toBeGreaterThan(10)
    for (const known of ['users', 'sessions', 'tickets', 'transactions']) expect(tables).toContain(known)
    for (const table of tables) {
      const { rows } = await sql<{
        name: string
        pk: number
      }>`select name, pk from pragma_table_info(${table})`.execute(opened.db)
      expect([table, rows.find((row) => row.pk === 1)?.name]).toEqual([table, 'tenant'])
    }
  })
})

describe('a fresh file', () => {
  test('says what is to be done, does it, and is the same as one in memory', async () => {
    const db = openDatabase(`sqlite:${join(directory, `${fresh()}.sqlite`)}`)
    const memory = openDatabase('sqlite::memory:')
    const pending = await pendingMigrations(db)
    expect(pending.length).toBeGreaterThan(0)
    expect(pending).toEqual(pending.toSorted())
    expect(await migrate(db)).toEqual(pending)
    await migrate(memory)
    expect(await schemaOf(db)).toEqual(await schemaOf(memory))
    await Promise.all([db.destroy(), memory.destroy()])
  })

  test('is written ahead and synced at every commit', async () => {
    const db = openDatabase(`sqlite:${join(directory, `${fresh()}.sqlite`)}`)
    const pragma = async (name: string) =>
      Object.values((await sql`${sql.raw(`pragma ${name}`)}`.execute(db)).rows[0] ?? {})[0]
    expect(await pragma('journal_mode')).toBe('wal')
    expect(await pragma('synchronous')).toBe(2)
    expect(await pragma('foreign_keys')).toBe(1)
    await db.destroy()
  })

  test('keeps what was written when it is opened again', async () => {
    const address = `sqlite:${join(directory, `${fresh()}.sqlite`)}`
    const first = openDatabase(address)
    await migrate(first)
    await openStore(first, 'one', vault).configuration.ensureTenant(now)
    await first.destroy()
    const second = openDatabase(address)
    expect(await migrate(second)).toEqual([])
    expect(await openStore(second, 'one', vault).configuration.version()).toBe(1)
    await second.destroy()
  })

  test('that cannot be migrated stays as it was', async () => {
    const db = openDatabase(`sqlite:${join(directory, `${fresh()}.sqlite`)}`)
    // A table of the last group stands in the way, so the first groups have been made when it fails.
    await sql`create table usage (x)`.execute(db)
    await expect(migrate(db)).rejects.toThrow(DatabaseError)
    const tables = Object.keys(await schemaOf(db)).filter((name) => !name.startsWith('kysely_'))
    expect(tables).toEqual(['usage'])
    await sql`drop table usage`.execute(db)
    expect(await migrate(db)).toEqual(await migrate(openDatabase('sqlite::memory:')))
    await db.destroy()
  })
})

describe('an address that cannot be used', () => {
  test.each([
    ['postgres://user:secret@db/latchkey', /^The database "postgres:" is not known: use sqlite:FILE$/],
    ['latchkey.sqlite', /is not known/],
    ['', /is not known/],
  ])('%s', (address, message) => {
    expect(() => openDatabase(address)).toThrow(message)
    expect(() => openDatabase(address)).toThrow(DatabaseError)
    expect(() => openDatabase(address)).not.toThrow(/secret/)
  })

  test('a directory that is not there, and a file that is no database', () => {
    expect(() => openDatabase(`sqlite:${join(directory, 'missing', 'x.sqlite')}`)).toThrow(DatabaseError)
    const file = join(directory, 'text.sqlite')
    writeFileSync(
      file,
      'this is not a database, and it is longer than a header of one hundred bytes would be. '.repeat(3),
    )
    expect(() => openDatabase(`sqlite:${file}`)).toThrow(/text\.sqlite cannot be opened: /)
  })
})

describe.each(kinds)('atomically over %s', (kind) => {
  const opened = useStore(kind)
  const user = (user_id: string) => ({ user_id, connection: 'c', email_verified: false, profile: {} })

  test('all of it is written, or nothing', async () => {
    const [kept, lost] = [fresh('auth0|'), fresh('auth0|')]
    await opened.store.atomically((store) => store.users.create(user(kept), now))
    const failed = opened.store.atomically(async (store) => {
      await store.users.create(user(lost), now)
      expect(await store.users.find(lost)).toBeDefined()
      throw new Error('stop')
    })
    await expect(failed).rejects.toThrow('stop')
    expect(await opened.store.users.find(kept)).toBeDefined()
    expect(await opened.store.users.find(lost)).toBeUndefined()
  })

  test('aggregates with transactions of their own join it', async () => {
    const user_id = fresh('auth0|')
    const grant = { grant_id: fresh(), user_id, client_id: 'c', audience: 'a', scope: ['s'] }
    const failed = opened.store.atomically(async (store) => {
      await store.grants.allow(grant, now)
      await store.tickets.create('unblock', fresh(), { user_id, details: {} }, now + 1, now)
      throw new Error('stop')
    })
    await expect(failed).rejects.toThrow('stop')
    expect(await opened.store.grants.list(user_id)).toEqual([])
  })

  test('answers a ping, and says when it cannot', async () => {
    await opened.store.ping()
    const closed = openDatabase('sqlite::memory:')
    await migrate(closed)
    const store = openStore(closed, 'one', vault)
    await closed.destroy()
    await expect(store.ping()).rejects.toThrow()
  })
})
