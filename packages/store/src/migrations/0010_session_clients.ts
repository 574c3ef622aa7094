/** Owns the table of the clients that a session gave tokens to, which is also the outbox of their logout tokens. */
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('session_clients')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('sid', 'text', (c) => c.notNull())
    .addColumn('client_id', 'text', (c) => c.notNull())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('issuer', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('next_attempt_at', 'bigint')
    .addColumn('failure', 'text')
    .addPrimaryKeyConstraint('session_clients_pk', ['tenant', 'sid', 'client_id'])
    .execute()
  const index = (name: string, columns: readonly string[]) =>
    db.schema
      .createIndex(`session_clients_${name}`)
      .on('session_clients')
      .columns(['tenant', ...columns])
      .execute()
  await index('session', ['session_id'])
  await index('user', ['user_id'])
  await index('due', ['next_attempt_at'])
  await index('end', ['ends_at'])
}
