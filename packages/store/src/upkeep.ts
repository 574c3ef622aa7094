/** Owns what is done beside requests: dropping what has ended, and counting how each client is used. */
import { sql } from 'kysely'
import type { Scope } from './scope.ts'

const batch = 1000

const ending = [
  { table: 'transactions', key: 'state_hash', end: 'ends_at' },
  { table: 'access_tokens', key: 'token_hash', end: 'ends_at' },
  { table: 'token_claims', key: 'token_hash', end: 'ends_at' },
  { table: 'codes', key: 'code_hash', end: 'kept_until' },
  { table: 'pushed_requests', key: 'request_hash', end: 'kept_until' },
  { table: 'refresh_tokens', key: 'family_id', end: 'idle_ends_at' },
  { table: 'revocations', key: 'revoked_id', end: 'ends_at' },
  { table: 'registration_tokens', key: 'token_hash', end: 'ends_at' },
  { table: 'used_ids', key: 'id_hash', end: 'ends_at' },
  { table: 'session_clients', key: 'sid', end: 'ends_at' },
  { table: 'device_codes', key: 'device_code_hash', end: 'kept_until' },
  { table: 'tickets', key: 'ticket_hash', end: 'ends_at' },
  { table: 'counters', key: 'counter_key', end: 'ends_at' },
  { table: 'sessions', key: 'session_id', end: 'idle_ends_at' },
] as const

/** Milliseconds that a mail stays which was sent, or which nobody sends: the links in it are long over. */
const mailsStay = 7 * 86_400_000

export type UpkeepStore = ReturnType<typeof upkeepStore>

export function upkeepStore({ db, tenant }: Scope) {
  async function sweepMails(before: number): Promise<number> {
    const old = () => db.selectFrom('mails').select('mail_id').where('tenant', '=', tenant).limit(batch)
    const unsent = old().where('sent_at', 'is', null).where('next_attempt_at', '<=', before)
    let gone = 0n
    for (const due of [old().where('sent_at', '<=', before), unsent]) {
      const { numDeletedRows } = await db
        .deleteFrom('mails')
        .where('tenant', '=', tenant)
        .where('mail_id', 'in', due)
        .executeTakeFirstOrThrow()
      gone += numDeletedRows
    }
    return Number(gone)
  }

  return {
    /** Drops rows whose time is over, at most a batch of each table. @returns how many went */
    async sweep(now: number): Promise<number> {
      let gone = 0
      for (const { table, key, end } of ending) {
        const due = sql`select ${sql.ref(key)} from ${sql.table(table)} where tenant = ${tenant} and ${sql.ref(end)} <= ${now} limit ${batch}`
        const result =
          await sql`delete from ${sql.table(table)} where tenant = ${tenant} and ${sql.ref(key)} in (${due})`.execute(
            db,
          )
        gone += Number(result.numAffectedRows ?? 0n)
      }
      return gone + (await sweepMails(now - mailsStay))
    },

    /** Adds to the number of answers a client got on a day, by response type. */
    async countUse(client_id: string, response_type: string, day: string, count: number): Promise<void> {
      await db
        .insertInto('usage')
        .values({ tenant, client_id, response_type, day, count })
        .onConflict((c) =>
          c
            .columns(['tenant', 'client_id', 'response_type', 'day'])
            .doUpdateSet((eb) => ({ count: eb('usage.count', '+', count) })),
        )
        .execute()
    },

    async usage(client_id: string): Promise<readonly { response_type: string; day: string; count: number }[]> {
      return db
        .selectFrom('usage')
        .select(['response_type', 'day', 'count'])
        .where('tenant', '=', tenant)
        .where('client_id', '=', client_id)
        .orderBy('day')
        .execute()
    },
  }
}
