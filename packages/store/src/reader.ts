/**
 * Owns the second connection to a database file, for the reads that every request makes: it sees what is committed and nothing else,
 * waits for no transaction of this process, and is asked without Kysely in between.
 */
import BetterSqlite3 from 'better-sqlite3'
import type { Database } from './database.ts'

export interface Reader {
  /** Every row that a statement finds. */
  rows(sql: string, values: readonly unknown[]): readonly unknown[]
  close(): void
}

const readers = new WeakMap<Database, Reader>()

/** The reader of a database. A database in memory has none, for it is one connection's alone; nor has a transaction. */
export function readerOf(db: Database): Reader | undefined {
  return readers.get(db)
}

export function addReader(db: Database, reader: Reader): void {
  readers.set(db, reader)
}

/** The connection is opened by the first read, when the file has its tables. */
export function openReader(file: string): Reader {
  const statements = new Map<string, BetterSqlite3.Statement>()
  let sqlite: BetterSqlite3.Database | undefined
  let closed = false
  const prepare = (sql: string): BetterSqlite3.Statement => {
    if (closed) throw new Error('The database is closed')
    sqlite ??= new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: 5000 })
    const statement = sqlite.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    rows: (sql, values) => (statements.get(sql) ?? prepare(sql)).all(values),
    close() {
      closed = true
      statements.clear()
      sqlite?.close()
    },
  }
}
