import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  // A portrait on somebody else's host: no page may load it.
  const portrait = 'name: Ada Lovelace\n    picture: https://portraits.example.net/ada.png'
  latchkey = await startLatchkey({ tenant: tenant.replace('name: Ada Lovelace', portrait) })
  await signIn(ada, latchkey.issuer)
  const body = JSON.stringify({ email: person.email, connection })
  await fetch(`${latchkey.issuer}dbconnections/change_password`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
  })
})
afterAll(() => latchkey.close())

const url = (path: string) => `${latchkey.issuer}${path}`
const evil = { origin: 'https://evil.example' }

/** Pages of a trip, which a popup may be showing. */
const tripPages: Readonly<Record<string, (agent: Agent) => Promise<Answer>>> = {
  login: () => new Agent().visit(authorizeUrl(latchkey.issuer)),
  'login once more': (agent) => agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'login' })),
  'sign-up': () => new Agent().visit(authorizeUrl(latchkey.issuer, { screen_hint: 'signup' })),
  account: (agent) => agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'select_account' })),
  consent: (agent) => agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'consent' })),
  async 'wrong password'() {
    const agent = new Agent()
    return agent.submit(await agent.visit(authorizeUrl(latchkey.issuer)), { username: 'x', password: 'y' })
  },
}

const otherPages: Readonly<Record<string, (agent: Agent) => Promise<Answer>>> = {
  'error page': (agent) => agent.visit(authorizeUrl(latchkey.issuer, { client_id: 'nobody' })),
  'a login page without a trip': (agent) => agent.visit(url('u/login')),
  'logged out': () => new Agent().visit(url('v2/logout')),
  'forgotten password': () => new Agent().visit(url('u/reset-password/request')),
  async 'new password'() {
    return new Agent().visit((await latchkey.mails())[0]?.links[0] ?? '')
  },
  'a link that is over': () => new Agent().visit(url('u/reset-password?ticket=x')),
  'not there': () => new Agent({ accept: 'text/html' }).visit(url('nowhere')),
  'wrong method': (agent) => agent.request(url('u/login'), { method: 'DELETE' }),
}

/** The pages for a forgotten password, come from a login page that a popup may be showing. */
const tripResetPages: Readonly<Record<string, (page: Answer, agent: Agent) => Promise<Answer> | Answer>> = {
  'forgotten password': (page) => page,
  'forgotten password, sent': (page, agent) => agent.submit(page, { email: person.email }),
  'forgotten password, no address': (page, agent) => agent.submit(page, { email: '' }),
}

/** What is not a page. */
const others: Readonly<Record<string, (agent: Agent) => Promise<Answer>>> = {
  'tokens in a redirect': (agent) => agent.request(authorizeUrl(latchkey.issuer, { prompt: 'none' })),
  'an error in a redirect': (agent) => agent.request(authorizeUrl(latchkey.issuer, { audience: 'unknown' })),
  'the redirect to a page': () => new Agent().request(authorizeUrl(latchkey.issuer)),
  'POST /authorize': (agent) =>
    agent.request(url('authorize'), { method: 'POST', body: new URLSearchParams(authorizeUrl('').split('?')[1]) }),
  logout: () => new Agent().request(url(`v2/logout?client_id=${clients.spa}`)),
  userinfo: () => new Agent().request(url('userinfo')),
  signup: () =>
    new Agent().request(url('dbconnections/signup'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    }),
  change_password: () =>
    new Agent().request(url('dbconnections/change_password'), {
      method: 'POST',
      body: new URLSearchParams({ email: 'a@b.cd', connection }),
    }),
  health: () => new Agent().request(url('health/ready')),
  'not there': () => new Agent().request(url('nowhere')),
  'wrong method': () => new Agent().request(url('dbconnections/signup')),
}

function expectSafe({ headers }: Answer): void {
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  for (const name of ['server', 'x-powered-by', 'etag', 'last-modified'])
    expect([name, headers.get(name)]).toEqual([name, null])
}

function expectSafePage(page: Answer): void {
  expectSafe(page)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('x-frame-options')).toBe('DENY')
  const policy = page.headers.get('content-security-policy') ?? ''
  const directives = Object.fromEntries(
    policy.split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]),
  )
  const nonce = /'nonce-([\w-]{22,})'/.exec(policy)?.[1]
  expect(directives).toMatchObject({
    ...{ 'default-src': "'none'", 'base-uri': "'none'", 'frame-ancestors': "'none'" },
    ...{ 'script-src': `'nonce-${nonce}' 'self'`, 'style-src': `'self' 'nonce-${nonce}'`, 'img-src': "'self'" },
  })
  expect(policy).not.toMatch(/unsafe|\*|data:|http:\/\//)
  // Nothing in the page depends on what the policy forbids, and nothing comes from elsewhere.
  for (const [tag] of page.body.matchAll(/<(?:script|style)\b[^>]*>/g)) expect(tag).toContain(`nonce="${nonce}"`)
  expect(page.body).not.toMatch(/\son[a-z]+="|\sstyle="|javascript:/)
  for (const [, address] of page.body.matchAll(/\s(?:src|href)="([^"]*)"/g))
    expect(address).toMatch(/^(\/u\/|\/$|mailto:)/)
}

describe('OWASP ASVS V3 pages', () => {
  for (const [name, open] of Object.entries(tripPages))
    test(`${name}: not kept, not framed, a strict policy, the form leads here or to the app; a popup keeps its opener`, async () => {
      const page = await open(ada)
      expectSafePage(page)
      expect(page.headers.get('content-security-policy')).toContain("; form-action 'self' https://app.example.com;")
      expect(page.headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
    })

  for (const [name, open] of Object.entries(otherPages))
    test(`${name}: the same, and the form leads here alone`, async () => {
      const page = await open(ada)
      expectSafePage(page)
      expect(page.headers.get('content-security-policy')).toContain("; form-action 'self';")
      expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    })

  for (const [name, open] of Object.entries(tripResetPages))
    test(`${name}, in a trip: the form leads here alone, and a popup keeps its opener`, async () => {
      const agent = new Agent()
      const login = await agent.visit(authorizeUrl(latchkey.issuer))
      const link = /href="([^"]*reset-password\/request\?state=[^"]*)"/.exec(login.body)?.[1] ?? ''
      const page = await open(await agent.visit(new URL(link, login.url).href), agent)
      expectSafePage(page)
      expect(page.body).toContain(formOf(login).fields.state)
      expect(page.headers.get('content-security-policy')).toContain("; form-action 'self';")
      expect(page.headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
    })

  test('each answer has a nonce of its own', async () => {
    const pages = await Promise.all(Array.from({ length: 20 }, () => new Agent().visit(url('v2/logout'))))
    const nonces = pages.map(
      ({ headers }) => /'nonce-([\w-]+)'/.exec(headers.get('content-security-policy') ?? '')?.[1],
    )
    expect(new Set(nonces).size).toBe(20)
  })

  test('the files of the pages are kept for ever, typed and not guessed at', async () => {
    const { body } = await new Agent().visit(url('v2/logout'))
    const files = [...body.matchAll(/"(\/u\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
    expect(files.length).toBeGreaterThanOrEqual(3)
    for (const path of files) {
      const { status, headers } = await new Agent().request(new URL(path, latchkey.issuer).href)
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
      expect(headers.get('content-type')).toMatch(/^(text\/css|text\/javascript|image\/svg\+xml)/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})

describe('every other answer', () => {
  for (const [name, send] of Object.entries(others))
    test(`${name}: not kept, no referrer, no guessing at types, nothing about the software`, async () =>
      expectSafe(await send(ada)))
})

describe('pages of other origins may read nothing but what is meant for them', () => {
  for (const path of [
    'authorize',
    'authorize/resume',
    'u/login',
    'u/signup',
    'u/consent',
    'u/account',
    'u/reset-password/request',
    'u/reset-password',
    'u/verify-email',
    'v2/logout',
    'logout',
    'health/live',
    'dev/mail',
    'dev/mail.json',
    'nowhere',
  ])
    test(`/${path} has no CORS, for strangers and for the app's own origin`, async () => {
      for (const origin of [evil.origin, 'https://app.example.com'])
        for (const method of ['GET', 'OPTIONS']) {
          const { headers } = await ada.request(url(path), {
            method,
            headers: { origin, 'access-control-request-method': 'POST' },
          })
          expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
        }
      await signIn(ada, latchkey.issuer)
    })

  test('with or without tokens in it', async () => {
    for (const response_mode of ['fragment', 'form_post', 'web_message']) {
      const answer = await ada.request(authorizeUrl(latchkey.issuer, { prompt: 'none', response_mode }), {
        headers: evil,
      })
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
  })
})
