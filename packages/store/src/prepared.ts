/** Owns the compiling of hot reads: the text is built once, when it is first needed, and each call only binds its values. */
import { type Compilable, CompiledQuery } from 'kysely'
import type { Database } from './database.ts'
import { readerOf } from './reader.ts'

/**
 * @param query makes the query with stand-in values, which must appear in the order of the parameters
 * @returns a function that runs the query with values in that order
 */
export function prepared<Row>(
  db: Database,
  query: () => Compilable<Row>,
): (...values: unknown[]) => readonly Row[] | Promise<readonly Row[]> {
  const reader = readerOf(db)
  let sql: string | undefined
  return (...values) => {
    sql ??= query().compile().sql
    if (reader !== undefined) return reader.rows(sql, values) as readonly Row[]
    return db.executeQuery(CompiledQuery.raw(sql, values) as CompiledQuery<Row>).then(({ rows }) => rows)
  }
}

/** The first row that is found under one of several keys, such as the hashes of a value by each secret of the server. */
export async function firstOf<Row>(
  keys: readonly string[],
  find: (key: string) => readonly Row[] | Promise<readonly Row[]>,
): Promise<Row | undefined> {
  for (const key of keys) {
    const [row] = await find(key)
    if (row !== undefined) return row
  }
  return undefined
}
