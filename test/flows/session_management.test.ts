/** `session_state` in answers, and the cookie that the frame of `check_session_iframe` reads. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { authorizeUrl, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
})
afterAll(() => latchkey.close())

const stateCookie = (agent: Agent) => agent.cookies.find(({ name }) => name === 'latchkey_state')?.value

describe('OpenID Connect Session Management §2 session_state', () => {
  test('is the hash of the client, its origin, the state of the browser and a salt of its own', async () => {
    const agent = new Agent()
    const answers = [outcomeOf(await signIn(agent, issuer)), outcomeOf(await silently(agent, issuer))]
    const salts = answers.map(({ parameters: { session_state = '' } }) => {
      const [hash, salt = ''] = session_state.split('.')
      const text = `${clients.spa} https://app.example.com ${stateCookie(agent)} ${salt}`
      expect(hash).toBe(createHash('sha256').update(text).digest('hex'))
      return salt
    })
    expect(new Set(salts).size).toBe(2)
  })

  test.each([
    ['without openid', { response_type: 'token', scope: 'read:messages' }],
    ['with response_type none', { response_type: 'none' }],
    ['for an app without an origin', { client_id: clients.native, redirect_uri: 'com.example.app://callback' }],
  ] as const)('%s there is none, and no cookie', async (_, change) => {
    const agent = new Agent()
    const { parameters } = outcomeOf(await signIn(agent, issuer, change))
    expect(parameters).not.toHaveProperty('session_state')
    expect(stateCookie(agent)).toBeUndefined()
  })

  test('a refusal has none', async () => {
    expect(outcomeOf(await silently(new Agent(), issuer)).parameters).not.toHaveProperty('session_state')
  })
})

describe('OpenID Connect Session Management §3.2 the state of the browser', () => {
  test('stays with the session, is another for the next, and goes with the logout', async () => {
    const agent = new Agent()
    await signIn(agent, issuer)
    const first = stateCookie(agent)
    const again = await silently(agent, issuer)
    expect(again.headers.getSetCookie()).toEqual([])
    await signIn(agent, issuer, { prompt: 'login' })
    expect([first, stateCookie(agent)].every((value) => /^[\w-]{43}$/.test(value ?? ''))).toBe(true)
    expect(stateCookie(agent)).not.toBe(first)
    await agent.request(`${issuer}v2/logout`)
    expect(stateCookie(agent)).toBeUndefined()
  })

  test('opens nothing', async () => {
    const agent = new Agent()
    await signIn(agent, issuer)
    const thief = new Agent()
    for (const name of ['latchkey_state', 'latchkey_session', 'latchkey_browser'])
      thief.setCookie(name, stateCookie(agent) ?? '')
    expect(outcomeOf(await silently(thief, issuer)).parameters.error).toBe('login_required')
    expect(new URL((await thief.request(authorizeUrl(issuer))).location ?? '').pathname).toBe('/u/login')
  })

  test('the frame is a page that any other may frame, with one script and nothing else', async () => {
    const answer = await fetch(`${issuer}oidc/check_session`)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = answer.headers.get('content-security-policy') ?? ''
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(await answer.text()) ?? []
    const hash = createHash('sha256').update(script).digest('base64')
    expect(policy).toBe(
      `default-src 'none'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors *`,
    )
    expect(answer.headers.get('x-frame-options')).toBeNull()
    expect(answer.headers.getSetCookie()).toEqual([])
  })
})
