/** Owns the ids that strangers make up and that may be used once, such as the `jti` of a client assertion. */
import type { Scope } from './scope.ts'

export type UsedIdStore = ReturnType<typeof usedIdStore>

export function usedIdStore({ db, tenant, vault }: Scope) {
  return {
    /**
     * Takes an id; only the first caller gets it.
     * @param kind what it is an id of, with the name of whoever made it up
     * @param ends_at when what carries the id is over by itself, in milliseconds since 1970
     */
    async take(kind: string, id: string, ends_at: number): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('used_ids')
        .values({ tenant, id_hash: vault.hash(`used id ${kind}`, id), ends_at })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },
  }
}
