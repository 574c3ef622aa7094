import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, connection, tenant } from '../support/tenant.ts'

const named = 'Named'
const closed = 'Open-to-nobody'
const strict = 'Strict'
const more = `
tenant: { default_directory: ${connection} }
databases:
  - { name: ${named}, strategy: auth0, options: { requires_username: true } }
  - { name: ${closed}, strategy: auth0, options: { disable_signup: true } }
  - name: ${strict}
    strategy: auth0
    options:
      passwordPolicy: excellent
      password_complexity_options: { min_length: 10 }
      password_dictionary: { enable: true, dictionary: ['Volkswagen-2019'] }
      password_no_personal_info: { enable: true }
`

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] } })
  await latchkey.apply(more)
})
afterAll(() => latchkey.close())

let addresses = 0
const valid = () => ({
  client_id: clients.spa,
  connection,
  email: `${crypto.randomUUID()}@example.com`,
  password: 'Correct-Horse-9',
})

async function signUp(change: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${latchkey.issuer}dbconnections/signup`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1`,
      ...headers,
    },
    body: JSON.stringify({ ...valid(), ...change }),
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
}

describe('POST /dbconnections/signup', () => {
  test('the answer: _id, email, email_verified and no more', async () => {
    const { status, body } = await signUp({ email: 'Mixed.Case@Example.com' })
    expect(status).toBe(200)
    expect(body).toEqual({
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      email: 'mixed.case@example.com',
      email_verified: false,
    })
  })

  test('profile fields and user_metadata are kept and come back; what a person may not set is ignored', async () => {
    const profile = {
      given_name: 'Zoë',
      family_name: '魏',
      name: 'Zoë 魏',
      nickname: 'z',
      picture: 'https://example.com/z.png',
    }
    const user_metadata = { colour: 'green', shoe: '42' }
    const { email, ...rest } = valid()
    const evil = {
      email_verified: true,
      blocked: false,
      app_metadata: { admin: true },
      user_id: 'auth0|1',
      _id: 'x',
      logins_count: 9,
    }
    const { status, body } = await signUp({ ...rest, ...evil, ...profile, user_metadata, email })
    expect(status).toBe(200)
    expect(body).toEqual({ _id: expect.any(String), email, email_verified: false, ...profile, user_metadata })
    expect(body._id).not.toBe('x')
    const { parameters } = outcomeOf(await signIn(new Agent(), latchkey.issuer, {}, { email, password: rest.password }))
    expect(claimsOf(parameters.id_token)).toMatchObject({
      ...profile,
      email,
      email_verified: false,
      sub: `auth0|${body._id}`,
    })
    expect(claimsOf(parameters.id_token)).not.toHaveProperty('user_metadata')
  })

  test('it signs nobody in', async () => expect((await signUp()).headers.getSetCookie()).toEqual([]))

  test('a form is read like JSON', async () => {
    const answer = await fetch(`${latchkey.issuer}dbconnections/signup`, {
      method: 'POST',
      body: new URLSearchParams(valid()),
    })
    expect(answer.status).toBe(200)
  })

  for (const [name, change, code, description] of [
    ['no client_id', { client_id: undefined }, 'invalid_request', /client_id/],
    ['an unknown client', { client_id: 'nobody' }, 'invalid_request', /Unknown client/],
    ['no connection', { connection: undefined }, 'invalid_request', /connection/],
    ['an unknown connection', { connection: 'nowhere' }, 'invalid_request', /connection was not found/],
    ['no e-mail', { email: undefined }, 'invalid_request', /email/],
    ['an empty e-mail', { email: '' }, 'invalid_request', /email/],
    ['no password', { password: undefined }, 'invalid_request', /password/],
    ['a password that is a number', { password: 12345678 }, 'invalid_request', /password must be a string/],
    ['no address at all', { email: 'ada' }, 'invalid_signup', /not valid/],
    ['two addresses', { email: 'a@example.com,b@example.com' }, 'invalid_signup', /not valid/],
    ['a name before the address', { email: 'Ada <a@example.com>' }, 'invalid_signup', /not valid/],
    ['a line break in the address', { email: 'a@example.com\r\nBcc: b@example.com' }, 'invalid_signup', /not valid/],
    ['255 characters', { email: `${'a'.repeat(60)}@${'b'.repeat(190)}.com` }, 'invalid_signup', /not valid/],
    ['a sign-up that is closed', { connection: closed }, 'unauthorized', 'Public signup is disabled'],
    ['no username where there are usernames', { connection: named }, 'invalid_signup', /username/],
    ['a username with a space', { connection: named, username: 'a b' }, 'invalid_signup', /username/],
    ['a given_name of 301 characters', { given_name: 'n'.repeat(301) }, 'invalid_request', /given_name/],
    [
      'eleven entries of user_metadata',
      { user_metadata: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v'])) },
      'invalid_request',
      /user_metadata/,
    ],
    ['an object in user_metadata', { user_metadata: { a: { b: 'c' } } }, 'invalid_request', /user_metadata/],
    ['501 characters in user_metadata', { user_metadata: { a: 'v'.repeat(501) } }, 'invalid_request', /user_metadata/],
    ['an array as user_metadata', { user_metadata: ['a'] }, 'invalid_request', /user_metadata/],
  ] as const)
    test(`${name} is ${code}`, async () => {
      const { status, body } = await signUp(change)
      expect([status, body.code, body.statusCode]).toEqual([400, code, 400])
      expect(body.description).toMatch(description)
    })

  test('a username may be used once, whatever its letters', async () => {
    expect((await signUp({ connection: named, username: 'Ada.L' })).body).toMatchObject({ username: 'ada.l' })
    expect((await signUp({ connection: named, username: 'ada.L' })).body).toMatchObject({ code: 'invalid_signup' })
  })

  test('fifty at once with one address make one person', async () => {
    const { email } = valid()
    const all = await Promise.all(Array.from({ length: 50 }, () => signUp({ email })))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    // On a machine that has no time for so many passwords, some are told to come again.
    expect(all.filter(({ status }) => status !== 200 && status !== 400 && status !== 503)).toEqual([])
    expect(all.filter(({ status }) => status === 400).length).toBeGreaterThan(0)
  })
})

describe('password policies', () => {
  for (const [name, change, error, message] of [
    ['too short', { password: 'Ab1!' }, 'PasswordStrengthError', 'Password is too weak'],
    ['one kind of character', { password: 'aaaabbbbcccc' }, 'PasswordStrengthError', 'Password is too weak'],
    [
      'three in a row, excellent',
      { connection: strict, password: 'Aaa111!!!bbb' },
      'PasswordStrengthError',
      'Password is too weak',
    ],
    [
      'nine characters where ten are asked',
      { connection: strict, password: 'Abcdef1!g' },
      'PasswordStrengthError',
      'Password is too weak',
    ],
    [
      'in the dictionary',
      { connection: strict, password: 'Volkswagen-2019' },
      'PasswordDictionaryError',
      'Password is too common',
    ],
    [
      'with the own name',
      { connection: strict, password: 'Xy-1-Lovelace-9', family_name: 'Lovelace' },
      'PasswordNoUserInfoError',
      'Password contains user information',
    ],
    ['without end', { password: 'Aa1!'.repeat(500) }, 'PasswordStrengthError', 'Password is too weak'],
  ] as const)
    test(`${name}: invalid_password, ${error}`, async () => {
      const { status, body } = await signUp(change)
      expect(status).toBe(400)
      expect(body).toMatchObject({ code: 'invalid_password', name: error, message, statusCode: 400 })
      if (error === 'PasswordStrengthError')
        expect(body).toMatchObject({
          policy: expect.stringContaining('* At least'),
          description: { rules: expect.any(Array), verified: false },
        })
      expect(JSON.stringify(body)).not.toContain(change.password)
    })
})

describe('the sign-up page', () => {
  test('it signs the new person in, and writes a mail', async () => {
    const agent = new Agent()
    const email = 'page@example.com'
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { screen_hint: 'signup', connection }))
    const { parameters } = outcomeOf(await agent.submit(page, { email, password: 'Correct-Horse-9' }))
    expect(claimsOf(parameters.id_token)).toMatchObject({ email, email_verified: false })
    expect((await latchkey.mails())[0]).toMatchObject({ kind: 'verify_email', to: email })
    expect(outcomeOf(await silently(agent, latchkey.issuer)).parameters).toHaveProperty('id_token')
  })

  for (const [name, fields, problem] of [
    ['no e-mail', { password: 'Correct-Horse-9' }, 'problem-missing-email'],
    ['no password', { email: 'x@example.com' }, 'problem-missing-password'],
    ['a weak password', { email: 'x@example.com', password: 'Fb-1' }, 'problem-password-strength-error'],
    ['no address', { email: 'x', password: 'Correct-Horse-9' }, 'problem-invalid-email'],
  ] as const)
    test(`${name}: the page again with the problem, what was typed, and never the password`, async () => {
      const agent = new Agent()
      const page = await agent.visit(authorizeUrl(latchkey.issuer, { screen_hint: 'signup', connection }))
      const again = await agent.submit(page, fields)
      expect([again.status, new URL(again.url).pathname]).toEqual([400, '/u/signup'])
      expect(again.body).toContain(problem)
      if ('email' in fields) expect(again.body).toContain(`value="${fields.email}"`)
      if ('password' in fields) expect(again.body).not.toContain(fields.password)
    })

  test('closed, it is refused; the login page has no link to it', async () => {
    const agent = new Agent()
    const login = await agent.visit(authorizeUrl(latchkey.issuer, { connection: closed }))
    expect(login.body).not.toContain('/u/signup')
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { connection: closed, screen_hint: 'signup' }))
    expect(page.status).toBe(403)
    expect(isPage(page, '/u/signup')).toBe(false)
  })
})
