/** Owns the table of device codes: what a device without a browser asked for, and what a person elsewhere said to it. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('device_codes')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('device_code_hash', 'text', (c) => c.notNull())
    .addColumn('user_code_hash', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('kept_until', 'bigint', (c) => c.notNull())
    .addColumn('poll_interval', 'integer', (c) => c.notNull())
    .addColumn('next_poll_at', 'bigint', (c) => c.notNull())
    .addColumn('patient', 'integer', (c) => c.notNull().defaultTo(1))
    .addColumn('decision', 'text')
    .addColumn('decided_at', 'bigint')
    .addColumn('authorization', 'text')
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('device_codes_pk', ['tenant', 'device_code_hash'])
    .execute()
  await db.schema
    .createIndex('device_codes_user_code')
    .on('device_codes')
    .columns(['tenant', 'user_code_hash'])
    .unique()
    .execute()
  await db.schema.createIndex('device_codes_kept').on('device_codes').columns(['tenant', 'kept_until']).execute()
}
