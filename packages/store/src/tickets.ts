/** Owns the one-time tickets that travel by mail. Only the newest of a kind is valid, and it works once. */
import { inTransaction } from './database.ts'
import type { Scope } from './scope.ts'

export type TicketKind = 'verify_email' | 'reset_password' | 'unblock'

export interface Ticket {
  readonly user_id: string
  readonly details: Readonly<Record<string, string>>
}

export type TicketStore = ReturnType<typeof ticketStore>

export function ticketStore({ db, tenant, vault }: Scope) {
  const key = (kind: TicketKind, ticket: string) => vault.hashes(`ticket ${kind}`, ticket)
  return {
    /** Writes a ticket and ends the older ones of the same kind and user. */
    async create(
      kind: TicketKind,
      ticket: string,
      { user_id, details }: Ticket,
      ends_at: number,
      now: number,
    ): Promise<void> {
      await inTransaction(db, async (trx) => {
        await trx
          .updateTable('tickets')
          .set({ used_at: now })
          .where('tenant', '=', tenant)
          .where('user_id', '=', user_id)
          .where('kind', '=', kind)
          .where('used_at', 'is', null)
          .execute()
        await trx
          .insertInto('tickets')
          .values({
            tenant,
            ticket_hash: vault.hash(`ticket ${kind}`, ticket),
            kind,
            user_id,
            details: JSON.stringify(details),
            created_at: now,
            ends_at,
          })
          .execute()
      })
    },

    /** Ends every ticket of a user: what was mailed before counts no more. */
    async endAllOf(user_id: string, now: number): Promise<void> {
      await db
        .updateTable('tickets')
        .set({ used_at: now })
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .where('used_at', 'is', null)
        .execute()
    },

    /** Looks without taking, for the page that asks the person to confirm. */
    async peek(kind: TicketKind, ticket: string, now: number): Promise<Ticket | undefined> {
      const row = await db
        .selectFrom('tickets')
        .select(['user_id', 'details'])
        .where('tenant', '=', tenant)
        .where('ticket_hash', 'in', key(kind, ticket))
        .where('kind', '=', kind)
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return row === undefined ? undefined : ticketOf(row)
    },

    /** The one ticket of a kind that a user can still use, if there is one. */
    async newest(user_id: string, kind: TicketKind, now: number): Promise<Ticket | undefined> {
      const row = await db
        .selectFrom('tickets')
        .select(['user_id', 'details'])
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .where('kind', '=', kind)
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return row === undefined ? undefined : ticketOf(row)
    },

    /** Takes the ticket; only the first caller gets it. To be called in the transaction of what it allows. */
    async take(kind: TicketKind, ticket: string, now: number): Promise<Ticket | undefined> {
      const [row] = await db
        .updateTable('tickets')
        .set({ used_at: now })
        .where('tenant', '=', tenant)
        .where('ticket_hash', 'in', key(kind, ticket))
        .where('kind', '=', kind)
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .returning(['user_id', 'details'])
        .execute()
      return row === undefined ? undefined : ticketOf(row)
    },
  }
}

function ticketOf({ user_id, details }: { readonly user_id: string; readonly details: string }): Ticket {
  return { user_id, details: JSON.parse(details) as Record<string, string> }
}
