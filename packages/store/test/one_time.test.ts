/** Everything that works once: tickets and trips. A hundred at the same moment, and one gets it. */
import { describe, expect, test } from 'vitest'
import { openVault } from '../src/index.ts'
import { atOnce, fresh, kinds, now, secrets, useStore } from './support/stores.ts'

const hour = 3_600_000
const winners = (results: readonly unknown[]) => results.filter((one) => one !== undefined && one !== false)

describe.each(kinds)('tickets over %s', (kind) => {
  const opened = useStore(kind)

  async function issue(kind: 'verify_email' | 'reset_password' | 'unblock' = 'reset_password', user_id = fresh()) {
    const ticket = fresh()
    await opened.store.tickets.create(kind, ticket, { user_id, details: { email: 'a@example.com' } }, now + hour, now)
    return { ticket, user_id }
  }

  test('a look takes nothing; the first taker gets it, the second does not', async () => {
    const { tickets } = opened.store
    const { ticket, user_id } = await issue()
    const expected = { user_id, details: { email: 'a@example.com' } }
    expect(await tickets.peek('reset_password', ticket, now)).toEqual(expected)
    expect(await tickets.peek('reset_password', ticket, now)).toEqual(expected)
    expect(await tickets.take('reset_password', ticket, now)).toEqual(expected)
    expect(await tickets.take('reset_password', ticket, now)).toBeUndefined()
    expect(await tickets.peek('reset_password', ticket, now)).toBeUndefined()
  })

  test('a hundred takers at once: one', async () => {
    for (let round = 0; round < 5; round++) {
      const { ticket } = await issue()
      expect(winners(await atOnce(100, () => opened.store.tickets.take('reset_password', ticket, now)))).toHaveLength(1)
    }
  })

  test('a hundred takers, each in a transaction of its own: one', async () => {
    const { ticket } = await issue()
    const take = () => opened.store.atomically((store) => store.tickets.take('reset_password', ticket, now))
    expect(winners(await atOnce(100, take))).toHaveLength(1)
  })

  test('what was taken in a transaction that failed can be taken again', async () => {
    const { ticket } = await issue()
    const failed = opened.store.atomically(async (store) => {
      expect(await store.tickets.take('reset_password', ticket, now)).toBeDefined()
      throw new Error('stop')
    })
    await expect(failed).rejects.toThrow('stop')
    expect(await opened.store.tickets.take('reset_password', ticket, now)).toBeDefined()
  })

  test('one kind is never another, one tenant never another', async () => {
    const { ticket } = await issue('verify_email')
    for (const kind of ['reset_password', 'unblock'] as const) {
      expect(await opened.store.tickets.peek(kind, ticket, now)).toBeUndefined()
      expect(await opened.store.tickets.take(kind, ticket, now)).toBeUndefined()
    }
    expect(await opened.storeOf('two').tickets.take('verify_email', ticket, now)).toBeUndefined()
    expect(await opened.store.tickets.take('verify_email', ticket, now)).toBeDefined()
  })

  test('ends to the millisecond', async () => {
    const { ticket } = await issue()
    expect(await opened.store.tickets.peek('reset_password', ticket, now + hour)).toBeUndefined()
    expect(await opened.store.tickets.take('reset_password', ticket, now + hour)).toBeUndefined()
    expect(await opened.store.tickets.take('reset_password', ticket, now + hour - 1)).toBeDefined()
  })

  test('only the newest of a kind works; other kinds and people keep theirs', async () => {
    const { tickets } = opened.store
    const first = await issue('reset_password')
    const verify = await issue('verify_email', first.user_id)
    const somebody = await issue('reset_password')
    const second = await issue('reset_password', first.user_id)
    expect(await tickets.take('reset_password', first.ticket, now)).toBeUndefined()
    expect(await tickets.take('verify_email', verify.ticket, now)).toBeDefined()
    expect(await tickets.take('reset_password', somebody.ticket, now)).toBeDefined()
    expect(await tickets.take('reset_password', second.ticket, now)).toBeDefined()
  })

  test('twenty issued at once: one works', async () => {
    const user_id = fresh()
    const issued = await atOnce(20, () => issue('unblock', user_id))
    const peeked = await atOnce(20, (index) => opened.store.tickets.peek('unblock', issued[index]?.ticket ?? '', now))
    expect(winners(peeked)).toHaveLength(1)
  })

  test('the database cannot be used to take one, and a rotated secret still finds it', async () => {
    const { ticket, user_id } = await issue()
    const row = await opened.db
      .selectFrom('tickets')
      .selectAll()
      .where('user_id', '=', user_id)
      .executeTakeFirstOrThrow()
    expect(JSON.stringify(row)).not.toContain(ticket)
    expect(await opened.store.tickets.take('reset_password', row.ticket_hash, now)).toBeUndefined()
    const rotated = opened.storeOf('one', openVault([secrets.other, secrets.current]))
    expect(await rotated.tickets.take('reset_password', ticket, now)).toBeDefined()
  })
})

describe.each(kinds)('trips over %s', (kind) => {
  const opened = useStore(kind)

  async function begin() {
    const trip = { state: fresh(), browser: fresh() }
    await opened.store.transactions.create({ ...trip, request: '{"a":1}', ends_at: now + hour }, now)
    return trip
  }

  test('the handle and the browser find it together, neither alone', async () => {
    const { transactions } = opened.store
    const { state, browser } = await begin()
    expect(await transactions.find(state, browser, now)).toEqual({ request: '{"a":1}', created_at: now })
    for (const [one, other] of [
      [state, fresh()],
      [fresh(), browser],
      [browser, state],
      [state, state],
      [state, ''],
    ] as const) {
      expect(await transactions.find(one, other, now)).toBeUndefined()
      expect(await transactions.advance(one, other, 'consented', 's', now)).toBe(false)
      expect(await transactions.take(one, other, now)).toBe(false)
    }
    expect(await opened.storeOf('two').transactions.find(state, browser, now)).toBeUndefined()
    expect(await transactions.find(state, browser, now)).toEqual({ request: '{"a":1}', created_at: now })
  })

  test('remembers each step with the session that took it', async () => {
    const { transactions } = opened.store
    const { state, browser } = await begin()
    expect(await transactions.advance(state, browser, 'authenticated', 's1', now)).toBe(true)
    expect(await transactions.advance(state, browser, 'account_chosen', 's2', now)).toBe(true)
    expect(await transactions.advance(state, browser, 'consented', 's3', now)).toBe(true)
    expect(await transactions.advance(state, browser, 'authenticated', 's4', now)).toBe(true)
    const steps = { authenticated: 's4', account_chosen: 's2', consented: 's3' }
    expect(await transactions.find(state, browser, now)).toEqual({ request: '{"a":1}', created_at: now, ...steps })
  })

  test('yields one answer: a hundred at once, one gets it, and no step is taken afterwards', async () => {
    const { transactions } = opened.store
    for (let round = 0; round < 5; round++) {
      const { state, browser } = await begin()
      expect(winners(await atOnce(100, () => transactions.take(state, browser, now)))).toHaveLength(1)
      expect(await transactions.find(state, browser, now)).toBeUndefined()
      expect(await transactions.advance(state, browser, 'authenticated', 's', now)).toBe(false)
    }
  })

  test('a step and the end race: the step counts only where it came first', async () => {
    const { transactions } = opened.store
    for (let round = 0; round < 20; round++) {
      const { state, browser } = await begin()
      const results = await Promise.all([
        transactions.take(state, browser, now),
        ...Array.from({ length: 5 }, () => transactions.advance(state, browser, 'consented', 's', now)),
      ])
      expect(results[0]).toBe(true)
      expect(await transactions.advance(state, browser, 'consented', 's', now)).toBe(false)
    }
  })

  test('is over to the millisecond', async () => {
    const { transactions } = opened.store
    const { state, browser } = await begin()
    expect(await transactions.find(state, browser, now + hour)).toBeUndefined()
    expect(await transactions.advance(state, browser, 'authenticated', 's', now + hour)).toBe(false)
    expect(await transactions.take(state, browser, now + hour)).toBe(false)
    expect(await transactions.take(state, browser, now + hour - 1)).toBe(true)
  })

  test('the database holds neither half, and a rotated secret still finds it', async () => {
    const { state, browser } = await begin()
    const rows = JSON.stringify(await opened.db.selectFrom('transactions').selectAll().execute())
    expect(rows.includes(state) || rows.includes(browser)).toBe(false)
    const rotated = opened.storeOf('one', openVault([secrets.other, secrets.current]))
    expect(await rotated.transactions.advance(state, browser, 'authenticated', 's', now)).toBe(true)
    expect(await rotated.transactions.take(state, browser, now)).toBe(true)
  })
})
