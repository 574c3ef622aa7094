import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { clients, tenant } from '../support/tenant.ts'

const leaving = 'LeavingClient00000000000000000000'
const more = `
clients:
  - name: Leaving
    client_id: ${leaving}
    app_type: spa
    callbacks: ['https://leaving.example.com/callback']
    allowed_logout_urls: ['https://leaving.example.com/Bye', 'https://*.tenants.example.com/bye', 'http://localhost:3000', 'com.example.app://bye']
`

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(more)
})
afterAll(() => latchkey.close())

const leave = (query: Readonly<Record<string, string>> | string, agent = new Agent(), path = 'v2/logout') =>
  agent.request(`${latchkey.issuer}${path}?${new URLSearchParams(query)}`)

/** What `returnTo` may be with a client, and where the browser goes; undefined for the error page. */
const targets: readonly (readonly [client_id: string | undefined, returnTo: string, allowed: boolean])[] = [
  [leaving, 'https://leaving.example.com/Bye', true],
  [leaving, 'HTTPS://LEAVING.example.com/Bye', true],
  [leaving, 'https://leaving.example.com/Bye?from=app&n=1', true],
  [leaving, 'https://leaving.example.com/Bye#done', true],
  [leaving, 'https://leaving.example.com/Bye?x#y', true],
  [leaving, 'https://a.tenants.example.com/bye', true],
  [leaving, 'https://a-1.tenants.example.com/bye?x=1', true],
  [leaving, 'http://localhost:3000', true],
  [leaving, 'http://localhost:3000/', true],
  [leaving, 'com.example.app://bye', true],
  [undefined, 'https://tenant.example.com/bye', true],
  [clients.spa, 'https://app.example.com/', true],
  // Not the path, the host, the scheme or the port.
  [leaving, 'https://leaving.example.com/bye', false],
  [leaving, 'https://leaving.example.com/Bye/', false],
  [leaving, 'https://leaving.example.com/', false],
  [leaving, 'https://leaving.example.com', false],
  [leaving, 'https://leaving.example.com/x/../Bye', false],
  [leaving, 'https://leaving.example.com/%42ye', false],
  [leaving, 'http://leaving.example.com/Bye', false],
  [leaving, 'https://leaving.example.com:444/Bye', false],
  [leaving, 'https://evil.example/Bye', false],
  [leaving, 'https://leaving.example.com.evil.example/Bye', false],
  [leaving, 'https://evil.example/?https://leaving.example.com/Bye', false],
  [leaving, 'https://leaving.example.com@evil.example/Bye', false],
  [leaving, 'https://evil.example@leaving.example.com/Bye', false],
  [leaving, 'https://leaving.example.com\\@evil.example/Bye', false],
  [leaving, 'https:\\\\leaving.example.com/Bye', false],
  [leaving, '//leaving.example.com/Bye', false],
  [leaving, '/Bye', false],
  [leaving, 'leaving.example.com/Bye', false],
  [leaving, 'javascript:alert(1)//leaving.example.com/Bye', false],
  [leaving, 'data:text/html,x', false],
  [leaving, 'https://leaving.example.com/Bye\r\nX: y', false],
  [leaving, ' https://leaving.example.com/Bye', false],
  [leaving, 'http://localhost:3001', false],
  [leaving, 'http://localhost', false],
  [leaving, 'com.example.app://other', false],
  // The star is one label.
  [leaving, 'https://a.b.tenants.example.com/bye', false],
  [leaving, 'https://tenants.example.com/bye', false],
  [leaving, 'https://.tenants.example.com/bye', false],
  [leaving, 'https://evil.example/.tenants.example.com/bye', false],
  [leaving, 'https://evil.example#.tenants.example.com/bye', false],
  [leaving, 'https://evil.example?.tenants.example.com/bye', false],
  [leaving, 'https://a.tenants.example.com/bye/x', false],
  // Another list.
  [leaving, 'https://tenant.example.com/bye', false],
  [leaving, 'https://leaving.example.com/callback', false],
  [undefined, 'https://leaving.example.com/Bye', false],
  [undefined, 'https://app.example.com/', false],
  [clients.native, 'https://tenant.example.com/bye', false],
  ['nobody', 'https://tenant.example.com/bye', false],
]

describe('Auth0 /v2/logout returnTo', () => {
  for (const [client_id, returnTo, allowed] of targets)
    test(`${client_id?.replace(/Client.*/, '') ?? 'no client'}: ${JSON.stringify(returnTo)} is ${allowed ? '' : 'not '}allowed`, async () => {
      const answer = await leave({ ...(client_id === undefined ? {} : { client_id }), returnTo })
      if (allowed) {
        expect([answer.status, answer.headers.get('location')]).toEqual([302, returnTo])
      } else {
        expect(errorPageOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
        expect(answer.body).not.toMatch(/(?:href|src|action)="[^"]*(?:evil|leaving|tenants|javascript)/)
      }
    })

  for (const [name, query, status, location] of [
    ['a client alone: its first logout URL', { client_id: leaving }, 302, 'https://leaving.example.com/Bye'],
    ['a client without logout URLs: our own page', { client_id: clients.native }, 200, null],
    ['nothing at all: our own page', {}, 200, null],
    ['federated, which has no value', 'federated', 200, null],
    ['federated with the rest', `federated&client_id=${leaving}`, 302, 'https://leaving.example.com/Bye'],
    ['what SDKs add', { auth0Client: 'eyJ', client_id: leaving }, 302, 'https://leaving.example.com/Bye'],
  ] as const)
    test(name, async () => {
      for (const path of ['v2/logout', 'logout']) {
        const answer = await leave(query, new Agent(), path)
        expect([answer.status, answer.headers.get('location')]).toEqual([status, location])
        if (status === 200) expect(answer.body).toContain('logged out')
      }
    })
})

describe('logging out ends the session', () => {
  for (const [name, query, path] of [
    ['with a target', { client_id: leaving }, 'v2/logout'],
    ['without', {}, 'v2/logout'],
    ['at the old address', {}, 'logout'],
    ['even when the target is refused', { returnTo: 'https://evil.example/' }, 'v2/logout'],
    ['even for an unknown client', { client_id: 'nobody' }, 'v2/logout'],
  ] as const)
    test(`${name}: the next silent request is login_required, for every app, and the cookie's secret is worth nothing`, async () => {
      const agent = new Agent()
      await signIn(agent, latchkey.issuer)
      const secret = agent.cookies.find((cookie) => cookie.name === 'latchkey_session')?.value ?? ''
      const answer = await leave(query, agent, path)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(agent.cookies.map((cookie) => cookie.name)).toEqual(['latchkey_browser'])
      const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
      for (const change of [{}, native])
        expect(outcomeOf(await silently(agent, latchkey.issuer, change)).parameters.error).toBe('login_required')
      agent.setCookie('latchkey_session', secret)
      expect(outcomeOf(await silently(agent, latchkey.issuer)).parameters.error).toBe('login_required')
    })

  test('of this browser alone', async () => {
    const [here, there] = [new Agent(), new Agent()]
    await signIn(here, latchkey.issuer)
    await signIn(there, latchkey.issuer)
    await leave({}, here)
    expect(outcomeOf(await silently(there, latchkey.issuer)).parameters).toHaveProperty('id_token')
  })

  test('access tokens live on, as long as they say', async () => {
    const agent = new Agent()
    const { access_token } = outcomeOf(await signIn(agent, latchkey.issuer)).parameters
    await leave({}, agent)
    const answer = await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
    expect(answer.status).toBe(200)
  })
})
