/** Owns the remembered yes: what a user allowed a client to do at an API. */
import { words } from '@latchkey/oauth'
import { inTransaction } from './database.ts'
import { prepared } from './prepared.ts'
import type { Scope } from './scope.ts'

export interface Grant {
  readonly grant_id: string
  readonly user_id: string
  readonly client_id: string
  readonly audience: string
  readonly scope: readonly string[]
}

export type GrantStore = ReturnType<typeof grantStore>

export function grantStore({ db, tenant }: Scope) {
  const scopeOf = prepared(db, () =>
    db
      .selectFrom('grants')
      .select('scope')
      .where('tenant', '=', '')
      .where('user_id', '=', '')
      .where('client_id', '=', '')
      .where('audience', '=', ''),
  )
  return {
    /** The scopes a user allowed, or undefined when the user was never asked. */
    async scope(user_id: string, client_id: string, audience: string): Promise<readonly string[] | undefined> {
      const [row] = await scopeOf(tenant, user_id, client_id, audience)
      return row === undefined ? undefined : words(row.scope)
    },

    /** Adds scopes to what was allowed before. */
    async allow(grant: Grant, now: number): Promise<void> {
      await inTransaction(db, async (trx) => {
        const row = await trx
          .selectFrom('grants')
          .select('scope')
          .where('tenant', '=', tenant)
          .where('user_id', '=', grant.user_id)
          .where('client_id', '=', grant.client_id)
          .where('audience', '=', grant.audience)
          .executeTakeFirst()
        const scope = [...new Set([...words(row?.scope), ...grant.scope])].join(' ')
        await trx
          .insertInto('grants')
          .values({ ...grant, tenant, scope, created_at: now, updated_at: now })
          .onConflict((c) =>
            c.columns(['tenant', 'user_id', 'client_id', 'audience']).doUpdateSet({ scope, updated_at: now }),
          )
          .execute()
      })
    },

    async list(user_id: string): Promise<readonly Grant[]> {
      const rows = await db
        .selectFrom('grants')
        .select(['grant_id', 'user_id', 'client_id', 'audience', 'scope'])
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .execute()
      return rows.map((row) => ({ ...row, scope: words(row.scope) }))
    },

    /** @returns whose grant to whom it was; undefined when there was no such grant */
    async revoke(grant_id: string): Promise<Pick<Grant, 'user_id' | 'client_id'> | undefined> {
      return db
        .deleteFrom('grants')
        .where('tenant', '=', tenant)
        .where('grant_id', '=', grant_id)
        .returning(['user_id', 'client_id'])
        .executeTakeFirst()
    },
  }
}
