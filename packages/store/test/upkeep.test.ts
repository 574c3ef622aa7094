/** The sweep: what is over goes, in batches, and nothing else does. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const tables = ['transactions', 'access_tokens', 'tickets', 'counters', 'sessions'] as const

describe.each(kinds)('sweep over %s', (kind) => {
  const opened = useStore(kind)

  async function fill(tenant: string, count: number, ends_at: number): Promise<void> {
    const store = opened.storeOf(tenant)
    await store.atomically(async ({ transactions, accessTokens, tickets, counters, sessions }) => {
      for (let index = 0; index < count; index++) {
        const user_id = fresh()
        await transactions.create({ state: fresh(), browser: fresh(), request: '{}', ends_at }, now)
        await accessTokens.create(fresh(), {
          client_id: 'c',
          user_id,
          audience: [],
          scope: '',
          issued_at: now,
          ends_at,
        })
        await tickets.create('unblock', fresh(), { user_id, details: {} }, ends_at, now)
        await counters.add(fresh(), ends_at - now, now)
        const session = { session_id: fresh(), secret: fresh(), silent_secret: fresh(), user_id }
        await sessions.create({ ...session, auth_time: 0, amr: [], idle_ends_at: ends_at, ends_at: ends_at + 5 }, now)
      }
    })
  }

  async function rest(tenant: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const table of tables) {
      const { count } = await opened.db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant', '=', tenant)
        .executeTakeFirstOrThrow()
      counts[table] = count
    }
    return counts
  }

  const each = (count: number) => Object.fromEntries(tables.map((table) => [table, count]))

  test('takes mails a week after they were sent, or should have been', async () => {
    const { mails, upkeep } = opened.storeOf(fresh())
    const week = 7 * 86_400_000
    const [sent, waiting] = [fresh(), fresh()]
    for (const mail_id of [sent, waiting]) {
      const words = { subject: 's', text: 't', html: 'h' }
      await mails.add({ mail_id, recipient: 'ada@example.com', kind: 'k', ...words, created_at: now, attempts: 0 })
    }
    await mails.sent(sent, now + 5)
    await mails.failed(waiting, 'nobody answered', now + 9)
    expect(await upkeep.sweep(now + week + 4)).toBe(0)
    expect(await upkeep.sweep(now + week + 5)).toBe(1)
    expect((await mails.list(5)).map(({ mail_id }) => mail_id)).toEqual([waiting])
    expect(await upkeep.sweep(now + week + 9)).toBe(1)
    expect(await mails.list(5)).toEqual([])
  })

  test('takes what is over to the millisecond, of its own tenant', async () => {
    const [one, two] = [fresh(), fresh()]
    for (const tenant of [one, two]) {
      await fill(tenant, 3, now + 100)
      await fill(tenant, 2, now + 101)
    }
    const { upkeep } = opened.storeOf(one)
    expect(await upkeep.sweep(now + 99)).toBe(0)
    expect(await upkeep.sweep(now + 100)).toBe(15)
    expect(await rest(one)).toEqual(each(2))
    expect(await rest(two)).toEqual(each(5))
    expect(await upkeep.sweep(now + 100)).toBe(0)
  })

  test('takes at most a thousand of each table at once, and others work in between', async () => {
    const tenant = fresh()
    await fill(tenant, 1100, now + 1)
    await fill(tenant, 1, now + 1000)
    const { upkeep, counters } = opened.storeOf(tenant)
    expect(await upkeep.sweep(now + 2)).toBe(5000)
    expect(await rest(tenant)).toEqual(each(101))
    const [gone] = await Promise.all([upkeep.sweep(now + 2), atOnce(20, () => counters.add('busy', 1000, now + 2))])
    expect(gone).toBe(500)
    expect(await upkeep.sweep(now + 2)).toBe(0)
    expect((await counters.read('busy', now + 2)).count).toBe(20)
    expect(await rest(tenant)).toEqual({ ...each(1), counters: 2 })
  })

  test('leaves used tickets and ended trips until their time, so that nothing can be begun twice', async () => {
    const tenant = fresh()
    const { tickets, transactions, upkeep } = opened.storeOf(tenant)
    const [ticket, trip] = [fresh(), { state: fresh(), browser: fresh() }]
    await tickets.create('unblock', ticket, { user_id: 'u', details: {} }, now + 10, now)
    await transactions.create({ ...trip, request: '{}', ends_at: now + 10 }, now)
    await tickets.take('unblock', ticket, now)
    await transactions.take(trip.state, trip.browser, now)
    expect(await upkeep.sweep(now + 9)).toBe(0)
    expect(await upkeep.sweep(now + 10)).toBe(2)
  })
})
