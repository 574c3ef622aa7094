import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { blocked, clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] } })
})
afterAll(() => latchkey.close())

let addresses = 0
/** From an address of its own, so that no limit is in the way. */
const visitor = () => new Agent({ 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` })
const unknown = () => `${crypto.randomUUID()}@example.com`
const wrong = 'Wrong-Horse-7'

/** What an observer can compare: everything but what is new in each answer, and what was typed. */
function seen(answer: Answer, typed: string): unknown {
  const body = answer.body
    .replaceAll(typed, 'TYPED')
    .replaceAll(/(nonce|csrf|state|value)="[\w.-]{16,}"/g, '$1="…"')
    .replaceAll(/state=[\w-]+/g, 'state=…')
  const headers = [...answer.headers].filter(
    ([name]) =>
      !['date', 'content-length', 'content-security-policy'].includes(name) && !name.startsWith('x-ratelimit'),
  )
  return {
    status: answer.status,
    body,
    headers: headers.map(([name, value]) => [name, name === 'set-cookie' ? value.split('=')[0] : value]),
  }
}

async function login(username: string, password: string): Promise<Answer> {
  const agent = visitor()
  return agent.submit(await agent.visit(authorizeUrl(latchkey.issuer)), { username, password })
}

function call(path: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return visitor().request(`${latchkey.issuer}dbconnections/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
}

async function forgot(email: string): Promise<Answer> {
  const agent = visitor()
  return agent.submit(await agent.visit(`${latchkey.issuer}u/reset-password/request`), { email })
}

const changePassword = (email: string) => call('change_password', { email, connection, client_id: clients.spa })
const signUp = (email: string) =>
  call('signup', { client_id: clients.spa, connection, email, password: 'Correct-Horse-9' })

async function signUpPage(email: string): Promise<Answer> {
  const agent = visitor()
  const page = await agent.visit(authorizeUrl(latchkey.issuer, { screen_hint: 'signup' }))
  return agent.submit(page, { email, password: 'Correct-Horse-9' })
}

describe('who has an account is told to nobody', () => {
  test('login: a wrong password, an unknown person and a blocked one look alike', async () => {
    const nobody = unknown()
    const expected = seen(await login(nobody, wrong), nobody)
    expect(expected).toMatchObject({ status: 400 })
    expect(seen(await login(person.email, wrong), person.email)).toEqual(expected)
    expect(seen(await login(blocked.email, wrong), blocked.email)).toEqual(expected)
  })

  test('forgotten password, on the page and at /dbconnections/change_password', async () => {
    for (const ask of [forgot, changePassword]) {
      const nobody = unknown()
      const expected = seen(await ask(nobody), nobody)
      expect(expected).toMatchObject({ status: 200 })
      expect(seen(await ask(person.email), person.email)).toEqual(expected)
      expect(seen(await ask(person.email.toUpperCase()), person.email.toUpperCase())).toEqual(expected)
    }
    expect((await latchkey.mails()).filter(({ to }) => to !== person.email)).toEqual([])
  })

  test('sign-up of an address that is taken: invalid_signup, in one form or the other, and no other word', async () => {
    const answer = await signUp(person.email)
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      400,
      { code: 'invalid_signup', description: 'Invalid sign up' },
    ])
    const page = await signUpPage(person.email)
    expect(page.status).toBe(400)
    expect(page.body).toContain('problem-invalid-signup')
    for (const { body } of [answer, page]) expect(body).not.toMatch(/exists|taken|already (?:registered|in use)/i)
  })

  test('a tenant may want it told: user_exists', async () => {
    await latchkey.apply('tenant: { flags: { enable_public_signup_user_exists_error: true } }')
    expect(JSON.parse((await signUp(person.email)).body)).toMatchObject({
      code: 'user_exists',
      description: 'The user already exists.',
    })
    expect((await signUpPage(person.email)).body).toContain('problem-user-exists')
    await latchkey.apply('tenant: { flags: { enable_public_signup_user_exists_error: false } }')
  })

  test('a silent request with the login_hint of somebody tells nothing', async () => {
    const ask = (login_hint: string) => visitor().request(authorizeUrl(latchkey.issuer, { prompt: 'none', login_hint }))
    expect((await ask(person.email)).location).toBe((await ask(unknown())).location)
  })
})

/** The quickest of several, in milliseconds: what else the machine does only ever adds. */
async function quickest(
  rounds: number,
  first: () => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<readonly [number, number]> {
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < rounds; round++)
    for (const [index, work] of [first, other].entries()) {
      const begun = performance.now()
      await work()
      best[index] = Math.min(best[index] ?? 0, performance.now() - begun)
    }
  return best
}

describe('nor by how long an answer takes', () => {
  // A busy machine may spoil one measurement; a difference that is there spoils every one.
  for (const [name, rounds, known, nobody] of [
    ['login', 8, () => login(person.email, wrong), () => login(unknown(), wrong)],
    ['change_password', 3, () => changePassword(person.email), () => changePassword(unknown())],
    ['the page for a forgotten password', 3, () => forgot(person.email), () => forgot(unknown())],
    ['sign-up', 8, () => signUp(person.email), () => signUp(unknown())],
  ] as const)
    test(`${name}: both take as long`, { retry: 2 }, async () => {
      const [one, two] = await quickest(rounds, known, nobody)
      expect(Math.abs(one - two), `${one} ms and ${two} ms`).toBeLessThan(5 + 0.25 * Math.max(one, two))
    })
})
