/** Owns the stores of these tests: the same suite runs over a real file and in memory. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Database, migrate, openDatabase, openStore, openVault, type Store, type Vault } from '../../src/index.ts'

export const kinds = ['a file', 'memory'] as const
export type Kind = (typeof kinds)[number]

export const secrets = { old: 'o'.repeat(32), current: 'c'.repeat(40), other: 'x'.repeat(32) } as const
export const vault: Vault = openVault([secrets.current])
export const now = 1_800_000_000_000

export interface Opened {
  readonly address: string
  readonly db: Database
  /** Of the tenant `one`, which has a row. */
  readonly store: Store
  /** The same database with another tenant or other secrets. */
  storeOf(tenant: string, keys?: Vault): Store
}

/** A database for the tests of a group, gone after them. */
export function useStore(kind: Kind): Opened {
  let opened: { address: string; db: Database; store: Store } | undefined
  const here = () => {
    if (opened === undefined) throw new Error('The store is opened by a hook: use it inside a test')
    return opened
  }
  let directory: string | undefined
  beforeAll(async () => {
    directory = kind === 'memory' ? undefined : temporaryDirectory()
    const address = directory === undefined ? 'sqlite::memory:' : `sqlite:${join(directory, 'latchkey.sqlite')}`
    const db = openDatabase(address)
    await migrate(db)
    const store = openStore(db, 'one', vault)
    await store.configuration.ensureTenant(now)
    opened = { address, db, store }
  })
  afterAll(async () => {
    await opened?.db.destroy()
    if (directory !== undefined) rmSync(directory, { recursive: true })
  })
  return {
    get address() {
      return here().address
    },
    get db() {
      return here().db
    },
    get store() {
      return here().store
    },
    storeOf: (tenant, keys = vault) => openStore(here().db, tenant, keys),
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'latchkey-store-'))
}

/** A text nobody used before. */
export function fresh(prefix = ''): string {
  return `${prefix}${randomBytes(9).toString('base64url')}`
}

/** As many calls at once as asked for. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)))
}
