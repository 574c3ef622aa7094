/**
 * Owns which clients a session gave tokens to, of those that want to hear of its end. When the session ends, its rows become the
 * outbox of the logout tokens: they stay until each client has heard, or its time is over.
 */
import type { Selectable } from 'kysely'
import type { SessionClientTable } from './schema.ts'
import type { Scope } from './scope.ts'

/** Milliseconds that a client is tried after the session has ended. */
const triedFor = 86_400_000

export interface SessionClient {
  /** The session as the client's tokens name it; see `carryOver`. */
  readonly sid: string
  readonly client_id: string
  readonly user_id: string
  /** The name of the server under which the client got its tokens. */
  readonly issuer: string
}

/** A client that is to be told. */
export interface LogoutNotice extends SessionClient {
  readonly attempts: number
  /** When nobody tries any more, in milliseconds since 1970. */
  readonly ends_at: number
}

export type SessionClientStore = ReturnType<typeof sessionClientStore>

export function sessionClientStore({ db, tenant }: Scope) {
  const ending = (now: number) =>
    db
      .updateTable('session_clients')
      .set({ next_attempt_at: now, ends_at: now + triedFor })
      .where('tenant', '=', tenant)
      .where('next_attempt_at', 'is', null)

  return {
    /** Writes down that a live session gave a client tokens, the first time it does. A look comes first: it needs no write lock. */
    async remember(session_id: string, client_id: string, issuer: string, now: number): Promise<void> {
      const known = await db
        .selectFrom('session_clients')
        .select('sid')
        .where('tenant', '=', tenant)
        .where('sid', '=', session_id)
        .where('client_id', '=', client_id)
        .executeTakeFirst()
      if (known !== undefined) return
      await db
        .insertInto('session_clients')
        .columns(['tenant', 'sid', 'client_id', 'session_id', 'user_id', 'issuer', 'created_at', 'ends_at'])
        .expression((eb) =>
          eb
            .selectFrom('sessions')
            .select((of) => [
              'tenant',
              'session_id as sid',
              of.val(client_id).as('client_id'),
              'session_id',
              'user_id',
              of.val(issuer).as('issuer'),
              of.val(now).as('created_at'),
              'ends_at',
            ])
            .where('tenant', '=', tenant)
            .where('session_id', '=', session_id),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    /** The clients of a session that has not ended. */
    async list(session_id: string): Promise<readonly SessionClient[]> {
      return db
        .selectFrom('session_clients')
        .select(['sid', 'client_id', 'user_id', 'issuer'])
        .where('tenant', '=', tenant)
        .where('session_id', '=', session_id)
        .where('next_attempt_at', 'is', null)
        .execute()
    },

    /** The same person signed in again: the clients of the old session are the new one's, under the name they know. */
    async carryOver(from: string, to: string): Promise<void> {
      await db
        .updateTable('session_clients')
        .set((eb) => ({
          session_id: to,
          ends_at: eb.fn.coalesce(
            eb
              .selectFrom('sessions')
              .select('sessions.ends_at')
              .where('sessions.tenant', '=', tenant)
              .where('sessions.session_id', '=', to),
            'session_clients.ends_at',
          ),
        }))
        .where('tenant', '=', tenant)
        .where('session_id', '=', from)
        .where('next_attempt_at', 'is', null)
        .execute()
    },

    /** The session has ended: its clients are to be told. */
    async end(session_id: string, now: number): Promise<void> {
      await ending(now).where('session_id', '=', session_id).execute()
    },

    async endAllOf(user_id: string, now: number): Promise<void> {
      await ending(now).where('user_id', '=', user_id).execute()
    },

    /** Takes a notice that is due, and keeps others from taking it until `until`. */
    async takeDue(now: number, until: number): Promise<LogoutNotice | undefined> {
      const [row] = await db
        .updateTable('session_clients')
        .set((eb) => ({ attempts: eb('attempts', '+', 1), next_attempt_at: until }))
        .where('tenant', '=', tenant)
        .where('next_attempt_at', '<=', now)
        .where('ends_at', '>', now)
        .where((eb) =>
          eb(
            eb.refTuple('sid', 'client_id'),
            '=',
            eb
              .selectFrom('session_clients')
              .select(['sid', 'client_id'])
              .where('tenant', '=', tenant)
              .where('next_attempt_at', '<=', now)
              .where('ends_at', '>', now)
              .orderBy('next_attempt_at')
              .limit(1)
              .$asTuple('sid', 'client_id'),
          ),
        )
        .returningAll()
        .execute()
      return row === undefined ? undefined : noticeOf(row)
    },

    /** The client has heard, or need not. */
    async told(sid: string, client_id: string): Promise<void> {
      await db
        .deleteFrom('session_clients')
        .where('tenant', '=', tenant)
        .where('sid', '=', sid)
        .where('client_id', '=', client_id)
        .execute()
    },

    async failed(sid: string, client_id: string, failure: string, next_attempt_at: number): Promise<void> {
      await db
        .updateTable('session_clients')
        .set({ failure: failure.slice(0, 500), next_attempt_at })
        .where('tenant', '=', tenant)
        .where('sid', '=', sid)
        .where('client_id', '=', client_id)
        .execute()
    },
  }
}

function noticeOf({ sid, client_id, user_id, issuer, attempts, ends_at }: Selectable<SessionClientTable>) {
  return { sid, client_id, user_id, issuer, attempts, ends_at } satisfies LogoutNotice
}
