/** Owns the compiling of hot queries: the text is built once, and each call only binds its values. */
import { type Compilable, CompiledQuery } from 'kysely'
import type { Database } from './database.ts'

/**
 * @param query the query with stand-in values, which must appear in the order of the parameters
 * @returns a function that runs the query with values in that order
 */
export function prepared<Row>(db: Database, query: Compilable<Row>): (...values: unknown[]) => Promise<readonly Row[]> {
  const { sql } = query.compile()
  return async (...values) => (await db.executeQuery(CompiledQuery.raw(sql, values) as CompiledQuery<Row>)).rows
}
