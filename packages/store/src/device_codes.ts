/**
 * Owns the device codes: one row holds what a device asked for, what a person said to it, and how often the device may ask. Both codes
 * are stored as keyed hashes.
 */
import { sql } from 'kysely'
import type { Scope } from './scope.ts'

export interface NewDeviceCode {
  readonly client_id: string
  /** What the device asked for, as its owner wrote it. */
  readonly request: string
  readonly ends_at: number
  /** Milliseconds since 1970 until which the row tells what became of the code. */
  readonly kept_until: number
  /** Seconds between two questions of the device. */
  readonly poll_interval: number
}

export interface DeviceCode {
  readonly client_id: string
  readonly decision?: 'allowed' | 'denied'
  readonly decided_at?: number
  /** Who allowed what, as its owner wrote it. */
  readonly authorization?: string
  readonly ends_at: number
  readonly used: boolean
}

export interface PendingDevice {
  /** Names the row; good for `decide` alone. */
  readonly device_id: string
  readonly client_id: string
  readonly request: string
  readonly ends_at: number
}

/** Milliseconds that a question may come early: the way to the server is not always the same length. */
const early = 1000
/** Seconds by which an impatient device's interval grows, and the longest it gets. @spec RFC 8628 §3.5 */
const slower = 5
const slowest = 60

export type DeviceCodeStore = ReturnType<typeof deviceCodeStore>

export function deviceCodeStore({ db, tenant, vault }: Scope) {
  const hashes = (device_code: string) => vault.hashes('device_code', device_code)

  const open = (now: number) =>
    db
      .selectFrom('device_codes')
      .select(['device_code_hash as device_id', 'client_id', 'request', 'ends_at'])
      .where('tenant', '=', tenant)
      .where('decision', 'is', null)
      .where('ends_at', '>', now)

  return {
    /** @returns false when another device has this user code */
    async create(
      codes: { readonly device_code: string; readonly user_code: string },
      row: NewDeviceCode,
      now: number,
    ): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('device_codes')
        .values({
          ...row,
          tenant,
          device_code_hash: vault.hash('device_code', codes.device_code),
          user_code_hash: vault.hash('user_code', codes.user_code),
          created_at: now,
          next_poll_at: now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },

    /** The undecided request that shows this code to its person. */
    async findByUserCode(user_code: string, now: number): Promise<PendingDevice | undefined> {
      return open(now).where('user_code_hash', 'in', vault.hashes('user_code', user_code)).executeTakeFirst()
    },

    /** The same by its id, while it is undecided. */
    async findPending(device_id: string, now: number): Promise<PendingDevice | undefined> {
      return open(now).where('device_code_hash', '=', device_id).executeTakeFirst()
    },

    /** What the person said; only the first word counts. @returns false when it was said before, or the time is over */
    async decide(
      device_id: string,
      decision: { readonly decision: 'allowed'; readonly authorization: string } | { readonly decision: 'denied' },
      now: number,
    ): Promise<boolean> {
      const rows = await db
        .updateTable('device_codes')
        .set({ ...decision, decided_at: now })
        .where('tenant', '=', tenant)
        .where('device_code_hash', '=', device_id)
        .where('decision', 'is', null)
        .where('ends_at', '>', now)
        .returning('device_code_hash')
        .execute()
      return rows.length > 0
    },

    /** Looks without taking: used, decided or over. */
    async peek(device_code: string): Promise<DeviceCode | undefined> {
      const row = await db
        .selectFrom('device_codes')
        .select(['client_id', 'decision', 'decided_at', 'authorization', 'ends_at', 'used_at'])
        .where('tenant', '=', tenant)
        .where('device_code_hash', 'in', hashes(device_code))
        .executeTakeFirst()
      if (row === undefined) return undefined
      const { decision, decided_at, authorization, used_at, ...rest } = row
      return {
        ...rest,
        used: used_at !== null,
        ...(decision === null ? {} : { decision: decision === 'allowed' ? 'allowed' : 'denied' }),
        ...(decided_at === null ? {} : { decided_at }),
        ...(authorization === null ? {} : { authorization }),
      }
    },

    /** Counts a question of the device. @returns false when it came too early: the next may come later still */
    async poll(device_code: string, now: number): Promise<boolean> {
      const patient = sql<boolean>`next_poll_at <= ${now + early}`
      const longer = sql<number>`case when poll_interval + ${slower} > ${slowest} then ${slowest} else poll_interval + ${slower} end`
      const row = await db
        .updateTable('device_codes')
        .set({
          patient: sql<number>`case when ${patient} then 1 else 0 end`,
          poll_interval: sql<number>`case when ${patient} then poll_interval else ${longer} end`,
          next_poll_at: sql<number>`${now} + 1000 * case when ${patient} then poll_interval else ${longer} end`,
        })
        .where('tenant', '=', tenant)
        .where('device_code_hash', 'in', hashes(device_code))
        .returning('patient')
        .executeTakeFirst()
      return row?.patient !== 0
    },

    /** Takes the code; only the first caller gets it. To be called in the transaction of what it yields. */
    async take(device_code: string, now: number): Promise<boolean> {
      const rows = await db
        .updateTable('device_codes')
        .set({ used_at: now })
        .where('tenant', '=', tenant)
        .where('device_code_hash', 'in', hashes(device_code))
        .where('decision', '=', 'allowed')
        .where('used_at', 'is', null)
        .where('ends_at', '>', now)
        .returning('device_code_hash')
        .execute()
      return rows.length > 0
    },
  }
}
