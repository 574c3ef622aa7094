import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl, type Parameters } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf } from '../support/outcome.ts'
import { callback, clients, tenant } from '../support/tenant.ts'

let development: Latchkey
let serving: Latchkey
beforeAll(async () => {
  ;[development, serving] = await Promise.all([
    startLatchkey({ tenant }),
    startLatchkey({ tenant, development: false }),
  ])
})
afterAll(() => Promise.all([development.close(), serving.close()]))

type Open = (issuer: string, agent: Agent) => Promise<Answer>
const authorize =
  (change: Parameters): Open =>
  (issuer, agent) =>
    agent.visit(authorizeUrl(issuer, change))

/** A refusal, and what its page says in development that it keeps to itself otherwise. */
const refusals: Readonly<Record<string, readonly [open: Open, explanation: readonly string[]]>> = {
  'a callback that is not registered': [authorize({ redirect_uri: `${callback}/` }), [callback, 'clients[].callbacks']],
  'a callback of another port': [
    authorize({ client_id: clients.local, redirect_uri: 'http://localhost:3998/callback' }),
    ['clients[].callbacks'],
  ],
  'a client that is not there': [authorize({ client_id: 'nobody' }), ['clients[].client_id']],
  'no callback where there are several': [
    authorize({ redirect_uri: undefined }),
    ['Single page app', 'clients[].callbacks'],
  ],
  'a login page on its own': [(issuer, agent) => agent.visit(`${issuer}u/login`), ['A bookmark of a login page']],
  'a logout target that is not on the list': [
    (issuer, agent) => agent.visit(`${issuer}v2/logout?client_id=${clients.spa}&returnTo=https://app.example.com/bye`),
    ['https://app.example.com/', 'clients[].allowed_logout_urls'],
  ],
  'a name that is not ours': [
    (issuer, agent) => agent.request(issuer.replace('localhost', '127.0.0.1').concat('authorize')),
    ['issuer'],
  ],
}

const line = (latchkey: Latchkey, tracking: string) => latchkey.log.find((entry) => entry.tracking === tracking)

describe('a refusal that cannot go to the client', () => {
  for (const [name, [open, explanation]] of Object.entries(refusals)) {
    test(`${name}: in development the page explains`, async () => {
      const page = await open(development.issuer, new Agent())
      const text = page.body.replaceAll(/<[^>]*>/g, '')
      for (const words of explanation) expect(text).toContain(words)
      expect(page.body).toContain('explanation')
    })

    test(`${name}: served, it says the standard error and no more`, async () => {
      const page = await open(serving.issuer, new Agent())
      const { error, description, tracking } = errorPageOf(page)
      expect([error, description.length > 0, /^[0-9a-f]{20}$/.test(tracking)]).toEqual(['invalid_request', true, true])
      const text = page.body.replaceAll(/<[^>]*>/g, '')
      for (const words of explanation.filter((one) => one !== 'issuer')) expect(text).not.toContain(words)
      expect(page.body).not.toMatch(/explanation|clients\[\]|Single page app|node_modules|\.ts:\d/)
    })

    test(`${name}: its id leads to the log line with the reason`, async () => {
      for (const latchkey of [development, serving]) {
        const { tracking, error, description } = errorPageOf(await open(latchkey.issuer, new Agent()))
        expect(line(latchkey, tracking)).toMatchObject({
          tracking,
          error,
          description,
          msg: 'refused',
          path: expect.stringMatching(/^\//),
        })
        expect(line(latchkey, tracking)).toHaveProperty('explanation.summary')
      }
    })
  }

  test('the page shows where the registered and the requested callback differ', async () => {
    const { body } = await authorize({ redirect_uri: 'https://app.example.com/callbark' })(
      development.issuer,
      new Agent(),
    )
    expect(body).toMatch(/https:\/\/app\.example\.com\/callba<[^>]+>c?/)
  })

  test('each refusal has an id of its own', async () => {
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => authorize({ client_id: 'nobody' })(serving.issuer, new Agent())),
    )
    expect(new Set(pages.map((page) => errorPageOf(page).tracking)).size).toBe(20)
  })

  test('a program that asks for JSON gets JSON', async () => {
    const answer = await authorize({ client_id: 'nobody' })(serving.issuer, new Agent({ accept: 'application/json' }))
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'Unknown client: nobody' },
    ])
  })

  test('the language is that of the browser', async () => {
    const page = await authorize({ client_id: 'nobody' })(serving.issuer, new Agent({ 'accept-language': 'ar' }))
    expect(page.body).toContain('<html lang="ar" dir="rtl">')
  })

  test('who to ask stands on it', async () =>
    expect((await authorize({ client_id: 'nobody' })(serving.issuer, new Agent())).body).toContain(
      'mailto:help%40example.com',
    ))
})

describe('a refusal that goes to the client', () => {
  test('is in the log too, with an id and the reason', async () => {
    const before = serving.log.length
    await authorize({ audience: 'https://no.example/' })(serving.issuer, new Agent())
    expect(serving.log.slice(before)).toMatchObject([
      {
        msg: 'refused',
        error: 'access_denied',
        tracking: expect.any(String),
        explanation: { setting: 'resourceServers[].identifier' },
      },
    ])
  })
})

describe("a tenant's own error page", () => {
  test('gets the error, its id and the client as parameters', async () => {
    await serving.apply("tenant: { error_page: { url: 'https://errors.example.com/oops?x=1' } }")
    const { location } = await authorize({ redirect_uri: 'https://evil.example/' })(serving.issuer, new Agent())
    const target = new URL(location ?? '')
    expect(`${target.origin}${target.pathname}`).toBe('https://errors.example.com/oops')
    expect(Object.fromEntries(target.searchParams)).toMatchObject({
      x: '1',
      client_id: clients.spa,
      error: 'invalid_request',
      tracking: expect.stringMatching(/^[0-9a-f]{20}$/),
    })
    const unknown = await authorize({ client_id: '<script>' })(serving.issuer, new Agent())
    expect(new URL(unknown.location ?? '').searchParams.get('client_id')).toBeNull()
  })
})
