/** Owns the authorization requests that clients pushed: found again by their reference until their time is over, answered once. */
import type { Scope } from './scope.ts'

export interface NewPushedRequest {
  readonly client_id: string
  /** The request, as its owner wrote it. */
  readonly request: string
  /** Until when it can be begun. */
  readonly ends_at: number
  /** Until when one that was begun in time can be answered. */
  readonly kept_until: number
}

export interface FoundPushedRequest {
  readonly request: string
  /** Stands for the reference where that must not be written down. */
  readonly key: string
}

export type PushedRequestStore = ReturnType<typeof pushedRequestStore>

export function pushedRequestStore({ db, tenant, vault }: Scope) {
  const hashes = (reference: string) => vault.hashes('pushed request', reference)
  return {
    async create(reference: string, { request, ...row }: NewPushedRequest, now: number): Promise<void> {
      const request_hash = vault.hash('pushed request', reference)
      await db
        .insertInto('pushed_requests')
        .values({ ...row, tenant, request_hash, request: vault.seal(request), created_at: now })
        .execute()
    },

    /** Looks without taking. @returns the request with the key to take it by, while it is not answered and its time is not over */
    async peek(reference: string, client_id: string, now: number): Promise<FoundPushedRequest | undefined> {
      const row = await db
        .selectFrom('pushed_requests')
        .select(['request', 'request_hash'])
        .where('tenant', '=', tenant)
        .where('request_hash', 'in', hashes(reference))
        .where('client_id', '=', client_id)
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .executeTakeFirst()
      return row === undefined ? undefined : { request: vault.open(row.request), key: row.request_hash }
    },

    /** Ends a request with its answer; only the first caller gets it, even where the person took longer than the reference lives. */
    async take(key: string, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('pushed_requests')
        .set({ used_at: now })
        .where('tenant', '=', tenant)
        .where('request_hash', '=', key)
        .where('used_at', 'is', null)
        .returning('request_hash')
        .execute()
      return rows.length > 0
    },
  }
}
