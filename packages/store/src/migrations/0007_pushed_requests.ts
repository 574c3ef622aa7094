/** Owns the table of pushed authorization requests, and the sealed secret of clients that prove it by signing with it. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema.alterTable('clients').addColumn('secret_sealed', 'text').execute()
  await db.schema
    .createTable('pushed_requests')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('kept_until', 'bigint', (c) => c.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('pushed_requests_pk', ['tenant', 'request_hash'])
    .execute()
  await db.schema.createIndex('pushed_requests_kept').on('pushed_requests').columns(['tenant', 'kept_until']).execute()
}
