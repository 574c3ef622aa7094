/** Codes and refresh tokens: one taker, one successor, and a successor that only its predecessor opens. */
import { describe, expect, test } from 'vitest'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

const minute = 60_000
const winners = (results: readonly unknown[]) => results.filter((one) => one === true)

describe.each(kinds)('codes over %s', (kind) => {
  const opened = useStore(kind)
  const issue = async () => {
    const code = fresh()
    const row = { lineage: 'l', client_id: 'c', authorization: '{"a":1}', ends_at: now + minute, kept_until: now + 9e9 }
    await opened.store.codes.create(code, row, now)
    return code
  }

  test('a hundred takers at once: one', async () => {
    const code = await issue()
    expect(winners(await atOnce(100, () => opened.store.codes.take(code, now)))).toHaveLength(1)
  })

  test('a used code is still seen as used; one that is over cannot be taken', async () => {
    const code = await issue()
    expect(await opened.store.codes.peek(code)).toMatchObject({ used: false, client_id: 'c', authorization: '{"a":1}' })
    expect(await opened.store.codes.take(code, now + minute)).toBe(false)
    expect(await opened.store.codes.take(code, now)).toBe(true)
    expect(await opened.store.codes.peek(code)).toMatchObject({ used: true })
    expect(await opened.store.codes.peek(fresh())).toBeUndefined()
    expect(await opened.storeOf('two').codes.peek(code)).toBeUndefined()
  })
})

describe.each(kinds)('refresh tokens over %s', (kind) => {
  const opened = useStore(kind)
  const begin = async () => {
    const family_id = fresh()
    const token = fresh()
    const ends = { idle_ends_at: now + minute, ends_at: now + 10 * minute }
    const family = { family_id, lineage: fresh(), client_id: 'c', user_id: fresh(), authorization: '{}', ...ends }
    await opened.store.refreshTokens.create(family, token, now)
    return { ...family, token }
  }

  test('a hundred rotations at once: one, and the others find its token', async () => {
    const { family_id, token } = await begin()
    const tokens = Array.from({ length: 100 }, fresh)
    let next = 0
    const rotate = () =>
      opened.store.refreshTokens.rotate(family_id, token, tokens[next++] ?? '', { idle_ends_at: now + minute }, now)
    const results = await atOnce(100, rotate)
    expect(winners(results)).toHaveLength(1)
    const family = await opened.store.refreshTokens.find(family_id, token)
    expect(family).toMatchObject({ presented: 'previous', successor: tokens[results.indexOf(true)], rotated_at: now })
  })

  test('the newest, the one before and any other are told apart', async () => {
    const { family_id, token } = await begin()
    const { rotate, find } = opened.store.refreshTokens
    expect(await find(family_id, token)).toMatchObject({ presented: 'current', revoked: false })
    await rotate(family_id, token, 'second', { idle_ends_at: now + minute }, now)
    await rotate(family_id, 'second', 'third', { idle_ends_at: now + minute }, now + 1)
    expect(await find(family_id, 'third')).toMatchObject({ presented: 'current', rotated_at: now + 1 })
    expect(await find(family_id, 'second')).toMatchObject({ presented: 'previous', successor: 'third' })
    const first = await find(family_id, token)
    expect(first).toMatchObject({ presented: 'other' })
    expect(first?.successor).toBeUndefined()
  })

  test.each([
    ['of the family', (one: Begun) => opened.store.refreshTokens.revokeFamily(one.family_id, now)],
    ['of its lineage', (one: Begun) => opened.store.refreshTokens.revokeLineage(one.lineage, now)],
    ['of its user', (one: Begun) => opened.store.refreshTokens.revokeAllOf(one.user_id, undefined, now)],
    ['of its user at its client', (one: Begun) => opened.store.refreshTokens.revokeAllOf(one.user_id, 'c', now)],
  ])('after the revocation %s nothing rotates', async (_, revoke) => {
    const one = await begin()
    await revoke(one)
    const { rotate, see, find } = opened.store.refreshTokens
    expect(await rotate(one.family_id, one.token, 'next', { idle_ends_at: now + minute }, now)).toBe(false)
    expect(await see(one.family_id, one.token, now + minute, now)).toBe(false)
    expect(await find(one.family_id, one.token)).toMatchObject({ revoked: true })
  })

  test('a revocation at another client touches nothing', async () => {
    const one = await begin()
    await opened.store.refreshTokens.revokeAllOf(one.user_id, 'other', now)
    expect(await opened.store.refreshTokens.find(one.family_id, one.token)).toMatchObject({ revoked: false })
  })

  test('neither the idle nor the absolute end is passed', async () => {
    const one = await begin()
    const { rotate, see } = opened.store.refreshTokens
    expect(await see(one.family_id, 'an older token', now + 20 * minute, now)).toBe(false)
    expect(await see(one.family_id, one.token, now + 20 * minute, now)).toBe(true)
    expect(await rotate(one.family_id, one.token, 'n', { idle_ends_at: now + 99 * minute }, now + 10 * minute)).toBe(
      false,
    )
    const other = await begin()
    expect(await rotate(other.family_id, other.token, 'n', { idle_ends_at: now }, now + minute)).toBe(false)
  })

  interface Begun {
    readonly family_id: string
    readonly lineage: string
    readonly user_id: string
    readonly token: string
  }
})

describe.each(kinds)('revocations over %s', (kind) => {
  const opened = useStore(kind)

  test('either id counts, for its tenant, and the later end wins', async () => {
    const { revocations, upkeep } = opened.store
    const id = fresh()
    await revocations.add(id, now + minute)
    await revocations.add(id, now + 5)
    expect(await revocations.has(id, 'x')).toBe(true)
    expect(await revocations.has('x', id)).toBe(true)
    expect(await revocations.has('x', 'y')).toBe(false)
    expect(await opened.storeOf('two').revocations.has(id, id)).toBe(false)
    await upkeep.sweep(now + 6)
    expect(await revocations.has(id, 'x')).toBe(true)
    await upkeep.sweep(now + minute)
    expect(await revocations.has(id, 'x')).toBe(false)
  })
})

describe.each(kinds)('ids that may be used once, over %s', (kind) => {
  const opened = useStore(kind)

  test('a hundred takers at once: one; another kind and another tenant have their own', async () => {
    const id = fresh()
    expect(winners(await atOnce(100, () => opened.store.usedIds.take('a', id, now + minute)))).toHaveLength(1)
    expect(await opened.store.usedIds.take('b', id, now + minute)).toBe(true)
    expect(await opened.storeOf('two').usedIds.take('a', id, now + minute)).toBe(true)
    await opened.store.upkeep.sweep(now + minute)
    expect(await opened.store.usedIds.take('a', id, now + minute)).toBe(true)
  })
})

describe.each(kinds)('registration tokens over %s', (kind) => {
  const opened = useStore(kind)

  test('an initial token has as many uses as it was given, however many come at once', async () => {
    const token = fresh()
    await opened.store.registrationTokens.createInitial(token, 3, now + minute, now)
    const use = () => opened.store.registrationTokens.useInitial(token, now)
    expect(winners(await atOnce(20, use))).toHaveLength(3)
    const late = fresh()
    await opened.store.registrationTokens.createInitial(late, 3, now + minute, now)
    expect(await opened.store.registrationTokens.useInitial(late, now + minute)).toBe(false)
    expect(await opened.store.registrationTokens.clientOf(late)).toBeUndefined()
  })

  test('a client’s own token names it until it ends, and registers nobody', async () => {
    const token = fresh()
    const before = await opened.store.registrationTokens.count()
    await opened.store.registrationTokens.createForClient(token, 'me', now)
    expect(await opened.store.registrationTokens.clientOf(token)).toBe('me')
    expect(await opened.storeOf('two').registrationTokens.clientOf(token)).toBeUndefined()
    expect(await opened.store.registrationTokens.useInitial(token, now)).toBe(false)
    expect(await opened.store.registrationTokens.count()).toBe(before + 1)
    await opened.store.registrationTokens.endForClient('me')
    expect(await opened.store.registrationTokens.clientOf(token)).toBeUndefined()
  })
})
