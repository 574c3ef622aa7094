/**
 * No query without an index: every statement the aggregates send is caught where it is prepared, and SQLite says how it would run it.
 * A method that is new must be called in `support/every_call.ts`.
 */
import BetterSqlite3 from 'better-sqlite3'
import { CompiledQuery } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Database, migrate, openDatabase, openStore } from '../src/index.ts'
import { callEvery } from './support/every_call.ts'
import { now, vault } from './support/stores.ts'

/** Tables that hold what an administrator configured: read whole, into memory. */
const configured = new Set(
  'tenants clients resource_servers connections client_grants rules rules_configs signing_keys'.split(' '),
)

/** Statements that may look at many rows, each with its reason. */
const justified: readonly (readonly [RegExp, string])[] = [
  [/from "mails" .*order by "created_at" desc/, 'the mailbox page of development'],
  [/from "signing_keys" .*order by "created_at"/, 'a handful of keys, read once into memory'],
  [/from "usage" .*order by "day"/, 'a row a day of one client'],
]

const prototype = BetterSqlite3.prototype
const prepare = prototype.prepare
const statements = new Set<string>()
let db: Database
let uncalled: readonly string[]

beforeAll(async () => {
  db = openDatabase('sqlite::memory:')
  await migrate(db)
  const store = openStore(db, 'one', vault)
  await store.configuration.ensureTenant(now)
  prototype.prepare = function (this: BetterSqlite3.Database, text: string) {
    statements.add(text)
    return prepare.call(this, text)
  } as typeof prepare
  uncalled = await callEvery(store)
  await store.ping()
  prototype.prepare = prepare
})
afterAll(() => db.destroy())

interface Plan {
  readonly statement: string
  readonly steps: readonly string[]
}

async function plans(): Promise<readonly Plan[]> {
  const sent = [...statements].filter((text) => /^(select|insert|update|delete)\b/i.test(text))
  return Promise.all(
    sent.map(async (statement) => {
      const values = Array.from({ length: statement.split('?').length - 1 }, () => null)
      const explain = CompiledQuery.raw(`explain query plan ${statement}`, values)
      const { rows } = await db.executeQuery(explain as CompiledQuery<{ detail: string }>)
      return { statement, steps: rows.map((row) => row.detail) }
    }),
  )
}

/** Why a step reads more than it should; undefined when it does not. */
function problemOf(step: string): string | undefined {
  const table = /^(?:SCAN|SEARCH) (\w+)/.exec(step)?.[1] ?? ''
  if (configured.has(table)) return undefined
  if (step.startsWith('SCAN')) return 'reads every row'
  if (step.startsWith('USE TEMP B-TREE')) return 'sorts what it has read'
  // Every row of a table may be one tenant's.
  if (/\(tenant=\?\)$/.test(step)) return 'reads every row of the tenant'
  return undefined
}

describe('every statement of every aggregate', () => {
  test('was sent', () => {
    expect(uncalled).toEqual([])
    expect(statements.size).toBeGreaterThan(60)
  })

  test('finds its rows by an index', async () => {
    const bad = (await plans()).flatMap(({ statement, steps }) => {
      if (justified.some(([pattern]) => pattern.test(statement))) return []
      return steps.map((step) => [problemOf(step), step, statement]).filter(([problem]) => problem !== undefined)
    })
    expect(bad).toEqual([])
  })

  test('the check would see a query without an index', async () => {
    for (const step of [
      'SCAN users',
      'USE TEMP B-TREE FOR ORDER BY',
      'SEARCH users USING INDEX users_email (tenant=?)',
    ])
      expect(problemOf(step)).toBeDefined()
    const [first] = (await plans()).filter(({ statement }) => /"secret_hash" = .*"idle_ends_at" >/.test(statement))
    expect(first?.steps.join()).toMatch(/^SEARCH sessions USING INDEX .* \(tenant=\? AND secret_hash=\?\)$/)
  })

  test('each exception still exists', () => {
    for (const [pattern] of justified) expect([...statements].some((text) => pattern.test(text))).toBe(true)
  })
})
