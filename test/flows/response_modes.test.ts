import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreClients, moreTenant } from '../support/more_tenant.ts'
import { messageOf, outcomeOf } from '../support/outcome.ts'
import { callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await signIn(ada, latchkey.issuer)
  await signIn(ada, latchkey.issuer, { client_id: clients.native, redirect_uri: custom })
})
afterAll(() => latchkey.close())

const custom = 'com.example.app://callback'
const ask = (change: Parameters) => silently(ada, latchkey.issuer, change)

/** The sources of one directive of a page's policy. */
function policy(answer: Answer, directive: string): string {
  const directives = (answer.headers.get('content-security-policy') ?? '').split(';').map((part) => part.trim())
  return directives.find((part) => part.startsWith(`${directive} `))?.slice(directive.length + 1) ?? '(missing)'
}

function expectSafe(answer: Answer): void {
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
}

describe('fragment', () => {
  test('asked for by name it is the same as unasked', async () => {
    const answer = await ask({ response_mode: 'fragment' })
    expect([answer.status, outcomeOf(answer).via]).toEqual([302, 'fragment'])
    expectSafe(answer)
    expect(answer.body).toBe('')
  })

  test("the callback's own query stays, and the fragment follows it", async () => {
    for (const change of [{}, { audience: 'unknown' }])
      expect(outcomeOf(await ask({ ...change, redirect_uri: `${callback}?keep=1` })).target).toBe(`${callback}?keep=1`)
  })

  test("a native app's own scheme", async () =>
    expect(outcomeOf(await ask({ client_id: clients.native, redirect_uri: custom })).target).toBe(custom))

  test('RFC 6749 §4.1.2.1 an error in the query joins the query that is there', async () => {
    const answer = await ask({ redirect_uri: `${callback}?keep=1`, response_type: undefined })
    expect(answer.location).toMatch(/^https:\/\/app\.example\.com\/callback\?keep=1&error=invalid_request&/)
  })
})

describe('OAuth 2.0 Form Post Response Mode §2', () => {
  test('a page that posts hidden fields to the callback by itself; nothing in any address', async () => {
    const answer = await ask({ response_mode: 'form_post', state: `"'<>&` })
    expect([answer.status, answer.location]).toEqual([200, undefined])
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.body).toMatch(/<form[^>]*method="post"[^>]*action="https:\/\/app\.example\.com\/callback"/)
    const { action, fields } = formOf(answer)
    expect(action).toBe(callback)
    expect(Object.keys(fields).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'iss',
      'session_state',
      'state',
      'token_type',
    ])
    expect(fields.state).toBe(`"'<>&`)
    expect(answer.body).toContain('<noscript><button')
  })

  test('its headers: not kept, not framed, and the form may go to the callback alone', async () => {
    const answer = await ask({ response_mode: 'form_post' })
    expectSafe(answer)
    expect(policy(answer, 'default-src')).toBe("'none'")
    expect(policy(answer, 'frame-ancestors')).toBe("'none'")
    expect(policy(answer, 'form-action')).toBe("'self' https://app.example.com")
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
  })

  test('its script carries the nonce of the policy, and each answer has a nonce of its own', async () => {
    const nonces = await Promise.all(
      [1, 2, 3].map(async () => {
        const answer = await ask({ response_mode: 'form_post' })
        const nonce = /'nonce-([\w-]+)'/.exec(policy(answer, 'script-src'))?.[1]
        expect(answer.body).toContain(`<script nonce="${nonce}">HTMLFormElement`)
        return nonce
      }),
    )
    expect(new Set(nonces).size).toBe(3)
  })

  test('an error takes the same way', async () => {
    const { via, target, parameters } = outcomeOf(await ask({ response_mode: 'form_post', audience: 'unknown' }))
    expect([via, target]).toEqual(['form_post', callback])
    expect(Object.keys(parameters).toSorted()).toEqual(['error', 'error_description', 'iss', 'state'])
  })

  test('after a login and a no on the consent page too', async () => {
    const agent = new Agent()
    const change = { response_mode: 'form_post', prompt: 'consent' }
    await signIn(agent, latchkey.issuer)
    const page = await agent.visit(authorizeUrl(latchkey.issuer, change))
    const { via, parameters } = outcomeOf(await agent.submit(page, { action: 'deny' }))
    expect([via, parameters.error]).toEqual(['form_post', 'access_denied'])
  })

  for (const response_mode of ['form_post', 'web_message'])
    test(`${response_mode} cannot reach a native app's own scheme: refused, in the fragment`, async () => {
      const { via, target, parameters } = outcomeOf(
        await ask({ client_id: clients.native, redirect_uri: custom, response_mode }),
      )
      expect([via, target, parameters.error]).toEqual(['fragment', custom, 'invalid_request'])
    })
})

describe('web_message', () => {
  test('its headers: framed by the web origins of the client alone, forms nowhere else', async () => {
    const answer = await ask({ response_mode: 'web_message' })
    expectSafe(answer)
    expect(policy(answer, 'default-src')).toBe("'none'")
    expect(policy(answer, 'frame-ancestors')).toBe('https://app.example.com')
    expect(policy(answer, 'form-action')).toBe("'self'")
    expect(answer.headers.get('x-frame-options')).toBeNull()
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
  })

  test('an error has the same shape', async () => {
    const message = messageOf(await ask({ response_mode: 'web_message', audience: 'unknown' }))
    expect(message).toMatchObject({ type: 'authorization_response', target: 'https://app.example.com' })
    expect(message?.response).toMatchObject({ error: 'access_denied', state: 'af0ifjsldkj', iss: latchkey.issuer })
  })

  test('every web origin may frame the page, and the message goes to that of the callback', async () => {
    const single = { client_id: moreClients.single, redirect_uri: 'https://single.example.com/callback' }
    const answer = await ask({ ...single, response_mode: 'web_message' })
    expect(policy(answer, 'frame-ancestors')).toBe('https://single.example.com https://also.example.com')
    expect(messageOf(answer)?.target).toBe('https://single.example.com')
  })

  test('to the opener where there is one, else to the parent', async () =>
    expect((await ask({ response_mode: 'web_message' })).body).toMatch(
      /window\.opener \|\| \(framed \? window\.parent/,
    ))

  test('a client without web origins: nothing is posted, no token is in the page, nobody may frame it', async () => {
    const client = { client_id: moreClients.unlisted, redirect_uri: 'https://unlisted.example.com/callback' }
    const answer = await ask({ ...client, response_mode: 'web_message' })
    expect(messageOf(answer)).toBeUndefined()
    expect(answer.body).not.toMatch(/eyJ|access_token|lk_at_/)
    expect(policy(answer, 'frame-ancestors')).toBe("'none'")
    // The page of a server in development says what to change.
    expect(answer.body).toContain('Allowed Web Origins')
  })
})
