/** Signing up and in: what an address, a name and a password must be, and that nobody learns who has an account. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  isEmail,
  isUsername,
  newUserId,
  password,
  type SignupForm,
  signUp,
  unblockByTicket,
  verifyEmail,
} from '../src/index.ts'
import { database, openWorld, type World } from './support/world.ts'

const good = 'Correct-Horse-7'
const connections = {
  plain: database({ passwordPolicy: 'good' }),
  named: database({ requires_username: true }, 'named'),
  closed: database({ disable_signup: true }, 'closed'),
  unguarded: database({ brute_force_protection: false }, 'unguarded'),
}

let world: World
beforeAll(async () => {
  world = await openWorld(Object.values(connections))
})
afterAll(() => world.close())
afterEach(() => {
  world.mails.splice(0)
  world.advance(60_000)
})

const form = (change: Partial<SignupForm> = {}): SignupForm => ({
  ...{
    connection: connections.plain,
    email: 'ada@example.com',
    password: good,
    profile: {},
    ip: '192.0.2.1',
    ...change,
  },
})
async function told(change: Partial<SignupForm>): Promise<string> {
  const outcome = await signUp(world.ctx, form(change))
  return 'problem' in outcome ? outcome.problem.code : 'created'
}

describe('isEmail', () => {
  test.each([
    ...[
      'a@example.com',
      'ada.lovelace@example.com',
      'a+tag@sub.example.co.uk',
      "o'hara@example.com",
      'o.hara_1-2=3/4?5{6}@example.com',
      'é@exämple.de',
    ],
    ...['用户@例子.中国', `${'a'.repeat(64)}@example.com`, 'a@xn--e1aybc.xn--p1ai', 'A@EXAMPLE.COM', '1@2.34'],
  ])('%s', (text) => expect(isEmail(text)).toBe(true))

  test.each([
    ...['', 'a', 'a@', '@example.com', 'a@b', 'a@example', 'a@@example.com', 'a@b@example.com', 'a b@example.com'],
    ...[
      'a@exam ple.com',
      ' a@example.com',
      'a@example.com ',
      'a@example.com\n',
      'a\n@example.com',
      'a@example.com\r\nBcc: b@x.yz',
    ],
    ...['a\0@example.com', 'a\x7f@example.com', 'a\u00a0@example.com', 'a\u2028@example.com', 'a\u0085@example.com'],
    ...[
      '<a@example.com>',
      '"a"@example.com',
      'a@[192.0.2.1]',
      'a(comment)@example.com',
      'a,b@example.com',
      'a;b@example.com',
    ],
    ...[
      'a:b@example.com',
      'a\\@example.com',
      'a@example.c',
      'a@.example.com',
      'a@example..com',
      'a@example.com.',
      'a@.com',
    ],
    ...['a@-example.com', 'a@example-.com', `a@b${"'"}c.com`, 'a@example.com-'],
    ...[
      'a\u200b@example.com',
      'a\u202e@example.com',
      '\ufeffa@example.com',
      'a@exam\u00adple.com',
      'a\ud800@example.com',
    ],
    ...[
      `${'a'.repeat(65)}@example.com`,
      `a@${'b'.repeat(250)}.com`,
      `a@${'b'.repeat(64)}.com`,
      'undefined',
      'javascript:alert(1)',
    ],
  ])('not %j', (text) => expect(isEmail(text)).toBe(false))

  test('takes no longer for a long text', () => {
    const start = performance.now()
    for (const text of ['a@'.repeat(100_000), `a@${'a.'.repeat(120)}`, `a@${'-'.repeat(250)}`, `${'a.'.repeat(31)}@x.`])
      isEmail(text)
    expect(performance.now() - start).toBeLessThan(50)
  })
})

describe('isUsername', () => {
  test.each(['a', 'ada.lovelace', 'Ada_7', "^$.!`-#+'~_", 'x'.repeat(128), '...'])('%s', (text) =>
    expect(isUsername(text)).toBe(true),
  )
  test.each([undefined, '', 'x'.repeat(129), 'a b', 'a@b', 'é', 'a\n', 'a/b', '<b>', 'a"b', '🔑', 'a\0'])(
    'not %j',
    (text) => expect(isUsername(text)).toBe(false),
  )
})

describe('ids', () => {
  test('are those of Auth0: 24 hexadecimal digits of chance', () => {
    expect(newUserId(world.ctx.random)).toMatch(/^auth0\|[0-9a-f]{24}$/)
    expect(newUserId(() => Buffer.alloc(12, 255).toString('base64url'))).toBe(`auth0|${'f'.repeat(24)}`)
    expect(newUserId(world.ctx.random)).not.toBe(newUserId(world.ctx.random))
  })
})

describe('contract M18 sign-up', () => {
  test('makes a person whose address is not verified yet, and sends the mail that does it', async () => {
    const outcome = await signUp(world.ctx, form({ email: 'Grace@Example.com', profile: { name: 'Grace' } }))
    if (!('user' in outcome)) throw new Error(outcome.problem.code)
    expect(outcome.user).toMatchObject({
      email: 'grace@example.com',
      email_verified: false,
      profile: { name: 'Grace' },
    })
    expect(outcome.user.password_hash).toMatch(/^\$argon2id\$/)
    expect(world.mails).toMatchObject([{ kind: 'verify_email', to: 'grace@example.com' }])
    expect(await verifyEmail(world.ctx, world.mails[0]?.ticket ?? '')).toBe(true)
    expect(await told({ email: 'grace@EXAMPLE.com' })).toBe('user_exists')
    expect(world.mails).toHaveLength(1)
  })

  test.each<[string, Partial<SignupForm>, string]>([
    ['switched off', { connection: connections.closed }, 'signup_disabled'],
    ['no address', { email: 'ada' }, 'invalid_email'],
    ['a short password', { password: 'Ab1!' }, 'invalid_password'],
    ['a plain password', { password: 'abcdefgh' }, 'invalid_password'],
    ['no user name where one is needed', { connection: connections.named }, 'invalid_username'],
    [
      'a user name that is an address',
      { connection: connections.named, username: 'a@example.com' },
      'invalid_username',
    ],
    ['a bad user name where none is needed', { username: 'victim@example.com' }, 'invalid_username'],
  ])('%s', async (_, change, code) => {
    expect(await told(change)).toBe(code)
    expect(world.mails).toEqual([])
  })

  test('a user name is taken once in its connection', async () => {
    const named = { connection: connections.named, username: 'Ada' }
    expect(await told({ ...named, email: 'one@example.com' })).toBe('created')
    expect(await told({ ...named, email: 'two@example.com', username: 'ADA' })).toBe('username_exists')
    expect(await told({ ...named, email: 'one@example.com', username: 'other' })).toBe('user_exists')
  })

  test('five at once with one address are one person', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => told({ email: 'race@example.com' })))
    expect(outcomes.toSorted()).toEqual(['created', ...Array(4).fill('user_exists')])
    expect(world.mails).toHaveLength(1)
  })

  test('an address of a network signs up so often in a minute', async () => {
    const problems: string[] = []
    for (let index = 0; index < 6; index++) problems.push(await told({ email: 'race@example.com', ip: '192.0.2.8' }))
    expect(problems).toEqual([...Array(5).fill('user_exists'), 'too_many_signups'])
  })
})

describe('RFC 8176 §2 signing in with a password', () => {
  const attempt = (identifier: string, given = good, connection = connections.plain, ip = '198.51.100.1') =>
    password.verify(world.ctx, { connection, identifier, password: given, ip })

  test('by the address, in any letters; the session says how', async () => {
    const outcome = await attempt(' GRACE@example.com ')
    expect(outcome).toMatchObject({ user: { email: 'grace@example.com' } })
    expect(password.amr).toEqual(['pwd'])
    expect(await attempt('grace@example.com', 'wrong')).toEqual({ problem: 'wrong_credentials' })
    expect(await attempt('nobody@example.com')).toEqual({ problem: 'wrong_credentials' })
    expect(await attempt('grace@example.com', good, connections.unguarded)).toEqual({ problem: 'wrong_credentials' })
  })

  test('by the user name where the connection has them, never by somebody’s address as a name', async () => {
    expect(await attempt('aDa', good, connections.named)).toMatchObject({ user: { username: 'ada' } })
    expect(await attempt('one@example.com', good, connections.named)).toMatchObject({ user: { username: 'ada' } })
    expect(await attempt('ada')).toEqual({ problem: 'wrong_credentials' })
  })

  test('a right password counts the visit; a wrong one does not', async () => {
    const before = (await attempt('grace@example.com')) as { user: { user_id: string; logins_count: number } }
    await attempt('grace@example.com', 'wrong')
    const after = await world.ctx.store.users.find(before.user.user_id)
    expect(after?.logins_count).toBe(before.user.logins_count + 1)
  })

  test('fifteen wrong ones at once: ten are judged, the person is told once, and the right one is refused from there', async () => {
    const crowd = '198.51.100.9'
    const { length } = (
      await Promise.all(
        Array.from({ length: 15 }, () => attempt('grace@example.com', 'wrong', connections.plain, crowd)),
      )
    ).filter((one) => 'problem' in one && one.problem === 'wrong_credentials')
    expect(length).toBe(10)
    expect(world.mails.map((mail) => mail.kind)).toEqual(['blocked_account'])
    expect(await attempt('grace@example.com', good, connections.plain, crowd)).toEqual({ problem: 'too_many_attempts' })
    expect(await attempt('grace@example.com', good, connections.plain, '198.51.100.2')).toMatchObject({ user: {} })
  })

  test('ten wrong ones for the address and for the user name together block the person, who may lift it', async () => {
    const from = '198.51.100.4'
    const told: string[] = []
    for (const identifier of ['one@example.com', 'ada', 'ONE@example.com', 'Ada'].flatMap((one) => [one, one, one])) {
      const outcome = await attempt(identifier, 'wrong', connections.named, from)
      told.push('problem' in outcome ? outcome.problem : 'signed in')
    }
    expect(told).toEqual([...Array(10).fill('wrong_credentials'), 'too_many_attempts', 'too_many_attempts'])
    expect(world.mails.map((mail) => mail.kind)).toEqual(['blocked_account'])
    expect(await unblockByTicket(world.ctx, world.mails[0]?.ticket ?? '')).toBe(true)
    world.advance(60_000)
    for (const identifier of ['ada', 'one@example.com'])
      expect(await attempt(identifier, good, connections.named, from)).toMatchObject({ user: { username: 'ada' } })
  })

  test('attempts that the workers had no room to judge are not held against the person', async () => {
    const { Busy } = await import('../src/index.ts')
    const busy = { ...world.ctx, passwords: { ...world.ctx.passwords, verify: () => Promise.reject(new Busy(1)) } }
    const one = { connection: connections.plain, identifier: 'one@x.example', password: good, ip: '198.51.100.3' }
    for (let index = 0; index < 12; index++)
      expect(await password.verify(busy, one)).toEqual({ problem: 'unavailable' })
    expect(await password.verify(world.ctx, one)).toEqual({ problem: 'wrong_credentials' })
  })
})
