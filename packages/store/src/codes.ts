/** Owns the authorization codes. One code is taken once; a used one is remembered for a while, so that its second use is seen. */
import { firstOf, prepared } from './prepared.ts'
import type { Scope } from './scope.ts'

export interface NewCode {
  /** What revoking everything that came of this code goes by. */
  readonly lineage: string
  readonly client_id: string
  /** Who allowed what, as its owner wrote it. */
  readonly authorization: string
  readonly ends_at: number
  /** Until when its second use is noticed. */
  readonly kept_until: number
}

export interface StoredCode {
  readonly lineage: string
  readonly client_id: string
  readonly authorization: string
  readonly ends_at: number
  readonly used: boolean
}

export type CodeStore = ReturnType<typeof codeStore>

export function codeStore({ db, tenant, vault }: Scope) {
  const byHash = prepared(db, () =>
    db
      .selectFrom('codes')
      .select(['lineage', 'client_id', 'authorization', 'ends_at', 'used_at'])
      .where('tenant', '=', '')
      .where('code_hash', '=', ''),
  )
  return {
    async create(code: string, row: NewCode, now: number): Promise<void> {
      await db
        .insertInto('codes')
        .values({ ...row, tenant, code_hash: vault.hash('code', code), created_at: now })
        .execute()
    },

    /** Looks without taking: the code as it stands, used or over. */
    async peek(code: string): Promise<StoredCode | undefined> {
      const row = await firstOf(vault.hashes('code', code), (hash) => byHash(tenant, hash))
      if (row === undefined) return undefined
      const { used_at, ...rest } = row
      return { ...rest, used: used_at !== null }
    },

    /** Takes the code; only the first caller gets it. To be called in the transaction of what it yields. */
    async take(code: string, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('codes')
        .set({ used_at: now })
        .where('tenant', '=', tenant)
        .where('code_hash', 'in', vault.hashes('code', code))
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .returning('code_hash')
        .execute()
      return rows.length > 0
    },
  }
}
