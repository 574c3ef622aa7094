/** Counters: nobody is lost in a crowd, a window begins again when it is over. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

describe.each(kinds)('counters over %s', (kind) => {
  const opened = useStore(kind)

  test('five hundred at once are counted one by one', async () => {
    const key = fresh()
    const counts = (await atOnce(500, () => opened.store.counters.add(key, 1000, now))).map((one) => one.count)
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
    expect(await opened.store.counters.read(key, now)).toEqual({ count: 500, ends_at: now + 1000 })
  })

  test('the window is that of the first; at its end the count begins again', async () => {
    const { counters } = opened.store
    const key = fresh()
    expect(await counters.add(key, 1000, now)).toEqual({ count: 1, ends_at: now + 1000 })
    expect(await counters.add(key, 9000, now + 999)).toEqual({ count: 2, ends_at: now + 1000 })
    expect(await counters.read(key, now + 999)).toEqual({ count: 2, ends_at: now + 1000 })
    expect(await counters.read(key, now + 1000)).toEqual({ count: 0, ends_at: now + 1000 })
    expect(await counters.add(key, 1000, now + 1000)).toEqual({ count: 1, ends_at: now + 2000 })
    expect(await counters.add(key, 1000, now + 5000)).toEqual({ count: 1, ends_at: now + 6000 })
  })

  test('any order of adds and waits gives what a count on paper gives', async () => {
    const step = fc.record({ wait: fc.nat(700), window: fc.constantFrom(500, 1000) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const key = fresh()
        let [at, count, ends] = [now, 0, 0]
        for (const { wait, window } of steps) {
          at += wait
          if (ends <= at) [count, ends] = [0, at + window]
          count++
          expect(await opened.store.counters.add(key, window, at)).toEqual({ count, ends_at: ends })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('one that did not happen is taken back, never below none', async () => {
    const { counters } = opened.store
    const key = fresh()
    await counters.takeBack(key)
    await atOnce(20, () => counters.add(key, 1000, now))
    await opened.storeOf('two').counters.takeBack(key)
    await atOnce(19, () => counters.takeBack(key))
    expect(await counters.read(key, now)).toEqual({ count: 1, ends_at: now + 1000 })
    await atOnce(5, () => counters.takeBack(key))
    expect((await counters.read(key, now)).count).toBe(0)
    expect((await counters.add(key, 1000, now)).count).toBe(1)
  })

  test('tenants count apart', async () => {
    const key = fresh()
    await opened.store.counters.add(key, 1000, now)
    expect((await opened.storeOf('two').counters.add(key, 1000, now)).count).toBe(1)
    await opened.storeOf('two').counters.clear(key)
    expect((await opened.store.counters.read(key, now)).count).toBe(1)
  })

  test('one is cleared, or all that begin alike, and their neighbours stay', async () => {
    const { counters } = opened.store
    const mine = ['failures a 1', 'failures a 2', 'failures a \u{1f511}', 'failures a ']
    const others = ['failures a', 'failures ab 1', 'failures b 1', 'failures', 'failures _ 1', 'failures % 1']
    for (const key of [...mine, ...others]) await counters.add(key, 1000, now)
    await counters.clearAll('failures a ')
    for (const key of mine) expect([key, (await counters.read(key, now)).count]).toEqual([key, 0])
    for (const key of others) expect([key, (await counters.read(key, now)).count]).toEqual([key, 1])
    await counters.clear('failures')
    expect((await counters.read('failures', now)).count).toBe(0)
    await opened.storeOf('two').counters.clearAll('failures')
    expect((await counters.read('failures b 1', now)).count).toBe(1)
  })

  test('use of a client adds up by day and response type', async () => {
    const { upkeep } = opened.store
    const client = fresh()
    await atOnce(50, (index) => upkeep.countUse(client, index % 2 === 0 ? 'token' : 'id_token', '2026-01-02', 3))
    await upkeep.countUse(client, 'token', '2026-01-01', 7)
    await upkeep.countUse(fresh(), 'token', '2026-01-01', 9)
    await opened.storeOf('two').upkeep.countUse(client, 'token', '2026-01-01', 9)
    expect(await upkeep.usage(client)).toEqual([
      { response_type: 'token', day: '2026-01-01', count: 7 },
      { response_type: 'id_token', day: '2026-01-02', count: 75 },
      { response_type: 'token', day: '2026-01-02', count: 75 },
    ])
  })
})
