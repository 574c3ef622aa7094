/** Owns what the tests of tenant files share: a fresh store, and reading a file's problems as lines. */
import { randomBytes } from 'node:crypto'
import { openPasswords } from '@latchkey/identity'
import { type Database, migrate, openDatabase, openStore, openVault, type Store } from '@latchkey/store'
import { filesBeside, type Plan, type PlanOptions, planTenant, TenantFileError } from '../src/tenant_file/index.ts'

export const passwords = openPasswords({ threads: 1 })

export const random = (bytes: number) => randomBytes(bytes).toString('base64url')

export interface Fixture {
  readonly db: Database
  readonly store: Store
  /** Milliseconds since 1970; a test may move it. */
  now: number
  plan(text: string, more?: Partial<PlanOptions>): Promise<Plan>
  apply(text: string, more?: Partial<PlanOptions>): Promise<Plan>
  /** The problems of a file, a line each; empty when it can be applied. */
  problems(text: string, more?: Partial<PlanOptions>): Promise<readonly string[]>
}

const read_file = filesBeside(import.meta.filename)

export async function openFixture(database = 'sqlite::memory:'): Promise<Fixture> {
  const db = openDatabase(database)
  await migrate(db)
  const store = openStore(db, 'default', openVault(['s'.repeat(40)]))
  const fixture: Fixture = {
    db,
    store,
    now: Date.UTC(2026, 0, 1),
    plan: (text, more) =>
      planTenant(text, { keywords: {}, read_file, store, now: () => fixture.now, random, passwords, ...more }),
    async apply(text, more) {
      const made = await fixture.plan(text, more)
      await made.apply()
      return made
    },
    async problems(text, more) {
      try {
        await fixture.plan(text, more)
        return []
      } catch (error) {
        if (error instanceof TenantFileError) return error.message.split('\n')
        throw error
      }
    },
  }
  return fixture
}
