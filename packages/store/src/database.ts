/** Owns the connection to the database: opening, the promises about durability, migrations. */
import { closeSync, openSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { type Driver, Kysely, SqliteAdapter, SqliteDialect, type SqliteStatement } from 'kysely'
import { Migrator } from 'kysely/migration'
import { groupCommitDriver, type WritingDatabase } from './group_commit.ts'
import { migrations } from './migrations/index.ts'
import { addReader, openReader } from './reader.ts'
import type { Schema } from './schema.ts'

export type Database = Kysely<Schema>

/** A database address that cannot be used. The message says what to change. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

const statementCacheSize = 500

/**
 * Opens `sqlite:FILE` or `sqlite::memory:`.
 * @throws DatabaseError for any other address, or a file that cannot be opened
 */
export function openDatabase(address: string): Database {
  if (!address.startsWith('sqlite:')) {
    throw new DatabaseError(`The database ${JSON.stringify(scheme(address))} is not known: use sqlite:FILE`)
  }
  const file = address.slice('sqlite:'.length)
  const sqlite = openSqlite(file)
  const reader = isMemory(file) ? undefined : openReader(file)
  const close = () => {
    // The connection that may write is the last to go: it clears up the files beside the database.
    reader?.close()
    sqlite.close()
  }
  const db = new Kysely<Schema>({ dialect: new Dialect(cachedStatements(sqlite, close)) })
  if (reader !== undefined) addReader(db, reader)
  return db
}

/** SQLite rolls back changes of the schema like any other; Kysely does not count on it, and would leave half a migration behind. */
class Dialect extends SqliteDialect {
  readonly #database: WritingDatabase

  constructor(database: WritingDatabase) {
    super({ database })
    this.#database = database
  }

  override createDriver(): Driver {
    return groupCommitDriver(this.#database)
  }

  override createAdapter(): SqliteAdapter {
    return new Adapter()
  }
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** There is one, and the driver itself sees to whose turn it is. */
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

function openSqlite(file: string): BetterSqlite3.Database {
  try {
    makePrivate(file)
    const sqlite = new BetterSqlite3(file, { timeout: 5000 })
    sqlite.pragma('journal_mode = WAL')
    // Acknowledged means on the disk: every commit is synced (security rule "acknowledge only after commit").
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    if (sqlite.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted')
    return sqlite
  } catch (cause) {
    throw new DatabaseError(
      `The database file ${file} cannot be opened: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

function isMemory(file: string): boolean {
  return file === '' || file === ':memory:'
}

/** A database that is not there yet is made for its owner's eyes alone; the files beside it get the same mode from SQLite. */
function makePrivate(file: string): void {
  if (isMemory(file)) return
  try {
    closeSync(openSync(file, 'a', 0o600))
  } catch {
    // SQLite will say what is wrong with the file.
  }
}

/** Kysely prepares a statement at every call; keeping the prepared ones halves the cost of a small read. */
function cachedStatements(sqlite: BetterSqlite3.Database, close: () => void): WritingDatabase {
  const statements = new Map<string, SqliteStatement>()
  return {
    close,
    get inTransaction() {
      return sqlite.inTransaction
    },
    prepare(text) {
      const kept = statements.get(text)
      if (kept !== undefined) return kept
      const statement: SqliteStatement = sqlite.prepare(text)
      if (statements.size >= statementCacheSize) statements.delete(statements.keys().next().value ?? '')
      statements.set(text, statement)
      return statement
    },
  }
}

/**
 * Brings the schema up to date, in one transaction.
 * @returns the names of the migrations that ran
 * @throws DatabaseError when one fails; the schema is then as it was
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results } = await migrator.migrateToLatest()
  if (error !== undefined)
    throw new DatabaseError(`The database could not be migrated: ${String(error)}`, { cause: error })
  return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName)
}

/** Runs `work` in the transaction there is, or in one of its own. */
export function inTransaction<T>(db: Database, work: (db: Database) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}

/** The migrations that have not run yet. */
export async function pendingMigrations(db: Database): Promise<readonly string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  return (await migrator.getMigrations()).filter((one) => one.executedAt === undefined).map((one) => one.name)
}

function scheme(address: string): string {
  const colon = address.indexOf(':')
  return colon < 0 ? address : address.slice(0, colon + 1)
}
