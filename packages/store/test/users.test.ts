/** People: what is written is read, identifiers are unique in their connection, and a race has one winner. */
import { describe, expect, test } from 'vitest'
import { type NewUser, UserExists } from '../src/index.ts'
import { atOnce, fresh, kinds, now, useStore } from './support/stores.ts'

function person(change: Partial<NewUser> = {}): NewUser {
  return { user_id: fresh('auth0|'), connection: 'db', email_verified: false, profile: {}, ...change }
}

function taken(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error: unknown) => (error instanceof UserExists ? error.taken : String(error)),
  )
}

describe.each(kinds)('users over %s', (kind) => {
  const opened = useStore(kind)

  test('what is written is read, by id, address and name', async () => {
    const { users } = opened.store
    const profile = { name: 'Ada', address: { country: 'UK' }, phone_number_verified: true, user_metadata: { a: [1] } }
    const email = `${fresh('Ada')}@Example.com`
    const one = person({ email, username: 'Ada.L', email_verified: true, password_hash: 'h', blocked: true, profile })
    await users.create(one, now)
    const expected = {
      ...{ user_id: one.user_id, connection: 'db', email: email.toLowerCase(), username: 'ada.l', password_hash: 'h' },
      ...{ email_verified: true, blocked: true, profile, logins_count: 0, password_changed_at: now },
      ...{ created_at: now, updated_at: now },
    }
    expect(await users.find(one.user_id)).toEqual(expected)
    expect(await users.findByEmail('db', email.toUpperCase())).toEqual(expected)
    expect(await users.findByUsername('db', 'ADA.l')).toEqual(expected)
  })

  test('absent things are absent, not null', async () => {
    const one = person()
    await opened.store.users.create(one, now)
    const read = await opened.store.users.find(one.user_id)
    expect(Object.keys(read ?? {}).toSorted()).toEqual([
      'blocked',
      'connection',
      'created_at',
      'email_verified',
      'logins_count',
      'profile',
      'updated_at',
      'user_id',
    ])
    expect(await opened.store.users.find('auth0|nobody')).toBeUndefined()
    expect(await opened.store.users.findByEmail('db', 'nobody@example.com')).toBeUndefined()
    expect(await opened.store.users.findByUsername('db', 'nobody')).toBeUndefined()
  })

  test('another connection and another tenant see nobody', async () => {
    const one = person({ email: `${fresh()}@example.com`, username: fresh() })
    await opened.store.users.create(one, now)
    expect(await opened.store.users.findByEmail('other', one.email ?? '')).toBeUndefined()
    expect(await opened.store.users.findByUsername('other', one.username ?? '')).toBeUndefined()
    const two = opened.storeOf('two').users
    expect(await two.find(one.user_id)).toBeUndefined()
    expect(await two.findByEmail('db', one.email ?? '')).toBeUndefined()
    expect(await two.update(one.user_id, { blocked: true }, now)).toBe(false)
    await two.create(one, now)
  })

  test('the address, the name and the id are unique, in any case of letters', async () => {
    const { users } = opened.store
    const one = person({ email: `${fresh('a')}@example.com`, username: fresh('u') })
    await users.create(one, now)
    expect(await taken(users.create(person({ email: one.email?.toUpperCase() ?? '' }), now))).toBe('email')
    expect(await taken(users.create(person({ username: one.username?.toUpperCase() ?? '' }), now))).toBe('username')
    expect(await taken(users.create(person({ user_id: one.user_id }), now))).toBe('user_id')
    expect(await taken(users.create({ ...one, user_id: fresh(), connection: 'second' }, now))).toBe('nothing')
    const two = person({ email: `${fresh('b')}@example.com` })
    await users.create(two, now)
    expect(await taken(users.update(two.user_id, { email: one.email ?? '' }, now))).toBe('email')
    expect(await taken(users.update(two.user_id, { username: one.username ?? '' }, now))).toBe('username')
    expect((await users.find(two.user_id))?.email).toBe(two.email?.toLowerCase())
  })

  test('many people may have no address and no name', async () => {
    const results = await atOnce(5, () => taken(opened.store.users.create(person(), now)))
    expect(new Set(results)).toEqual(new Set(['nothing']))
  })

  test('a hundred sign up with one address: one user', async () => {
    const email = `${fresh('race')}@example.com`
    const results = await atOnce(100, () => taken(opened.store.users.create(person({ email }), now)))
    expect(results.filter((one) => one === 'nothing')).toHaveLength(1)
    expect(results.filter((one) => one === 'email')).toHaveLength(99)
  })

  test('an update writes what it names and leaves the rest', async () => {
    const { users } = opened.store
    const one = person({ email: `${fresh()}@example.com`, password_hash: 'h1', profile: { name: 'A' } })
    await users.create(one, now)
    expect(await users.update(one.user_id, { email_verified: true }, now + 1)).toBe(true)
    expect(await users.find(one.user_id)).toMatchObject({
      email_verified: true,
      password_hash: 'h1',
      updated_at: now + 1,
    })
    await users.update(one.user_id, { blocked: true, password_hash: 'h2', profile: { name: 'B' } }, now + 2)
    expect(await users.find(one.user_id)).toMatchObject({
      ...{ email: one.email?.toLowerCase(), email_verified: true, blocked: true, password_hash: 'h2' },
      profile: { name: 'B' },
    })
    expect(await users.update('auth0|nobody', { blocked: true }, now)).toBe(false)
  })

  test('a stronger hash replaces the one it was made of, and no newer password', async () => {
    const { users } = opened.store
    const one = person({ password_hash: 'weak' })
    await users.create(one, now)
    await users.rehash(one.user_id, 'weak', 'strong')
    expect((await users.find(one.user_id))?.password_hash).toBe('strong')
    await users.update(one.user_id, { password_hash: 'new' }, now)
    await users.rehash(one.user_id, 'strong', 'stronger')
    expect((await users.find(one.user_id))?.password_hash).toBe('new')
  })

  test('a hundred logins at once are a hundred', async () => {
    const one = person()
    await opened.store.users.create(one, now)
    await atOnce(100, () => opened.store.users.recordLogin(one.user_id, '192.0.2.1', now + 5))
    const row = await opened.db.selectFrom('users').selectAll().where('user_id', '=', one.user_id).executeTakeFirst()
    expect(row).toMatchObject({ logins_count: 100, last_login_at: now + 5, last_ip: '192.0.2.1', updated_at: now })
  })

  test('are listed by id, a page at a time', async () => {
    const { users } = opened.storeOf(fresh('tenant'))
    const ids = ['auth0|1', 'auth0|2', 'auth0|3', 'auth0|4', 'auth0|5']
    for (const user_id of ids.toReversed()) await users.create(person({ user_id }), now)
    expect((await users.list(2)).map((one) => one.user_id)).toEqual(ids.slice(0, 2))
    expect((await users.list(2, 'auth0|2')).map((one) => one.user_id)).toEqual(ids.slice(2, 4))
    expect((await users.list(9, 'auth0|4')).map((one) => one.user_id)).toEqual(['auth0|5'])
    expect(await users.list(9, 'auth0|5')).toEqual([])
  })

  test('a profile with a property of every object keeps it as data', async () => {
    const profile = JSON.parse('{"name":"x","user_metadata":{"__proto__":{"admin":true},"constructor":"c"}}')
    const one = person({ profile })
    await opened.store.users.create(one, now)
    expect(JSON.stringify((await opened.store.users.find(one.user_id))?.profile)).toBe(JSON.stringify(profile))
  })
})
