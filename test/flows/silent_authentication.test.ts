import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { messageOf, outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const stranger = () => new Agent()
const contacts = { audience: apis.contacts, scope: 'openid read:contacts' }
const hour = 3600

describe('OpenID Connect Core §3.1.2.6 prompt=none', () => {
  for (const [name, agent, change, error, error_description] of [
    ['nobody is signed in', stranger, {}, 'login_required', 'Login required'],
    ['nobody is signed in, and consent would be needed too', stranger, contacts, 'login_required', 'Login required'],
    ['consent is missing', () => ada, contacts, 'consent_required', 'Consent required'],
    ['the session is older than max_age allows', () => ada, { max_age: '0' }, 'login_required', 'Login required'],
  ] as const)
    for (const response_mode of ['fragment', 'form_post', 'web_message'] as const)
      test(`${name}: ${error} by ${response_mode}, and no page of ours`, async () => {
        const answer = await silently(agent(), latchkey.issuer, { ...change, response_mode })
        const { via, parameters } = outcomeOf(answer)
        expect(via).toBe(response_mode)
        expect(parameters).toEqual({ error, error_description, state: 'af0ifjsldkj', iss: latchkey.issuer })
        expect(answer.status).toBe(response_mode === 'fragment' ? 302 : 200)
      })

  test('a live session and nothing to ask: the same answer as after a login, for the same person', async () => {
    const { parameters } = outcomeOf(await silently(ada, latchkey.issuer))
    expect(Object.keys(parameters).toSorted()).toEqual(
      ['access_token', 'expires_in', 'id_token', 'iss', 'session_state', 'state', 'token_type'].toSorted(),
    )
    expect(claimsOf(parameters.id_token).email).toBe(person.email)
  })

  test('it leaves no trip behind: no cookie of a trip is set for a stranger', async () => {
    const agent = stranger()
    await silently(agent, latchkey.issuer)
    expect(agent.cookies).toEqual([])
  })

  test('a session cookie that was never given out is nobody', async () => {
    const agent = stranger()
    agent.setCookie('latchkey_session', 'A'.repeat(43))
    expect(outcomeOf(await silently(agent, latchkey.issuer)).parameters.error).toBe('login_required')
  })
})

describe('web_message', () => {
  test('the page posts type and response to the exact origin of the callback, expires_in as a number', async () => {
    const answer = await silently(ada, latchkey.issuer, { response_mode: 'web_message' })
    const message = messageOf(answer)
    expect(message).toMatchObject({ target: 'https://app.example.com', type: 'authorization_response' })
    expect(message?.response).toMatchObject({ expires_in: 7200, token_type: 'Bearer', state: 'af0ifjsldkj' })
    expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors https://app.example.com;')
    expect(answer.headers.get('x-frame-options')).toBeNull()
    expect(answer.headers.get('location')).toBeNull()
  })

  test('nothing is posted where the origin is not an allowed web origin, and nobody may frame the page', async () => {
    const agent = stranger()
    const change = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }
    await signIn(agent, latchkey.issuer, change)
    const answer = await silently(agent, latchkey.issuer, { ...change, response_mode: 'web_message' })
    expect(answer.status).toBe(200)
    expect(messageOf(answer)).toBeUndefined()
    expect(answer.body).not.toContain('eyJ')
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
  })
})

describe('sessions', () => {
  /** Moves the clock, then asks without a page. */
  async function later(seconds: number, agent: Agent, change: Parameters = {}): Promise<string> {
    latchkey.advance(seconds)
    const { parameters } = outcomeOf(await silently(agent, latchkey.issuer, change))
    return parameters.error ?? 'tokens'
  }

  test('one session serves every app of the tenant: another one only has to ask for consent', async () => {
    const other = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
    const page = await ada.visit(authorizeUrl(latchkey.issuer, other))
    expect(isPage(page, '/u/consent')).toBe(true)
    expect(outcomeOf(await ada.submit(page, { action: 'accept' })).target).toBe('com.example.app://callback')
  })

  test('it ends when it is not used for 72 hours; each use begins that time anew, up to 168 hours', async () => {
    const agent = stranger()
    await signIn(agent, latchkey.issuer)
    expect(await later(71 * hour, agent)).toBe('tokens')
    expect(await later(71 * hour, agent)).toBe('tokens')
    expect(await later(25 * hour, agent)).toBe('tokens')
    expect(await later(1.1 * hour, agent)).toBe('login_required')
    await signIn(agent, latchkey.issuer)
    expect(await later(72.1 * hour, agent)).toBe('login_required')
  })

  test('a lifetime that was shortened counts for running sessions', async () => {
    const agent = stranger()
    await signIn(agent, latchkey.issuer)
    await latchkey.apply('tenant: { session_lifetime: 2, idle_session_lifetime: 1 }')
    expect(await later(0.5 * hour, agent)).toBe('tokens')
    expect(await later(1.1 * hour, agent)).toBe('login_required')
    await latchkey.apply('tenant: { session_lifetime: 168, idle_session_lifetime: 72 }')
  })

  test('a person who is blocked is signed out, gets access_denied after a right password, and may come back later', async () => {
    const agent = stranger()
    await signIn(agent, latchkey.issuer)
    await latchkey.apply(`users: [{ email: ${person.email}, blocked: true }]`)
    expect(await later(0, agent)).toBe('login_required')
    const shown = await signIn(agent, latchkey.issuer)
    expect(outcomeOf(shown)).toMatchObject({
      target: callback,
      parameters: { error: 'access_denied', error_description: 'user is blocked' },
    })
    await latchkey.apply(`users: [{ email: ${person.email}, blocked: false }]`)
    expect(outcomeOf(await signIn(agent, latchkey.issuer)).parameters).toHaveProperty('access_token')
  })
})
