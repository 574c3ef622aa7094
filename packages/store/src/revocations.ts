/** Owns what was revoked of the tokens that verify by themselves: the ids that count no more, as long as a token could carry them. */
import { prepared } from './prepared.ts'
import type { Scope } from './scope.ts'

export type RevocationStore = ReturnType<typeof revocationStore>

export function revocationStore({ db, tenant }: Scope) {
  const either = prepared(db, () =>
    db
      .selectFrom('revocations')
      .select('revoked_id')
      .where('tenant', '=', '')
      .where('revoked_id', 'in', ['', ''])
      .limit(1),
  )
  return {
    /** @param ends_at when the last token that may carry the id is over, in milliseconds since 1970 */
    async add(revoked_id: string, ends_at: number): Promise<void> {
      await db
        .insertInto('revocations')
        .values({ tenant, revoked_id, ends_at })
        .onConflict((c) =>
          c.columns(['tenant', 'revoked_id']).doUpdateSet((eb) => ({
            ends_at: eb.fn<number>('max', ['revocations.ends_at', eb.val(ends_at)]),
          })),
        )
        .execute()
    },

    /** True when either id was revoked. */
    async has(one: string, other: string): Promise<boolean> {
      return (await either(tenant, one, other, 1)).length > 0
    },
  }
}
