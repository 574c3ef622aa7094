/** Owns the counters behind every limit: one statement counts and reads, so that no two callers can both be the last allowed. */
import { sql } from 'kysely'
import type { Scope } from './scope.ts'

export interface Count {
  readonly count: number
  /** When the count begins again. */
  readonly ends_at: number
}

export type CounterStore = ReturnType<typeof counterStore>

export function counterStore({ db, tenant }: Scope) {
  return {
    /** Adds one; a count whose time is over begins again at one. */
    async add(counter_key: string, window_ms: number, now: number): Promise<Count> {
      const ends_at = now + window_ms
      return db
        .insertInto('counters')
        .values({ tenant, counter_key, count: 1, ends_at })
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'counter_key']).doUpdateSet({
            count: sql<number>`case when counters.ends_at <= ${now} then 1 else counters.count + 1 end`,
            ends_at: sql<number>`case when counters.ends_at <= ${now} then ${ends_at} else counters.ends_at end`,
          }),
        )
        .returning(['count', 'ends_at'])
        .executeTakeFirstOrThrow()
    },

    /** Takes one back: what was counted has not happened after all. */
    async takeBack(counter_key: string): Promise<void> {
      await db
        .updateTable('counters')
        .set((eb) => ({ count: eb('count', '-', 1) }))
        .where('tenant', '=', tenant)
        .where('counter_key', '=', counter_key)
        .where('count', '>', 0)
        .execute()
    },

    async read(counter_key: string, now: number): Promise<Count> {
      const row = await db
        .selectFrom('counters')
        .select(['count', 'ends_at'])
        .where('tenant', '=', tenant)
        .where('counter_key', '=', counter_key)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return row ?? { count: 0, ends_at: now }
    },

    async clear(counter_key: string): Promise<void> {
      await db.deleteFrom('counters').where('tenant', '=', tenant).where('counter_key', '=', counter_key).execute()
    },

    /** Clears every counter whose key begins with the text. */
    async clearAll(prefix: string): Promise<void> {
      await db
        .deleteFrom('counters')
        .where('tenant', '=', tenant)
        .where('counter_key', '>=', prefix)
        .where('counter_key', '<', `${prefix}\u{10ffff}`)
        .execute()
    },
  }
}
