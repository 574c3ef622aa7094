/** Owns the table of former passwords, for connections whose policy looks back at them. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('former_passwords')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('replaced_at', 'bigint', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('former_passwords_pk', ['tenant', 'user_id', 'replaced_at', 'password_hash'])
    .execute()
}
