import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreClients, moreTenant } from '../support/more_tenant.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, development: false, options: { trust_proxy: ['127.0.0.1', '::1'] } })
  await latchkey.apply(moreTenant)
  await latchkey.apply(`
clients:
  - name: Own origins
    client_id: OwnOriginsClient
    app_type: spa
    callbacks: ['https://own.example.com/callback']
    web_origins: ['https://frame.example.com']
    allowed_origins: ['https://xhr.example.com:8443']
`)
})
afterAll(() => latchkey.close())

let addresses = 0
const somewhere = () => ({ 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` })

async function call(
  path: string,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = await fetch(`${latchkey.issuer}dbconnections/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...somewhere(), ...headers },
    body: JSON.stringify(body),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

const preflight = (path: string, headers: Readonly<Record<string, string>>) =>
  fetch(`${latchkey.issuer}dbconnections/${path}`, { method: 'OPTIONS', headers })

const valid = () => ({
  client_id: clients.spa,
  connection,
  email: `${crypto.randomUUID()}@example.com`,
  password: 'Correct-Horse-9',
})
const sent = "We've just sent you an email to reset your password."

describe('POST /dbconnections/change_password', () => {
  for (const [name, body] of [
    ['with client_id', { client_id: clients.spa, connection, email: person.email }],
    ['without client_id', { connection, email: person.email }],
    ['for nobody', { connection, email: 'nobody@example.com' }],
    ['with a password, which counts for nothing', { connection, email: person.email, password: 'x' }],
    ['with an organization', { connection, email: person.email, organization: 'org_1' }],
  ] as const)
    test(`${name}: 200 and the sentence as text`, async () => {
      const { status, headers, text } = await call('change_password', body)
      expect([status, text]).toEqual([200, sent])
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    })

  for (const [name, body, code] of [
    ['no e-mail', { connection }, 'invalid_request'],
    ['no connection', { email: person.email }, 'invalid_request'],
    ['an unknown connection', { connection: 'nowhere', email: person.email }, 'invalid_request'],
    ['an unknown client', { client_id: 'nobody', connection, email: person.email }, 'invalid_request'],
    ['an e-mail that is an object', { connection, email: { a: 1 } }, 'invalid_request'],
    ['an e-mail of 3,000 characters', { connection, email: 'a'.repeat(3000) }, 'invalid_request'],
  ] as const)
    test(`${name} is 400 ${code}, in the words that SDKs look for`, async () => {
      const { status, text } = await call('change_password', body)
      expect(status).toBe(400)
      expect(JSON.parse(text)).toMatchObject({
        code,
        description: expect.any(String),
        error: expect.any(String),
        statusCode: 400,
      })
    })
})

describe('RFC 6585 §4 calls from one address', () => {
  for (const [path, body] of [
    ['signup', { ...valid(), email: 'not an address' }],
    ['change_password', { connection: 'nowhere', email: person.email }],
  ] as const)
    test(`${path}: 50 a minute; the headers count down, the 51st is 429, a minute later it goes on`, async () => {
      const here = { 'x-forwarded-for': `192.0.2.${path.length}` }
      const limits = async () => {
        const { status, headers, text } = await call(path, body, here)
        const header = (name: string) => Number(headers.get(`x-ratelimit-${name}`))
        return { status, text, headers, limit: header('limit'), remaining: header('remaining'), reset: header('reset') }
      }
      const first = await limits()
      expect([first.status, first.limit, first.remaining]).toEqual([400, 50, 49])
      expect(Math.abs(first.reset - Date.now() / 1000)).toBeLessThan(7200)
      await Promise.all(Array.from({ length: 49 }, limits))
      const over = await limits()
      expect([over.status, over.remaining, JSON.parse(over.text)]).toMatchObject([
        429,
        0,
        { code: 'too_many_requests', statusCode: 429 },
      ])
      expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await call(path, body)).status).toBe(400)
      latchkey.advance(61)
      expect((await limits()).status).toBe(400)
    })
})

const allowed = [
  ['the origin of a callback', 'https://own.example.com'],
  ['an allowed web origin', 'https://frame.example.com'],
  ['an allowed origin', 'https://xhr.example.com:8443'],
] as const
const strangers = [
  ['a stranger', 'https://evil.example'],
  ['another scheme', 'http://own.example.com'],
  ['another port', 'https://own.example.com:444'],
  ['a subdomain', 'https://x.own.example.com'],
  ['the origin with a slash', 'https://own.example.com/'],
  ['the origin in capitals', 'https://OWN.example.com'],
  ['the origin with more behind it', 'https://own.example.com.evil.example'],
  ['a sandboxed frame', 'null'],
  ['a star', '*'],
  ['two origins', 'https://own.example.com https://evil.example'],
] as const

describe('CORS at /dbconnections/*', () => {
  for (const path of ['signup', 'change_password']) {
    const body = { ...valid(), client_id: 'OwnOriginsClient' }

    for (const [name, origin] of allowed)
      test(`${path} from ${name}: preflight and call`, async () => {
        const before = await preflight(path, { origin, 'access-control-request-method': 'POST' })
        expect([before.status, await before.text()]).toEqual([204, ''])
        expect(before.headers.get('access-control-allow-origin')).toBe(origin)
        expect(before.headers.get('access-control-allow-methods')).toContain('POST')
        expect(before.headers.get('access-control-allow-credentials')).toBe('true')
        for (const header of ['auth0-client', 'content-type', 'authorization', 'dpop', 'x-request-language'])
          expect(before.headers.get('access-control-allow-headers')).toContain(header)
        const answer = await call(path, { ...body, email: valid().email }, { origin })
        expect(answer.status).toBe(200)
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
        expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
        for (const header of ['Retry-After', 'X-RateLimit-Remaining'])
          expect(answer.headers.get('access-control-expose-headers')).toContain(header)
        expect(answer.headers.get('vary')).toMatch(/origin/i)
      })

    for (const [name, origin] of strangers)
      test(`${path} from ${name}: neither preflight nor call`, async () => {
        const before = await preflight(path, { origin, 'access-control-request-method': 'POST' })
        expect(before.headers.get('access-control-allow-origin')).toBeNull()
        expect(before.headers.get('vary')).toMatch(/origin/i)
        const { email } = valid()
        const answer = await call(path, { ...body, email }, { origin })
        expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
        // Refused means not done, too.
        expect(await latchkey.tenant.store.users.findByEmail(connection, email)).toBeUndefined()
      })

    test(`${path}: the origin of another client passes the preflight, which names no client, and not the call`, async () => {
      const origin = 'https://standard.example.com'
      expect((await preflight(path, { origin })).headers.get('access-control-allow-origin')).toBe(origin)
      const answer = await call(path, body, { origin })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
      expect(
        (await call(path, { ...body, client_id: moreClients.standard, email: valid().email }, { origin })).status,
      ).toBe(200)
    })

    test(`${path}: an error can be read by the page that may call`, async () => {
      const answer = await call(path, { ...body, connection: 'nowhere' }, { origin: 'https://own.example.com' })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
        400,
        'https://own.example.com',
      ])
    })

    test(`${path}: programs without an origin are served`, async () =>
      expect((await call(path, { ...body, email: valid().email })).status).toBe(200))
  }

  test('change_password without client_id is for no page of another origin', async () => {
    const answer = await call(
      'change_password',
      { connection, email: person.email },
      { origin: 'https://own.example.com' },
    )
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })
})
