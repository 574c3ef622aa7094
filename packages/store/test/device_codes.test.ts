/** Device codes: decided once, used once, asked about in peace, and never readable. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const minutes = 60_000
const row = {
  ...{ client_id: 'tv', request: '{}', poll_interval: 5 },
  ...{ ends_at: now + 15 * minutes, kept_until: now + 60 * minutes },
}

describe.each(kinds)('device codes over %s', (kind) => {
  const opened = useStore(kind)
  const begun = async (user_code = fresh()) => {
    const codes = { device_code: fresh(), user_code }
    return { ...codes, made: await opened.store.deviceCodes.create(codes, row, now) }
  }
  const decided = async () => {
    const codes = await begun()
    const pending = await opened.store.deviceCodes.findByUserCode(codes.user_code, now)
    return { ...codes, device_id: pending?.device_id ?? '' }
  }

  test('are stored as keyed hashes, and a user code means one device', async () => {
    const { device_code, user_code, made } = await begun()
    expect([made, (await begun(user_code)).made]).toEqual([true, false])
    const rows = JSON.stringify(await opened.db.selectFrom('device_codes').selectAll().execute())
    expect(rows).not.toContain(device_code)
    expect(rows).not.toContain(user_code)
  })

  test('are found by the user code until they are decided or over', async () => {
    const { deviceCodes } = opened.store
    const { user_code, device_id } = await decided()
    expect(await deviceCodes.findPending(device_id, now)).toMatchObject({ client_id: 'tv', request: '{}' })
    expect(await deviceCodes.findByUserCode(user_code, row.ends_at)).toBeUndefined()
    expect(await deviceCodes.decide(device_id, { decision: 'denied' }, row.ends_at)).toBe(false)
    expect(await deviceCodes.decide(device_id, { decision: 'denied' }, now)).toBe(true)
    expect(await deviceCodes.findByUserCode(user_code, now)).toBeUndefined()
    expect(await deviceCodes.findPending(device_id, now)).toBeUndefined()
  })

  test('are decided once, whoever comes at once', async () => {
    const { device_id, device_code } = await decided()
    const said = await atOnce(50, (index) =>
      opened.store.deviceCodes.decide(
        device_id,
        index % 2 === 0 ? { decision: 'denied' } : { decision: 'allowed', authorization: '{}' },
        now,
      ),
    )
    expect(said.filter(Boolean)).toHaveLength(1)
    expect(await opened.store.deviceCodes.peek(device_code)).toMatchObject({
      decision: said.indexOf(true) % 2 === 0 ? 'denied' : 'allowed',
    })
  })

  test('are taken once, allowed and in time', async () => {
    const { deviceCodes } = opened.store
    const { device_id, device_code } = await decided()
    expect(await deviceCodes.take(device_code, now)).toBe(false)
    await deviceCodes.decide(device_id, { decision: 'allowed', authorization: '{"a":1}' }, now)
    expect(await deviceCodes.take(device_code, row.ends_at)).toBe(false)
    const taken = await atOnce(100, () => deviceCodes.take(device_code, now))
    expect(taken.filter(Boolean)).toHaveLength(1)
    expect(await deviceCodes.peek(device_code)).toEqual({
      ...{ client_id: 'tv', decision: 'allowed', decided_at: now, authorization: '{"a":1}' },
      ...{ ends_at: row.ends_at, used: true },
    })
    await opened.store.upkeep.sweep(row.kept_until)
    expect(await deviceCodes.peek(device_code)).toBeUndefined()
  })

  test('RFC 8628 §3.5: a question that comes too early makes the interval five seconds longer', async () => {
    const { deviceCodes } = opened.store
    const { device_code } = await begun()
    const asks = (seconds: number) => deviceCodes.poll(device_code, now + seconds * 1000)
    // The interval is 5 s, a second of which the way may take; after 6 s it is 10, after 20 it is 15.
    const answers = []
    for (const at of [0, 4.1, 6, 15.1, 20, 34.1]) answers.push(await asks(at))
    expect(answers).toEqual([true, true, false, true, false, true])
    for (let index = 0; index < 20; index++) await asks(35)
    expect(await asks(95)).toBe(true)
  })
})
