/** Owns the hashes of passwords that a user had before. */
import type { Scope } from './scope.ts'

export type FormerPasswordStore = ReturnType<typeof formerPasswordStore>

export function formerPasswordStore({ db, tenant }: Scope) {
  return {
    /** The newest first. */
    async list(user_id: string, limit: number): Promise<readonly string[]> {
      const rows = await db
        .selectFrom('former_passwords')
        .select('password_hash')
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .orderBy('replaced_at', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => row.password_hash)
    },

    /** Adds the hash that was replaced just now, and drops those that nobody looks back at any more. */
    async add(user_id: string, password_hash: string, keep: number, now: number): Promise<void> {
      await db
        .insertInto('former_passwords')
        .values({ tenant, user_id, password_hash, replaced_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      const kept = db
        .selectFrom('former_passwords')
        .select('replaced_at')
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .orderBy('replaced_at', 'desc')
        .limit(keep)
      await db
        .deleteFrom('former_passwords')
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .where('replaced_at', 'not in', kept)
        .execute()
    },
  }
}
