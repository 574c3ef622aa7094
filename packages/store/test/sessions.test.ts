/** Sessions and opaque access tokens: found by their secret alone, until their end, and gone at once when ended. */
import { describe, expect, test } from 'vitest'
import { type NewSession, openVault } from '../src/index.ts'
import { fresh, kinds, now, secrets, useStore } from './support/stores.ts'

const hour = 3_600_000

describe.each(kinds)('sessions over %s', (kind) => {
  const opened = useStore(kind)

  async function begin(change: Partial<NewSession> = {}): Promise<NewSession> {
    const session = {
      ...{ session_id: fresh(), secret: fresh(), silent_secret: fresh(), user_id: fresh('auth0|') },
      ...{ auth_time: now / 1000, amr: ['pwd'], idle_ends_at: now + hour, ends_at: now + 10 * hour, ...change },
    }
    if ((await opened.store.users.find(session.user_id)) === undefined) {
      const user = { user_id: session.user_id, connection: 'db', email_verified: false, profile: {} }
      await opened.store.users.create(user, now)
    }
    await opened.store.sessions.create(session, now)
    return session
  }

  test('each of the two secrets finds its session in its own place alone', async () => {
    const { sessions } = opened.store
    const session = await begin()
    const expected = {
      session: {
        ...{ session_id: session.session_id, user_id: session.user_id, auth_time: now / 1000, amr: ['pwd'] },
        ...{ created_at: now, seen_at: now, idle_ends_at: now + hour, ends_at: now + 10 * hour },
      },
      user: { user_id: session.user_id, connection: 'db' },
    }
    expect(await sessions.find(session.secret, now)).toMatchObject(expected)
    expect(await sessions.findSilent(session.silent_secret, now)).toMatchObject(expected)
    expect(await sessions.find(session.silent_secret, now)).toBeUndefined()
    expect(await sessions.findSilent(session.secret, now)).toBeUndefined()
    expect(await sessions.find(session.session_id, now)).toBeUndefined()
    expect(await opened.storeOf('two').sessions.find(session.secret, now)).toBeUndefined()
    expect(await sessions.isLive(session.session_id, now)).toBe(true)
    expect(await opened.storeOf('two').sessions.isLive(session.session_id, now)).toBe(false)
  })

  test('the database holds neither secret', async () => {
    const session = await begin()
    const row = await opened.db
      .selectFrom('sessions')
      .selectAll()
      .where('session_id', '=', session.session_id)
      .executeTakeFirstOrThrow()
    const text = JSON.stringify(row)
    expect(text.includes(session.secret)).toBe(false)
    expect(text.includes(session.silent_secret)).toBe(false)
    expect(await opened.store.sessions.find(row.secret_hash, now)).toBeUndefined()
  })

  test.each([
    ['the idle end', { idle_ends_at: now + hour, ends_at: now + 9 * hour }],
    ['the absolute end', { idle_ends_at: now + 9 * hour, ends_at: now + hour }],
  ])('is over at %s, to the millisecond', async (_, ends) => {
    const session = await begin(ends)
    const { sessions } = opened.store
    expect(await sessions.find(session.secret, now + hour - 1)).toBeDefined()
    expect(await sessions.find(session.secret, now + hour)).toBeUndefined()
    expect(await sessions.findSilent(session.silent_secret, now + hour)).toBeUndefined()
    expect(await sessions.isLive(session.session_id, now + hour - 1)).toBe(true)
    expect(await sessions.isLive(session.session_id, now + hour)).toBe(false)
  })

  test('activity moves the idle end, never of a session that is over', async () => {
    const { sessions } = opened.store
    const session = await begin()
    await sessions.see(session.session_id, now + 2 * hour, now + 1000)
    expect((await sessions.find(session.secret, now + hour + 1))?.session).toMatchObject({
      ...{ seen_at: now + 1000, idle_ends_at: now + 2 * hour },
    })
    await sessions.see(session.session_id, now + 5 * hour, now + 2 * hour)
    expect(await sessions.find(session.secret, now + 2 * hour)).toBeUndefined()
    await opened.storeOf('two').sessions.see(session.session_id, now + 9 * hour, now)
    expect(await sessions.find(session.secret, now + 2 * hour)).toBeUndefined()
  })

  test('ends at once: one, or all of a person', async () => {
    const { sessions } = opened.store
    const one = await begin()
    const two = await begin({ user_id: one.user_id })
    const three = await begin({ user_id: one.user_id })
    const other = await begin()
    await opened.storeOf('two').sessions.end(one.session_id, now)
    await opened.storeOf('two').sessions.endAllOf(one.user_id, now)
    expect(await sessions.find(one.secret, now)).toBeDefined()
    await sessions.end(one.session_id, now)
    expect(await sessions.find(one.secret, now)).toBeUndefined()
    expect(await sessions.find(two.secret, now)).toBeDefined()
    await sessions.endAllOf(one.user_id, now)
    for (const gone of [two, three]) expect(await sessions.find(gone.secret, now)).toBeUndefined()
    expect(await sessions.find(other.secret, now)).toBeDefined()
  })

  test('a session without its person is nobody', async () => {
    const session = await begin()
    await opened.db.deleteFrom('users').where('user_id', '=', session.user_id).execute()
    expect(await opened.store.sessions.find(session.secret, now)).toBeUndefined()
  })

  test('after the server secret is rotated, running sessions go on; without the old one they are over', async () => {
    const session = await begin()
    const rotated = opened.storeOf('one', openVault([secrets.other, secrets.current]))
    expect(await rotated.sessions.find(session.secret, now)).toBeDefined()
    expect(await rotated.sessions.findSilent(session.silent_secret, now)).toBeDefined()
    const dropped = opened.storeOf('one', openVault([secrets.other]))
    expect(await dropped.sessions.find(session.secret, now)).toBeUndefined()
  })

  test('no two sessions share a secret', async () => {
    const session = await begin()
    await expect(begin({ secret: session.secret })).rejects.toThrow(/UNIQUE/)
    await expect(begin({ silent_secret: session.silent_secret })).rejects.toThrow(/UNIQUE/)
  })
})

describe.each(kinds)('opaque access tokens over %s', (kind) => {
  const opened = useStore(kind)
  const token = () => ({
    ...{ client_id: 'client', user_id: fresh('auth0|'), session_id: fresh(), audience: ['a', 'b'] },
    ...{ scope: 'openid profile', issued_at: now, ends_at: now + hour },
  })

  test('are found by the token until their end, and not by its hash', async () => {
    const { accessTokens } = opened.store
    const [text, one] = [fresh('lk_at_'), token()]
    await accessTokens.create(text, one)
    expect(await accessTokens.find(text, now)).toEqual(one)
    expect(await accessTokens.find(text, now + hour - 1)).toEqual(one)
    expect(await accessTokens.find(text, now + hour)).toBeUndefined()
    expect(await accessTokens.find(`${text}x`, now)).toBeUndefined()
    expect(await opened.storeOf('two').accessTokens.find(text, now)).toBeUndefined()
    const { token_hash } = await opened.db
      .selectFrom('access_tokens')
      .select('token_hash')
      .where('user_id', '=', one.user_id)
      .executeTakeFirstOrThrow()
    expect(token_hash).not.toContain(text)
    expect(await accessTokens.find(token_hash, now)).toBeUndefined()
  })

  test('without a session there is none, not null', async () => {
    const text = fresh('lk_at_')
    const { session_id: _, ...one } = token()
    await opened.store.accessTokens.create(text, one)
    expect(await opened.store.accessTokens.find(text, now)).toEqual(one)
  })

  test('survive a rotated server secret', async () => {
    const [text, one] = [fresh('lk_at_'), token()]
    await opened.store.accessTokens.create(text, one)
    const rotated = opened.storeOf('one', openVault([secrets.other, secrets.current]))
    expect(await rotated.accessTokens.find(text, now)).toEqual(one)
  })

  test('those of a person are revoked at once, nobody else’s', async () => {
    const { accessTokens } = opened.store
    const [mine, mineToo, theirs] = [fresh(), fresh(), fresh()]
    const [one, other] = [token(), token()]
    await accessTokens.create(mine, one)
    await accessTokens.create(mineToo, one)
    await accessTokens.create(theirs, other)
    await opened.storeOf('two').accessTokens.revokeAllOf(one.user_id)
    expect(await accessTokens.find(mine, now)).toBeDefined()
    await accessTokens.revokeAllOf(one.user_id)
    expect([await accessTokens.find(mine, now), await accessTokens.find(mineToo, now)]).toEqual([undefined, undefined])
    expect(await accessTokens.find(theirs, now)).toEqual(other)
  })
})
