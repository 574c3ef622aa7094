import type { User } from '@latchkey/store'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { formatPlan } from '../src/tenant_file/index.ts'
import { type Fixture, openFixture, passwords } from './tenant_file_fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await openFixture()
  await fixture.apply('databases: [{ name: People }]')
  return () => fixture.db.destroy()
})
afterAll(() => passwords.close())

const find = (email: string): Promise<User | undefined> => fixture.store.users.findByEmail('People', email)

async function signIn(user: User | undefined): Promise<void> {
  if (user === undefined) throw new Error('nobody to sign in')
  const at = fixture.now
  await fixture.store.sessions.create(
    {
      session_id: 'sid',
      secret: 'secret',
      silent_secret: 'silent',
      user_id: user.user_id,
      auth_time: 0,
      amr: ['pwd'],
      idle_ends_at: at + 1e6,
      ends_at: at + 1e6,
    },
    at,
  )
}

describe('a user', () => {
  test('is made with everything the file says', async () => {
    await fixture.apply(`
users:
  - email: Dana@Example.com
    email_verified: true
    username: Dana
    password: correct horse
    name: Dana Example
    birthdate: 2000-01-02
    phone_number: "+4930123456"
    user_metadata: { theme: dark }
    app_metadata: { plan: pro, seats: 3 }
`)
    const user = await find('dana@example.com')
    expect(user).toMatchObject({
      user_id: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/),
      connection: 'People',
      email: 'dana@example.com',
      email_verified: true,
      username: 'dana',
      blocked: false,
      profile: {
        name: 'Dana Example',
        birthdate: '2000-01-02',
        phone_number: '+4930123456',
        user_metadata: { theme: 'dark' },
        app_metadata: { plan: 'pro', seats: 3 },
      },
    })
    expect(user?.password_hash).toMatch(/^\$argon2id\$/)
    expect((await passwords.verify(user?.password_hash, 'correct horse')).ok).toBe(true)
  })

  test('applied twice is the same user, with the same hash', async () => {
    const text = 'users: [{ email: a@example.com, password: correct horse, name: A }]'
    await fixture.apply(text)
    const before = await find('a@example.com')
    expect((await fixture.apply(text)).changes).toEqual([])
    expect(await find('a@example.com')).toEqual(before)
  })

  test('changes where the file differs, and is signed out when the way to sign in changed', async () => {
    const version = () => fixture.store.configuration.version()
    await fixture.apply('users: [{ email: a@example.com, password: first one, nickname: a, user_metadata: { x: 1 } }]')
    await signIn(await find('a@example.com'))
    const before = await version()
    await fixture.apply('users: [{ email: a@example.com, password: first one, nickname: b, user_metadata: { y: 2 } }]')
    expect((await find('a@example.com'))?.profile).toEqual({ nickname: 'b', user_metadata: { x: 1, y: 2 } })
    expect(await fixture.store.sessions.isLive('sid', fixture.now)).toBe(true)

    const { changes } = await fixture.apply('users: [{ email: a@example.com, password: second one }]')
    expect(changes).toMatchObject([{ kind: 'user', action: 'update', fields: [{ name: 'password' }] }])
    expect(formatPlan({ changes, ignored: [], warnings: [] })).not.toContain('second one')
    expect((await passwords.verify((await find('a@example.com'))?.password_hash, 'second one')).ok).toBe(true)
    expect(await fixture.store.sessions.isLive('sid', fixture.now)).toBe(false)
    // People are not kept in the memory of running servers, so nothing needs reading again.
    expect(await version()).toBe(before)
  })

  test('keeps what changed between the plan and its execution, but for what the file says', async () => {
    await fixture.apply('users: [{ email: a@example.com, password: first one, nickname: a, user_metadata: { x: 1 } }]')
    const late = await fixture.plan('users: [{ email: a@example.com, password: first one, nickname: b }]')
    const { user_id = '' } = (await find('a@example.com')) ?? {}
    const password_hash = await passwords.hash('second one')
    const meanwhile = { password_hash, email_verified: true, blocked: true, profile: { name: 'A', nickname: 'z' } }
    await fixture.store.users.update(user_id, meanwhile, fixture.now)
    await signIn(await find('a@example.com'))
    await late.apply()
    expect(await find('a@example.com')).toMatchObject({
      ...{ password_hash, email_verified: true, blocked: true },
      profile: { name: 'A', nickname: 'b' },
    })
    expect((await find('a@example.com'))?.profile).not.toHaveProperty('user_metadata')
    expect(await fixture.store.sessions.isLive('sid', fixture.now)).toBe(true)
  })

  test('blocked is signed out', async () => {
    await fixture.apply('users: [{ email: a@example.com }]')
    await signIn(await find('a@example.com'))
    await fixture.apply('users: [{ email: a@example.com, blocked: true }]')
    expect((await find('a@example.com'))?.blocked).toBe(true)
    expect(await fixture.store.sessions.isLive('sid', fixture.now)).toBe(false)
  })

  test('is found by user_id, so that the address can change', async () => {
    await fixture.apply('users: [{ user_id: "auth0|abc", email: a@example.com }]')
    await fixture.apply('users: [{ user_id: abc, email: b@example.com }]')
    expect(await find('a@example.com')).toBeUndefined()
    expect(await find('b@example.com')).toMatchObject({ user_id: 'auth0|abc' })
  })

  test('can be left alone once it is there', async () => {
    await fixture.apply('users: [{ email: a@example.com, password: first one }]')
    const { changes } = await fixture.apply('users: [{ email: a@example.com, password: other }]', {
      existing_users: 'keep',
    })
    expect(changes).toEqual([])
    expect((await passwords.verify((await find('a@example.com'))?.password_hash, 'first one')).ok).toBe(true)
  })

  test('goes to the default directory where there are several', async () => {
    await fixture.apply(`
databases: [{ name: Staff }]
tenant: { default_directory: Staff }
users: [{ email: a@example.com }]
`)
    expect(await fixture.store.users.findByEmail('Staff', 'a@example.com')).toBeDefined()
  })
})

describe('a password that was hashed elsewhere', () => {
  // bcrypt of "hello", 4 rounds; and the SHA-256 of "hello".
  const bcrypt = '$2b$04$1122334455667788990011jyXoNc1PEkjJyWz3ZKjVAlTYyYPkDhK'
  const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'

  test('is kept as it is, and replaced by nothing weaker later', async () => {
    const text = `users: [{ email: a@example.com, password_hash: "${bcrypt}" }]`
    await fixture.apply(text)
    expect((await find('a@example.com'))?.password_hash).toBe(bcrypt)
    const user = await find('a@example.com')
    await fixture.store.users.rehash(user?.user_id ?? '', bcrypt, '$argon2id$stronger')
    expect((await fixture.apply(text)).changes).toEqual([])
    expect((await find('a@example.com'))?.password_hash).toBe('$argon2id$stronger')
  })

  test('may be a custom hash', async () => {
    await fixture.apply(`
users:
  - email: a@example.com
    custom_password_hash:
      algorithm: sha256
      hash: { value: ${digest}, encoding: hex }
`)
    const user = await find('a@example.com')
    expect((await passwords.verify(user?.password_hash, 'hello')).ok).toBe(true)
    expect((await passwords.verify(user?.password_hash, 'hullo')).ok).toBe(false)
  })

  test.each([
    ['an unknown hash', 'password_hash: nonsense', 'password_hash'],
    [
      'a custom hash of an unknown algorithm',
      'custom_password_hash: { algorithm: rot13, hash: { value: x } }',
      'custom_password_hash',
    ],
    ['two passwords', 'password: x, password_hash: y', 'password_hash'],
  ])('%s is refused', async (_name, fields, path) => {
    const problems = await fixture.problems(`users: [{ email: a@example.com, ${fields} }]`)
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(problem).toContain(`users[0].${path}: `)
  })
})

describe('a user is refused', () => {
  test.each([
    ['without address and name', 'users: [{ name: A }]', 'users[0]'],
    ['with a bad address', 'users: [{ email: "a@b@c" }]', 'users[0].email'],
    ['with a bad name', 'users: [{ username: "a b" }]', 'users[0].username'],
    ['twice', 'users: [{ email: a@example.com }, { email: A@example.com }]', 'users[1]'],
    ['in a connection that is not there', 'users: [{ email: a@example.com, connection: No }]', 'users[0].connection'],
    ['without a connection to choose', 'databases: [{ name: Other }]\nusers: [{ email: a@example.com }]', 'users[0]'],
    ['with a picture that is script', 'users: [{ email: a@example.com, picture: "javascript:1" }]', 'users[0].picture'],
    ['with a number that is none', 'users: [{ email: a@example.com, phone_number: "030 1" }]', 'users[0].phone_number'],
    [
      'without the name that its connection requires',
      'databases: [{ name: People, options: { requires_username: true } }]\nusers: [{ email: a@example.com }]',
      'users[0]',
    ],
  ])('%s', async (_name, text, path) => {
    const problems = await fixture.problems(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${path}: `)
  })

  test('with an address that is another user', async () => {
    await fixture.apply('users: [{ user_id: one, email: a@example.com }, { user_id: two, email: b@example.com }]')
    const problems = await fixture.problems('users: [{ user_id: one, email: b@example.com }]')
    expect(problems).toEqual([expect.stringContaining('This email belongs to the user auth0|two')])
  })
})
