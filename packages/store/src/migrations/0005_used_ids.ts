/** Owns the table of ids that may be used once: of client assertions, of proofs of possession. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('used_ids')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('id_hash', 'text', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('used_ids_pk', ['tenant', 'id_hash'])
    .execute()
  await db.schema.createIndex('used_ids_end').on('used_ids').columns(['tenant', 'ends_at']).execute()
}
