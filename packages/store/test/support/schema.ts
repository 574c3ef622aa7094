/** Owns reading the schema that a database really has. */
import { sql } from 'kysely'
import type { Database } from '../../src/index.ts'

/** Each table with the statements that make it and its indexes. */
export async function schemaOf(db: Database): Promise<Record<string, readonly string[]>> {
  const { rows } = await sql<{
    name: string
    sql: string
  }>`select tbl_name as name, coalesce(sql, name) as sql from sqlite_master order by tbl_name, sqlite_master.name`.execute(
    db,
  )
  const tables: Record<string, string[]> = {}
  for (const row of rows) {
    const statements = tables[row.name] ?? []
    tables[row.name] = [...statements, row.sql]
  }
  return tables
}
