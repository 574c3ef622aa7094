/**
 * Owns the refresh tokens, one row for each family. A token is rotated by one conditional statement; the row knows the newest token
 * and the one before it, and keeps the newest where only the one before it can open it.
 */
import type { Selectable } from 'kysely'
import { prepared } from './prepared.ts'
import type { RefreshTokenTable } from './schema.ts'
import type { Scope } from './scope.ts'
import { openUnder, sealUnder } from './vault.ts'

export interface NewRefreshFamily {
  readonly family_id: string
  readonly lineage: string
  readonly client_id: string
  readonly user_id: string
  /** Where the family lives only as long as this session. */
  readonly session_id?: string
  /** Who allowed what, as its owner wrote it. */
  readonly authorization: string
  readonly idle_ends_at: number
  readonly ends_at: number
}

export interface RefreshFamily extends NewRefreshFamily {
  readonly created_at: number
  /** When the newest token took over; absent while the first one is the newest. */
  readonly rotated_at?: number
  readonly revoked: boolean
  /** What the presented token is to the family: a token before the previous one is not told from a forged one. */
  readonly presented: 'current' | 'previous' | 'other'
  /** The newest token, where the previous one was presented. */
  readonly successor?: string
}

export type RefreshTokenStore = ReturnType<typeof refreshTokenStore>

export function refreshTokenStore({ db, tenant, vault }: Scope) {
  const byId = prepared(db, () =>
    db.selectFrom('refresh_tokens').selectAll().where('tenant', '=', '').where('family_id', '=', ''),
  )
  const hashes = (token: string) => vault.hashes('refresh_token', token)

  const revoke = (now: number) =>
    db
      .updateTable('refresh_tokens')
      .set({ revoked_at: now, successor: null })
      .where('tenant', '=', tenant)
      .where('revoked_at', 'is', null)

  return {
    async create(family: NewRefreshFamily, token: string, now: number): Promise<void> {
      await db
        .insertInto('refresh_tokens')
        .values({
          ...family,
          tenant,
          session_id: family.session_id ?? null,
          current_hash: vault.hash('refresh_token', token),
          created_at: now,
        })
        .execute()
    },

    /** The family as it stands, revoked or over, and what the token is to it. */
    async find(family_id: string, token: string): Promise<RefreshFamily | undefined> {
      const [row] = await byId(tenant, family_id)
      return row === undefined ? undefined : familyOf(row, token, hashes(token))
    },

    /**
     * Puts a new token in the place of the newest. To be called in the transaction of what it yields.
     * @returns false when another caller was first, or the family has ended
     */
    async rotate(
      family_id: string,
      from: string,
      to: string,
      change: { readonly idle_ends_at: number },
      now: number,
    ): Promise<boolean> {
      const rows = await db
        .updateTable('refresh_tokens')
        .set((eb) => ({
          ...change,
          previous_hash: eb.ref('current_hash'),
          current_hash: vault.hash('refresh_token', to),
          successor: sealUnder(from, to),
          rotated_at: now,
        }))
        .where('tenant', '=', tenant)
        .where('family_id', '=', family_id)
        .where('current_hash', 'in', hashes(from))
        .where('revoked_at', 'is', null)
        .where('idle_ends_at', '>', now)
        .where('ends_at', '>', now)
        .returning('family_id')
        .execute()
      return rows.length > 0
    },

    /**
     * Moves the idle end of a family whose token stays the same. To be called in the transaction of what it yields.
     * @returns false when it has ended, or has a newer token than this one
     */
    async see(family_id: string, newest: string, idle_ends_at: number, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('refresh_tokens')
        .set({ idle_ends_at })
        .where('tenant', '=', tenant)
        .where('family_id', '=', family_id)
        .where('current_hash', 'in', hashes(newest))
        .where('revoked_at', 'is', null)
        .where('idle_ends_at', '>', now)
        .where('ends_at', '>', now)
        .returning('family_id')
        .execute()
      return rows.length > 0
    },

    /** The families of a person at a client that were not revoked; at most a thousand. */
    async listOf(
      user_id: string,
      client_id: string,
    ): Promise<readonly Pick<RefreshFamily, 'family_id' | 'lineage' | 'authorization'>[]> {
      return db
        .selectFrom('refresh_tokens')
        .select(['family_id', 'lineage', 'authorization'])
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .where('client_id', '=', client_id)
        .where('revoked_at', 'is', null)
        .limit(1000)
        .execute()
    },

    async revokeFamily(family_id: string, now: number): Promise<void> {
      await revoke(now).where('family_id', '=', family_id).execute()
    },

    async revokeLineage(lineage: string, now: number): Promise<void> {
      await revoke(now).where('lineage', '=', lineage).execute()
    },

    /** The families that live as long as a session. */
    async revokeOfSession(session_id: string, now: number): Promise<void> {
      await revoke(now).where('session_id', '=', session_id).execute()
    },

    async revokeOfSessionsOf(user_id: string, now: number): Promise<void> {
      await revoke(now).where('user_id', '=', user_id).where('session_id', 'is not', null).execute()
    },

    /** The families that live as long as a session now live as long as another. */
    async carryOver(from: string, to: string): Promise<void> {
      await db
        .updateTable('refresh_tokens')
        .set({ session_id: to })
        .where('tenant', '=', tenant)
        .where('session_id', '=', from)
        .where('revoked_at', 'is', null)
        .execute()
    },

    /** @param client_id of one client only */
    async revokeAllOf(user_id: string, client_id: string | undefined, now: number): Promise<void> {
      const ofUser = revoke(now).where('user_id', '=', user_id)
      await (client_id === undefined ? ofUser : ofUser.where('client_id', '=', client_id)).execute()
    },
  }
}

function familyOf(row: Selectable<RefreshTokenTable>, token: string, hashes: readonly string[]): RefreshFamily {
  const { tenant: _, current_hash, previous_hash, successor, rotated_at, revoked_at, session_id, ...rest } = row
  const presented = hashes.includes(current_hash)
    ? 'current'
    : previous_hash !== null && hashes.includes(previous_hash)
      ? 'previous'
      : 'other'
  return {
    ...rest,
    presented,
    revoked: revoked_at !== null,
    ...(session_id === null ? {} : { session_id }),
    ...(rotated_at === null ? {} : { rotated_at }),
    ...(presented === 'previous' && successor !== null ? { successor: openUnder(token, successor) } : {}),
  }
}
