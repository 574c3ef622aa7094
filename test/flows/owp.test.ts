import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreClients, moreTenant } from '../support/more_tenant.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { callback, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const ask = (change: Parameters = {}) => silently(ada, latchkey.issuer, { owp: 'true', ...change })
const origin = 'https://app.example.com'

/** What the page's script posts, as WinChan reads it, and to whom; undefined when it posts nothing. */
function told({ body }: Answer) {
  const [, text, target] = /postMessage\(("(?:[^"\\]|\\.)*"), ("[^"]*")\)/.exec(body) ?? []
  if (text === undefined || target === undefined) return undefined
  const message = JSON.parse(JSON.parse(text) as string) as { a: string; d: Readonly<Record<string, unknown>> }
  return { ...message, target: JSON.parse(target) as string }
}

function policy(answer: Answer, directive: string): string | undefined {
  const directives = (answer.headers.get('content-security-policy') ?? '').split(';').map((part) => part.trim())
  return directives.find((part) => part.startsWith(`${directive} `))?.slice(directive.length + 1)
}

describe('owp: the answer for a popup', () => {
  test('a page that tells its opener, at the origin of the callback alone; nothing in any address', async () => {
    const answer = await ask()
    expect([answer.status, answer.location]).toEqual([200, undefined])
    const message = told(answer)
    expect([message?.a, message?.target]).toEqual(['response', origin])
    expect(message?.d).toMatchObject({
      ...{ access_token: expect.stringMatching(/^eyJ/), id_token: expect.stringMatching(/^eyJ/) },
      ...{ token_type: 'Bearer', expires_in: 7200, state: 'af0ifjsldkj', iss: latchkey.issuer },
    })
  })

  test('nobody may frame it, its opener stays, and nothing of it is kept', async () => {
    const answer = await ask()
    expect(policy(answer, 'default-src')).toBe("'none'")
    expect(policy(answer, 'frame-ancestors')).toBe("'none'")
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('what the request says cannot leave the script', async () => {
    const state = `"'\\</script><!--\u2028&`
    const answer = await ask({ state })
    expect(told(answer)?.d.state).toBe(state)
    expect(answer.body.match(/<\/script>/g)).toHaveLength(1)
  })

  test('a refusal is told the same way', async () => {
    const message = told(await ask({ audience: 'https://no.example/' }))
    expect([message?.a, message?.target]).toEqual(['response', origin])
    expect(message?.d).toMatchObject({ error: 'access_denied', state: 'af0ifjsldkj', iss: latchkey.issuer })
    expect(message?.d).not.toHaveProperty('access_token')
  })

  test('after the login page and the consent page too', async () => {
    const agent = new Agent()
    let page = await agent.visit(authorizeUrl(latchkey.issuer, { owp: 'true', prompt: 'consent' }))
    expect(isPage(page, '/u/login')).toBe(true)
    page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
    expect(isPage(page, '/u/consent')).toBe(true)
    const answer = await agent.submit(page, { action: 'accept' })
    expect(told(answer)).toMatchObject({ target: origin, d: { access_token: expect.any(String) } })
  })

  test('a client that does not list the origin: nothing is posted, and no token is in the page', async () => {
    const client = { client_id: moreClients.unlisted, redirect_uri: 'https://unlisted.example.com/callback' }
    const answer = await ask(client)
    expect(told(answer)).toBeUndefined()
    expect(answer.body).not.toMatch(/eyJ|access_token|lk_at_/)
    expect(answer.body).toContain('Allowed Web Origins')
  })

  test('a callback that is not registered is our own page, which tells nobody anything', async () => {
    const answer = await ask({ redirect_uri: 'https://evil.example/callback' })
    expect(errorPageOf(answer).error).toBe('invalid_request')
    expect(answer.body).not.toContain('postMessage')
  })

  for (const owp of ['false', '1', 'TRUE', ''])
    test(`owp=${owp} is none: the answer is in the address`, async () =>
      expect(outcomeOf(await ask({ owp })).via).toBe('fragment'))

  for (const response_mode of ['form_post', 'web_message'])
    test(`${response_mode} puts nothing into an address, so owp changes nothing`, async () => {
      const { via, target } = outcomeOf(await ask({ response_mode }))
      expect([via, target]).toEqual([response_mode, response_mode === 'form_post' ? callback : origin])
    })

  test('response_mode=fragment by name gives way to it', async () =>
    expect(told(await ask({ response_mode: 'fragment' }))?.target).toBe(origin))

  test("a native app's own scheme has no origin: the answer goes to it as ever", async () => {
    const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
    await signIn(ada, latchkey.issuer, native)
    expect(outcomeOf(await ask(native)).target).toBe(native.redirect_uri)
  })

  test('it is no response mode of its own', async () => {
    const { parameters } = outcomeOf(await ask({ owp: undefined, response_mode: 'owp' }))
    expect(parameters.error).toBe('invalid_request')
    const discovery = await fetch(`${latchkey.issuer}.well-known/openid-configuration`)
    expect((await discovery.json()) as object).toMatchObject({
      response_modes_supported: expect.not.arrayContaining(['owp']),
    })
  })
})
