/** Owns the opaque access tokens: those that `/userinfo` alone understands. */
import { firstOf, prepared } from './prepared.ts'
import type { Scope } from './scope.ts'

export interface AccessToken {
  readonly client_id: string
  readonly user_id: string
  readonly session_id?: string
  readonly audience: readonly string[]
  readonly scope: string
  readonly issued_at: number
  readonly ends_at: number
  /** What it was issued together with: revoking one revokes all. */
  readonly lineage?: string
  /** What else was decided about it, as its owner wrote it. */
  readonly details?: string
}

export type AccessTokenStore = ReturnType<typeof accessTokenStore>

export function accessTokenStore({ db, tenant, vault }: Scope) {
  const byHash = prepared(db, () =>
    db
      .selectFrom('access_tokens')
      .selectAll()
      .where('tenant', '=', '')
      .where('token_hash', '=', '')
      .where('ends_at', '>', 0),
  )
  return {
    async create(token: string, { session_id, audience, lineage, details, ...rest }: AccessToken): Promise<void> {
      await db
        .insertInto('access_tokens')
        .values({
          ...rest,
          tenant,
          token_hash: vault.hash('access_token', token),
          session_id: session_id ?? null,
          lineage: lineage ?? null,
          details: details ?? null,
          audience: JSON.stringify(audience),
        })
        .execute()
    },

    async find(token: string, now: number): Promise<AccessToken | undefined> {
      const row = await firstOf(vault.hashes('access_token', token), (hash) => byHash(tenant, hash, now))
      if (row === undefined) return undefined
      const { session_id, lineage, details, audience, client_id, user_id, scope, issued_at, ends_at } = row
      return {
        ...{ client_id, user_id, scope, issued_at, ends_at, audience: JSON.parse(audience) as string[] },
        ...(session_id === null ? {} : { session_id }),
        ...(lineage === null ? {} : { lineage }),
        ...(details === null ? {} : { details }),
      }
    },

    async revoke(token: string): Promise<void> {
      await db
        .deleteFrom('access_tokens')
        .where('tenant', '=', tenant)
        .where('token_hash', 'in', vault.hashes('access_token', token))
        .execute()
    },

    async revokeLineage(lineage: string): Promise<void> {
      await db.deleteFrom('access_tokens').where('tenant', '=', tenant).where('lineage', '=', lineage).execute()
    },

    async revokeAllOf(user_id: string): Promise<void> {
      await db.deleteFrom('access_tokens').where('tenant', '=', tenant).where('user_id', '=', user_id).execute()
    },
  }
}
