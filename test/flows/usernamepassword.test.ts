import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, formOf, fragmentOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { blocked, callback, clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-own-pages-'))
  latchkey = await startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] } })
  await latchkey.apply(moreTenant)
})
afterAll(async () => {
  await latchkey.close()
  rmSync(folder, { recursive: true })
})

let addresses = 0
/** A browser at an address that no other test uses. */
const fresh = (address = `203.0.113.${++addresses}`) => new Agent({ 'x-forwarded-for': address })

interface Trip {
  readonly agent: Agent
  readonly state: string
  readonly csrf: string
}

/** A trip that has come to the login page. */
async function begin(agent = fresh(), change: Parameters = {}): Promise<Trip> {
  const page = await agent.visit(authorizeUrl(latchkey.issuer, change))
  expect(isPage(page, '/u/login')).toBe(true)
  const { state = '', csrf = '' } = formOf(page).fields
  return { agent, state, csrf }
}

type Body = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

async function post({ agent }: Trip, path: string, body: unknown, headers: Headers = {}) {
  const answer = await agent.request(`${latchkey.issuer}${path}`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', origin: latchkey.issuer.slice(0, -1), 'sec-fetch-site': 'same-origin' },
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { ...answer, json: () => JSON.parse(answer.body) as Record<string, unknown> }
}

const good = ({ state, csrf }: Trip): Body => ({
  ...{ client_id: clients.spa, redirect_uri: callback, response_type: 'token', tenant: 'default' },
  ...{ scope: 'openid', nonce: 'made-by-the-page', state, _csrf: csrf, _intstate: 'deprecated' },
  ...{ connection, username: person.email, password: person.password },
})

const call = (trip: Trip, change: Body = {}, headers: Headers = {}) =>
  post(trip, 'usernamepassword/login', { ...good(trip), ...change }, headers)

/** What the page does with the form: a browser that sends it says nothing of its origin, for the page has no referrer. */
const handOver = (trip: Trip, answer: Answer, change: Headers = {}, headers: Headers = {}) =>
  trip.agent.submit(answer, change, headers)

const failure = (code: string, statusCode: number) => ({
  ...{ code, statusCode, error: code, description: expect.any(String), error_description: expect.any(String) },
})

describe('POST /usernamepassword/login', () => {
  test('the right password: a form that hands over to the trip, and nobody is signed in before it is sent', async () => {
    const trip = await begin()
    const answer = await call(trip)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.body).toMatch(/^<form method="post"/)
    const { action, fields } = formOf(answer)
    expect(action).toBe(`${latchkey.issuer}login/callback`)
    expect(fields).toEqual({ wa: 'wsignin1.0', wresult: expect.stringMatching(/^[\w-]{100,}$/), wctx: trip.state })
    expect(answer.headers.getSetCookie()).toEqual([])
    expect(fragmentOf((await silently(trip.agent, latchkey.issuer)).location).error).toBe('login_required')

    const { parameters, target } = outcomeOf(await handOver(trip, answer))
    expect(target).toBe(callback)
    expect(claimsOf(parameters.id_token)).toMatchObject({ email: person.email, nonce: 'n-0S6_WzA2Mj' })
    expect(fragmentOf((await silently(trip.agent, latchkey.issuer)).location)).toHaveProperty('access_token')
  })

  test('its answers are kept nowhere, run nothing, and are for no other origin', async () => {
    const trip = await begin()
    for (const answer of [await call(trip), await call(trip, { password: 'wrong' })]) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
    expect((await call(trip)).headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  })

  for (const [name, change] of [
    ['email in place of username', { username: undefined, email: person.email }],
    ['no connection', { connection: undefined }],
    ['nothing of the request, which stands in the trip', { client_id: undefined, redirect_uri: undefined }],
    [
      'a scope, an audience and a response type of its own, which count for nothing',
      { scope: 'x', audience: 'y', response_type: 'code' },
    ],
    ['what else a page has at hand', { user_metadata: { colour: 'red' }, captcha: null, popup: false }],
  ] as const)
    test(`${name}: taken`, async () => {
      const trip = await begin()
      const { parameters } = outcomeOf(await handOver(trip, await call(trip, change)))
      expect(claimsOf(parameters.access_token).scope).toBe('openid profile email read:messages')
    })

  test('a wrong password and an unknown person get the same words: 401 invalid_user_password', async () => {
    const trip = await begin()
    const wrong = await call(trip, { password: 'Wrong-Horse-7' })
    const nobody = await call(trip, { username: 'nobody@example.com' })
    expect([wrong.status, nobody.status]).toEqual([401, 401])
    expect(wrong.json()).toEqual({
      ...{ statusCode: 401, code: 'invalid_user_password', error: 'invalid_user_password' },
      ...{ description: 'Wrong email or password.', error_description: 'Wrong email or password.' },
    })
    expect(nobody.body).toBe(wrong.body)
  })

  test('a blocked person: 401 unauthorized, but only for whoever knows the password', async () => {
    const trip = await begin()
    const told = await call(trip, { username: blocked.email })
    expect(told.json()).toMatchObject({ ...failure('unauthorized', 401), description: 'user is blocked' })
    const guessed = await call(trip, { username: blocked.email, password: 'Wrong-Horse-7' })
    expect(guessed.json().code).toBe('invalid_user_password')
  })

  for (const [name, change, code, status] of [
    ['no password', { password: undefined }, 'invalid_request', 400],
    ['an empty password', { password: '' }, 'invalid_request', 400],
    ['no name', { username: undefined }, 'invalid_request', 400],
    ['a password that is a list', { password: [person.password] }, 'invalid_request', 400],
    ['a name that is an object', { username: { a: 1 } }, 'invalid_request', 400],
    ['a password of 20,000 characters', { password: 'x'.repeat(20_000) }, 'invalid_request', 400],
    ['a NUL in the name', { username: 'a\0b' }, 'invalid_request', 400],
    ['no state', { state: undefined }, 'invalid_request', 400],
    ['a state that is made up', { state: 'A'.repeat(43) }, 'invalid_request', 400],
    ['no _csrf', { _csrf: undefined }, 'access_denied', 403],
    ['a _csrf that is made up', { _csrf: 'A'.repeat(43) }, 'access_denied', 403],
    ['another client', { client_id: clients.local }, 'invalid_request', 400],
    ['another callback of the client', { redirect_uri: 'https://app.example.com/other' }, 'invalid_request', 400],
    ['a connection that there is not', { connection: 'nowhere' }, 'invalid_request', 400],
  ] as const)
    test(`${name}: ${status} ${code}`, async () => {
      const answer = await call(await begin(), change)
      expect(answer.status).toBe(status)
      expect(answer.json()).toMatchObject(failure(code, status))
    })

  test("another connection than the request's: 400", async () => {
    const trip = await begin(fresh(), { connection })
    expect((await call(trip, { connection: 'Other' })).status).toBe(400)
    expect((await call(trip)).status).toBe(200)
  })

  for (const [name, body, type] of [
    ['a form', 'username=a&password=b', 'application/x-www-form-urlencoded'],
    ['text', '{}', 'text/plain'],
    ['a list', '[]', 'application/json'],
    ['null', 'null', 'application/json'],
  ] as const)
    test(`${name} in place of a JSON object: 415`, async () => {
      const answer = await post(await begin(), 'usernamepassword/login', body, { 'content-type': type })
      expect([answer.status, answer.json().error]).toEqual([415, 'unsupported_media_type'])
    })
})

describe('RFC 6819 §4.4.1.8 a login call that another site or another browser makes', () => {
  for (const [name, headers] of [
    ['from another origin', { origin: 'https://app.example.com' }],
    ['from a page without an origin', { origin: 'null' }],
    ['across sites', { 'sec-fetch-site': 'cross-site' }],
    ['from another port of our host', { 'sec-fetch-site': 'same-site' }],
    ['typed into the address bar', { 'sec-fetch-site': 'none' }],
  ] as const)
    test(`${name}: 403`, async () => {
      const trip = await begin()
      const answer = await call(trip, {}, headers)
      expect([answer.status, answer.json().code]).toEqual([403, 'access_denied'])
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    })

  test('a preflight gets no leave', async () => {
    const answer = await fetch(`${latchkey.issuer}usernamepassword/login`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.ok).toBe(false)
  })

  test("another browser's trip, with all that its page says: 400", async () => {
    const [ours, theirs] = [await begin(), await begin()]
    const answer = await call({ ...theirs, agent: ours.agent })
    expect([answer.status, answer.json().code]).toEqual([400, 'invalid_request'])
  })

  test("the proof of the same browser's other trip: 403", async () => {
    const first = await begin()
    const other = await begin(first.agent)
    expect((await call(first, { _csrf: other.csrf })).status).toBe(403)
  })
})

describe('RFC 6819 §5.1.4.2.3 guessing through the call', () => {
  test('ten wrong ones are judged; then the right one is 429 too_many_attempts, here and on the page', async () => {
    const address = `203.0.113.${++addresses}`
    const trip = await begin(fresh(address))
    for (let guess = 0; guess < 10; guess++)
      expect((await call(trip, { username: second.email, password: 'Wrong-Horse-7' })).status).toBe(401)
    const answer = await call(trip, { username: second.email, password: second.password })
    expect([answer.status, answer.json().code]).toEqual([429, 'too_many_attempts'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const agent = fresh(address)
    const page = await agent.visit(authorizeUrl(latchkey.issuer))
    const refused = await agent.submit(page, { username: second.email, password: second.password })
    expect(refused.status).toBe(429)
  })

  test('what was guessed on the page counts here', async () => {
    const address = `203.0.113.${++addresses}`
    const agent = fresh(address)
    for (let guess = 0; guess < 10; guess++)
      await agent.submit(await agent.visit(authorizeUrl(latchkey.issuer)), {
        ...{ username: second.email, password: 'Wrong-Horse-7' },
      })
    const answer = await call(await begin(fresh(address)), { username: second.email, password: second.password })
    expect(answer.json().code).toBe('too_many_attempts')
  })

  test('a hundred at once are still ten', async () => {
    const trip = await begin()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => call(trip, { username: 'many@example.com', password: 'Wrong-Horse-7' })),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]))
  })
})

describe('POST /login/callback', () => {
  const ticketOf = (answer: Answer) => formOf(answer).fields.wresult ?? ''

  test('a ticket works once', async () => {
    const trip = await begin()
    const form = await call(trip)
    expect(outcomeOf(await handOver(trip, form)).parameters).toHaveProperty('access_token')
    expect(errorPageOf(await handOver(trip, form)).error).toBe('invalid_request')
  })

  test('of twenty at once one signs in', async () => {
    const trip = await begin(fresh(), { prompt: 'consent' })
    const form = await call(trip)
    const { action, fields } = formOf(form)
    const sent = () =>
      trip.agent.request(action, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams(fields).toString(),
      })
    const answers = await Promise.all(Array.from({ length: 20 }, sent))
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19)
  })

  test('a session that was there is replaced by one with a new secret', async () => {
    const trip = await begin()
    await handOver(trip, await call(trip))
    const secret = () => trip.agent.cookies.find(({ name }) => name.endsWith('_session'))?.value
    const before = secret()
    const again = await begin(trip.agent, { prompt: 'login' })
    await handOver(again, await call(again))
    expect([typeof before, secret() === before]).toEqual(['string', false])
  })

  for (const [name, spoil] of [
    ['one that is made up', async () => 'A'.repeat(300)],
    ['none', async () => ''],
    ['one with a letter changed', async (trip: Trip) => `B${ticketOf(await call(trip)).slice(1)}`],
    ["one of the same browser's other trip", async (trip: Trip) => ticketOf(await call(await begin(trip.agent)))],
    ["one of another browser's trip", async () => ticketOf(await call(await begin()))],
    [
      'one that is a minute old',
      async (trip: Trip) => {
        const ticket = ticketOf(await call(trip))
        latchkey.advance(61)
        return ticket
      },
    ],
  ] as const)
    test(`${name}: our own page, and nobody is signed in`, async () => {
      const trip = await begin()
      const form = await call(trip)
      const answer = await handOver(trip, form, { wresult: await spoil(trip) })
      expect(errorPageOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(fragmentOf((await silently(trip.agent, latchkey.issuer)).location).error).toBe('login_required')
    })

  test("another browser's ticket with its trip's handle: our own page", async () => {
    const theirs = await begin()
    const form = await call(theirs)
    const ours = await begin()
    expect(errorPageOf(await handOver(ours, form)).error).toBe('invalid_request')
  })

  test('a password that was changed meanwhile: our own page', async () => {
    const email = `${crypto.randomUUID()}@example.com`
    const user = (password: string) =>
      latchkey.apply(`users: [{ email: ${email}, connection: ${connection}, password: ${password} }]`)
    await user('First-Horse-7')
    const trip = await begin()
    const form = await call(trip, { username: email, password: 'First-Horse-7' })
    expect(form.status).toBe(200)
    await user('Second-Horse-7')
    expect(errorPageOf(await handOver(trip, form)).error).toBe('invalid_request')
  })

  test('a person who was blocked meanwhile: access_denied for the app', async () => {
    const email = `${crypto.randomUUID()}@example.com`
    const record = `email: ${email}, connection: ${connection}`
    await latchkey.apply(`users: [{ ${record}, password: First-Horse-7 }]`)
    const trip = await begin()
    const form = await call(trip, { username: email, password: 'First-Horse-7' })
    await latchkey.apply(`users: [{ ${record}, blocked: true }]`)
    expect(outcomeOf(await handOver(trip, form)).parameters).toMatchObject({ error: 'access_denied' })
  })

  test('from another site: 403; as JSON: 415; by GET: 405', async () => {
    const trip = await begin()
    const form = await call(trip)
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://app.example.com' }])
      expect((await handOver(trip, form, {}, headers)).status).toBe(403)
    expect((await post(trip, 'login/callback', formOf(form).fields)).status).toBe(415)
    expect((await trip.agent.request(`${latchkey.issuer}login/callback`)).status).toBe(405)
    expect(outcomeOf(await handOver(trip, form)).parameters).toHaveProperty('access_token')
  })
})

describe('POST /usernamepassword/challenge', () => {
  test('nothing is required', async () => {
    const trip = await begin()
    const answer = await post(trip, 'usernamepassword/challenge', { state: trip.state })
    expect([answer.status, answer.json()]).toEqual([200, { required: false }])
  })

  test('no state: 400; from another site: 403; as a form: 415', async () => {
    const trip = await begin()
    const { state } = trip
    const ask = (body: unknown, headers: Headers = {}) => post(trip, 'usernamepassword/challenge', body, headers)
    expect((await ask({})).json()).toMatchObject(failure('invalid_request', 400))
    expect((await ask({ state }, { origin: 'https://app.example.com' })).status).toBe(403)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await ask(`state=${state}`, form)).status).toBe(415)
  })
})

describe("an administrator's own login page", () => {
  test('is given what auth0-js needs, and may call this server; the other pages may not', async () => {
    writeFileSync(join(folder, 'login.liquid'), '<form></form><p id="config">{{ config }}</p>')
    const own = await startLatchkey({ tenant, options: { pages: folder } })
    const agent = new Agent()
    const page = await agent.visit(authorizeUrl(own.issuer, { prompt: 'consent' }))
    const [, encoded = ''] = /id="config">([^<]+)</.exec(page.body) ?? []
    const config = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
      internalOptions: { state: string; _csrf: string }
    }
    expect(config).toMatchObject({
      ...{ auth0Domain: new URL(own.issuer).host, authorizationServer: { issuer: own.issuer } },
      ...{ clientID: clients.spa, callbackURL: callback, callbackOnLocationHash: true, connection, prompt: 'consent' },
      internalOptions: { protocol: 'oauth2', response_type: 'token id_token', nonce: 'n-0S6_WzA2Mj' },
    })
    expect(page.headers.get('content-security-policy')).toContain("; connect-src 'self';")

    const { state, _csrf } = config.internalOptions
    const form = await agent.request(`${own.issuer}usernamepassword/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: own.issuer.slice(0, -1) },
      body: JSON.stringify({ state, _csrf, username: person.email, password: person.password }),
    })
    const consent = await agent.submit(form, {})
    expect(isPage(consent, '/u/consent')).toBe(true)
    expect(consent.headers.get('content-security-policy')).not.toContain('connect-src')
    await own.close()
  })

  test('the built-in page may call nobody', async () => {
    const page = await fresh().visit(authorizeUrl(latchkey.issuer))
    expect(page.headers.get('content-security-policy')).not.toContain('connect-src')
  })
})
