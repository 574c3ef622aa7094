/** Owns the table of the names that people have at clients which must not recognise them elsewhere. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('subjects')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('sub', 'text', (c) => c.notNull())
    .addColumn('sector', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('subjects_pk', ['tenant', 'sub'])
    .execute()
  await db.schema
    .createIndex('subjects_person')
    .on('subjects')
    .columns(['tenant', 'user_id', 'sector'])
    .unique()
    .execute()
}
