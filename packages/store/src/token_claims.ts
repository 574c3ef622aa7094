/** Owns the claims that rules put beside an access token, for `/userinfo`, where rules do not run. */
import type { Scope } from './scope.ts'

export type TokenClaims = Readonly<Record<string, unknown>>

export type TokenClaimStore = ReturnType<typeof tokenClaimStore>

export function tokenClaimStore({ db, tenant, vault }: Scope) {
  return {
    /** @param ends_at when the token does, in milliseconds since 1970 */
    async create(token: string, claims: TokenClaims, ends_at: number): Promise<void> {
      await db
        .insertInto('token_claims')
        .values({
          tenant,
          token_hash: vault.hash('token_claims', token),
          claims: JSON.stringify(claims),
          ends_at,
        })
        // Two tokens of one second can be the same text, and then they have the same claims beside them or newer ones.
        .onConflict((c) => c.columns(['tenant', 'token_hash']).doUpdateSet({ claims: JSON.stringify(claims) }))
        .execute()
    },

    async find(token: string, now: number): Promise<TokenClaims> {
      const row = await db
        .selectFrom('token_claims')
        .select('claims')
        .where('tenant', '=', tenant)
        .where('token_hash', 'in', vault.hashes('token_claims', token))
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return row === undefined ? {} : (JSON.parse(row.claims) as TokenClaims)
    },
  }
}
