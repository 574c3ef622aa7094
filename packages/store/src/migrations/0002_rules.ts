/** Owns the tables of rules, and what a rule's outcome adds to a trip and to an access token. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('rules')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('settings', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('rules_pk', ['tenant', 'id'])
    .addUniqueConstraint('rules_name', ['tenant', 'name'])
    .execute()
  await db.schema
    .createTable('rules_configs')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('config_key', 'text', (c) => c.notNull())
    .addColumn('sealed_value', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('rules_configs_pk', ['tenant', 'config_key'])
    .execute()
  await db.schema
    .createTable('token_claims')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull())
    .addColumn('claims', 'text', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('token_claims_pk', ['tenant', 'token_hash'])
    .execute()
  await db.schema.createIndex('token_claims_end').on('token_claims').columns(['tenant', 'ends_at']).execute()
  await db.schema.alterTable('transactions').addColumn('rules', 'text').execute()
}
