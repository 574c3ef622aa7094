/** Owns the signed-in browsers. The cookie's secret is stored as a keyed hash; a second secret serves silent authentication only. */
import { type Database, inTransaction } from './database.ts'
import { prepared } from './prepared.ts'
import { refreshTokenStore } from './refresh_tokens.ts'
import type { Scope } from './scope.ts'
import { sessionClientStore } from './session_clients.ts'
import { type User, userStore } from './users.ts'

export interface Session {
  readonly session_id: string
  readonly user_id: string
  /** Seconds since 1970. */
  readonly auth_time: number
  readonly amr: readonly string[]
  readonly created_at: number
  readonly seen_at: number
  readonly idle_ends_at: number
  readonly ends_at: number
}

export interface NewSession {
  readonly session_id: string
  readonly secret: string
  readonly silent_secret: string
  readonly user_id: string
  readonly auth_time: number
  readonly amr: readonly string[]
  readonly idle_ends_at: number
  readonly ends_at: number
}

export interface SignedIn {
  readonly session: Session
  readonly user: User
}

export type SessionStore = ReturnType<typeof sessionStore>

export function sessionStore({ db, tenant, vault }: Scope) {
  // Two reads by key: SQLite takes several times as long for the same two rows as a join.
  const live = (column: 'secret_hash' | 'silent_hash') =>
    prepared(db, () =>
      db
        .selectFrom('sessions')
        .select(['session_id', 'user_id', 'auth_time', 'amr', 'created_at', 'seen_at', 'idle_ends_at', 'ends_at'])
        .where('tenant', '=', '')
        .where(column, '=', '')
        .where('idle_ends_at', '>', 0)
        .where('ends_at', '>', 0),
    )
  const byId = prepared(db, () =>
    db
      .selectFrom('sessions')
      .select('session_id')
      .where('tenant', '=', '')
      .where('session_id', '=', '')
      .where('idle_ends_at', '>', 0)
      .where('ends_at', '>', 0),
  )
  const bySecret = live('secret_hash')
  const bySilentSecret = live('silent_hash')
  const users = userStore({ db, tenant, vault })

  const endings = (trx: Database) => ({
    sessionClients: sessionClientStore({ db: trx, tenant, vault }),
    refreshTokens: refreshTokenStore({ db: trx, tenant, vault }),
  })

  async function find(
    query: typeof bySecret,
    kind: string,
    secret: string,
    now: number,
  ): Promise<SignedIn | undefined> {
    for (const hash of vault.hashes(kind, secret)) {
      const [row] = await query(tenant, hash, now, now)
      const user = row === undefined ? undefined : await users.find(row.user_id)
      if (row !== undefined && user !== undefined) {
        return { session: { ...row, amr: JSON.parse(row.amr) as string[] }, user }
      }
    }
    return undefined
  }

  return {
    /** The live session of a cookie, with its user. */
    find: (secret: string, now: number) => find(bySecret, 'session', secret, now),

    /** The live session of the cookie that only silent authentication may use. */
    findSilent: (secret: string, now: number) => find(bySilentSecret, 'silent', secret, now),

    /** True while the session has not ended. */
    async isLive(session_id: string, now: number): Promise<boolean> {
      return (await byId(tenant, session_id, now, now)).length > 0
    },

    async create(session: NewSession, now: number): Promise<void> {
      const { secret, silent_secret, amr, ...rest } = session
      await db
        .insertInto('sessions')
        .values({
          ...rest,
          tenant,
          secret_hash: vault.hash('session', secret),
          silent_hash: vault.hash('silent', silent_secret),
          amr: JSON.stringify(amr),
          created_at: now,
          seen_at: now,
        })
        .execute()
    },

    /** Moves the idle end. Never past the absolute one, and never for a session that has ended. */
    async see(session_id: string, idle_ends_at: number, now: number): Promise<void> {
      await db
        .updateTable('sessions')
        .set({ seen_at: now, idle_ends_at })
        .where('tenant', '=', tenant)
        .where('session_id', '=', session_id)
        .where('idle_ends_at', '>', now)
        .execute()
    },

    /** Ends a session, and the refresh tokens that live as long as it does; its clients are to be told. */
    async end(session_id: string, now: number): Promise<void> {
      await inTransaction(db, async (trx) => {
        const { sessionClients, refreshTokens } = endings(trx)
        await trx.deleteFrom('sessions').where('tenant', '=', tenant).where('session_id', '=', session_id).execute()
        await sessionClients.end(session_id, now)
        await refreshTokens.revokeOfSession(session_id, now)
      })
    },

    /** The same for every session of a user. */
    async endAllOf(user_id: string, now: number): Promise<void> {
      await inTransaction(db, async (trx) => {
        const { sessionClients, refreshTokens } = endings(trx)
        await trx.deleteFrom('sessions').where('tenant', '=', tenant).where('user_id', '=', user_id).execute()
        await sessionClients.endAllOf(user_id, now)
        await refreshTokens.revokeOfSessionsOf(user_id, now)
      })
    },

    /** Puts a new session of the same person in the place of the old one: clients and refresh tokens of that one go on with it. */
    async replace(old: string, by: string): Promise<void> {
      await inTransaction(db, async (trx) => {
        const { sessionClients, refreshTokens } = endings(trx)
        await trx.deleteFrom('sessions').where('tenant', '=', tenant).where('session_id', '=', old).execute()
        await sessionClients.carryOver(old, by)
        await refreshTokens.carryOver(old, by)
      })
    },
  }
}
