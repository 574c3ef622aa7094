/** Owns the signing keys: for each algorithm a next, a current and some previous ones. Private keys are stored sealed. */
import { inTransaction } from './database.ts'
import type { Scope } from './scope.ts'

export type KeyState = 'next' | 'current' | 'previous' | 'revoked'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly state: KeyState
  readonly public_jwk: Readonly<Record<string, unknown>>
  /** PKCS#8, PEM. */
  readonly private_key: string
  readonly created_at: number
}

export type SigningKeyStore = ReturnType<typeof signingKeyStore>

export function signingKeyStore({ db, tenant, vault }: Scope) {
  return {
    async list(): Promise<readonly SigningKey[]> {
      const rows = await db
        .selectFrom('signing_keys')
        .selectAll()
        .where('tenant', '=', tenant)
        .orderBy('created_at')
        .execute()
      return rows.map((row) => ({
        kid: row.kid,
        alg: row.alg,
        state: row.state as KeyState,
        public_jwk: JSON.parse(row.public_jwk) as Record<string, unknown>,
        private_key: vault.open(row.private_key),
        created_at: row.created_at,
      }))
    },

    /** Adds a key unless one with that algorithm and state is there already, as when two processes start at once. */
    async addIfMissing(key: SigningKey, now: number): Promise<boolean> {
      return inTransaction(db, async (trx) => {
        const there = await trx
          .selectFrom('signing_keys')
          .select('kid')
          .where('tenant', '=', tenant)
          .where('alg', '=', key.alg)
          .where('state', '=', key.state)
          .executeTakeFirst()
        if (there !== undefined) return false
        await trx
          .insertInto('signing_keys')
          .values({
            tenant,
            kid: key.kid,
            alg: key.alg,
            state: key.state,
            public_jwk: JSON.stringify(key.public_jwk),
            private_key: vault.seal(key.private_key),
            created_at: key.created_at,
            updated_at: now,
          })
          .execute()
        return true
      })
    },

    /** The algorithms whose current key has signed since then or longer. */
    async algorithmsSince(since: number): Promise<readonly string[]> {
      const rows = await db
        .selectFrom('signing_keys')
        .select('alg')
        .where('tenant', '=', tenant)
        .where('state', '=', 'current')
        .where('updated_at', '<=', since)
        .execute()
      return rows.map(({ alg }) => alg)
    },

    /**
     * next becomes current, current becomes previous, older previous ones go; `next_key` becomes next.
     * @param previous_since older ones go only if they have been previous since then or longer; without it all of them
     * @returns false when another process rotated first
     */
    async rotate(
      alg: string,
      current_kid: string,
      next_key: SigningKey,
      now: number,
      previous_since = Number.MAX_SAFE_INTEGER,
    ): Promise<boolean> {
      return inTransaction(db, async (trx) => {
        const set = (from: KeyState, to: KeyState) =>
          trx
            .updateTable('signing_keys')
            .set({ state: to, updated_at: now })
            .where('tenant', '=', tenant)
            .where('alg', '=', alg)
            .where('state', '=', from)
        const before = await set('current', 'previous').where('kid', '=', current_kid).executeTakeFirst()
        if (before.numUpdatedRows === 0n) return false
        await trx
          .updateTable('signing_keys')
          .set({ state: 'revoked', updated_at: now })
          .where('tenant', '=', tenant)
          .where('alg', '=', alg)
          .where('state', '=', 'previous')
          .where('kid', '!=', current_kid)
          .where('updated_at', '<=', previous_since)
          .execute()
        await set('next', 'current').execute()
        await trx
          .insertInto('signing_keys')
          .values({
            tenant,
            kid: next_key.kid,
            alg,
            state: 'next',
            public_jwk: JSON.stringify(next_key.public_jwk),
            private_key: vault.seal(next_key.private_key),
            created_at: next_key.created_at,
            updated_at: now,
          })
          .execute()
        return true
      })
    },

    async revoke(kid: string, now: number): Promise<boolean> {
      const result = await db
        .updateTable('signing_keys')
        .set({ state: 'revoked', updated_at: now })
        .where('tenant', '=', tenant)
        .where('kid', '=', kid)
        .where('state', '=', 'previous')
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
  }
}
