/** Owns the tokens of client registration: one that lets a client register itself, and one that lets it change itself. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('registration_tokens')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text')
    .addColumn('uses_left', 'integer')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('registration_tokens_pk', ['tenant', 'token_hash'])
    .execute()
  await db.schema
    .createIndex('registration_tokens_client')
    .on('registration_tokens')
    .columns(['tenant', 'kind', 'client_id'])
    .execute()
  await db.schema
    .createIndex('registration_tokens_end')
    .on('registration_tokens')
    .columns(['tenant', 'ends_at'])
    .execute()
}
