import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, formOf } from '../support/agent.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, person, tenant } from '../support/tenant.ts'

let certificate: Certificate
let latchkey: Latchkey
const trusted = getCACertificates('default')
beforeAll(async () => {
  certificate = await makeCertificate()
  setDefaultCACertificates([...trusted, certificate.ca])
  latchkey = await startLatchkey({ tenant, tls_file: certificate.file, development: false })
})
afterAll(async () => {
  await latchkey.close()
  certificate.remove()
  setDefaultCACertificates(trusted)
})

interface Cookie {
  readonly value: string
  readonly attributes: readonly string[]
}

/** The cookies that an answer sets, by name; attributes in lower case, without the instant at which they end. */
function setBy(answer: Answer): Readonly<Record<string, Cookie>> {
  return Object.fromEntries(
    answer.headers.getSetCookie().map((line) => {
      const [pair = '', ...attributes] = line.split('; ')
      const equals = pair.indexOf('=')
      const plain = attributes.map((one) => one.toLowerCase().replace(/^expires=.*/, 'expires')).toSorted()
      return [pair.slice(0, equals), { value: pair.slice(equals + 1), attributes: plain }]
    }),
  )
}

/** From the request to the answer; every cookie that was set on the way. */
async function journey(issuer: string, change: Parameters = {}) {
  const agent = new Agent()
  const begun = await agent.request(authorizeUrl(issuer, change))
  const page = await agent.request(begun.location ?? '')
  const { fields, action } = formOf(page)
  const signed = await agent.request(action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ ...fields, username: person.email, password: person.password }).toString(),
  })
  const answer = await agent.request(signed.location ?? '')
  return { agent, begun: setBy(begun), signed: setBy(signed), answered: setBy(answer), answer }
}

describe('RFC 6265bis §4.1.3.2 cookies over https', () => {
  test('the browser, the session and its silent twin, out of the reach of scripts; the state for a frame of ours: each bound to this host', async () => {
    const { begun, signed, answered } = await journey(latchkey.https_issuer)
    const attributes = (cookies: Readonly<Record<string, Cookie>>) =>
      Object.entries(cookies).map(([name, cookie]) => [name, cookie.attributes])
    expect(attributes(begun)).toEqual([['__Host-latchkey_browser', ['httponly', 'path=/', 'samesite=lax', 'secure']]])
    expect(attributes(signed)).toEqual([
      ['__Host-latchkey_session', ['expires', 'httponly', 'path=/', 'samesite=lax', 'secure']],
    ])
    expect(attributes(answered)).toEqual([
      ['__Host-latchkey_state', ['expires', 'path=/', 'samesite=none', 'secure']],
      ['__Host-latchkey_silent', ['expires', 'httponly', 'path=/', 'samesite=none', 'secure']],
    ])
    for (const { value } of Object.values({ ...begun, ...signed, ...answered })) expect(value).toMatch(/^[\w-]{43}$/)
  })

  test('the twin is another secret than the session, and there is none for a client without web origins', async () => {
    const { signed, answered } = await journey(latchkey.https_issuer)
    expect(answered['__Host-latchkey_silent']?.value).not.toBe(signed['__Host-latchkey_session']?.value)
    const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
    expect(Object.keys((await journey(latchkey.https_issuer, native)).answered)).toEqual([])
  })

  test('an https name has tokens of its own: iss is the name that was asked', async () => {
    const { answer } = await journey(latchkey.https_issuer)
    const { parameters } = outcomeOf(answer)
    expect([parameters.iss, claimsOf(parameters.id_token).iss]).toEqual([latchkey.https_issuer, latchkey.https_issuer])
  })

  test('RFC 6797 §7.1 browsers are told to stay with https', async () => {
    const answer = await fetch(`${latchkey.https_issuer}.well-known/jwks.json`)
    expect(answer.headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/)
    expect((await fetch(`${latchkey.issuer}.well-known/jwks.json`)).headers.get('strict-transport-security')).toBeNull()
  })
})

describe('the silent twin', () => {
  /** A frame on another site: the browser sends the twin alone. */
  async function frame(): Promise<Agent> {
    const { agent } = await journey(latchkey.https_issuer)
    const silent = agent.cookies.find(({ name }) => name === '__Host-latchkey_silent')
    const alone = new Agent()
    alone.setCookie('__Host-latchkey_silent', silent?.value ?? '')
    return alone
  }

  test('opens prompt=none, with every response mode', async () => {
    const agent = await frame()
    for (const response_mode of ['fragment', 'web_message', 'form_post'])
      expect(outcomeOf(await silently(agent, latchkey.https_issuer, { response_mode })).parameters).toHaveProperty(
        'id_token',
      )
  })

  for (const change of [
    {},
    { prompt: 'login' },
    { prompt: 'consent' },
    { prompt: 'select_account' },
    { max_age: '86400' },
  ])
    test(`opens nothing else: ${JSON.stringify(change)} shows the login page`, async () => {
      const page = await (await frame()).visit(authorizeUrl(latchkey.https_issuer, change))
      expect(isPage(page, '/u/login')).toBe(true)
      expect(page.body).not.toContain(person.email)
    })

  test('is no session cookie, and a session cookie is no twin', async () => {
    const { signed, answered } = await journey(latchkey.https_issuer)
    for (const [name, value] of [
      ['__Host-latchkey_session', answered['__Host-latchkey_silent']?.value],
      ['__Host-latchkey_silent', signed['__Host-latchkey_session']?.value],
    ] as const) {
      const agent = new Agent()
      agent.setCookie(name, value ?? '')
      expect(outcomeOf(await silently(agent, latchkey.https_issuer)).parameters.error).toBe('login_required')
    }
  })

  test('ends with the session, and with a new login of somebody in that browser', async () => {
    const { agent } = await journey(latchkey.https_issuer)
    const old = agent.cookies.find(({ name }) => name === '__Host-latchkey_silent')?.value ?? ''
    await signIn(agent, latchkey.https_issuer, { prompt: 'login' })
    expect(agent.cookies.find(({ name }) => name === '__Host-latchkey_silent')?.value).not.toBe(old)
    const left = new Agent()
    left.setCookie('__Host-latchkey_silent', old)
    expect(outcomeOf(await silently(left, latchkey.https_issuer)).parameters.error).toBe('login_required')
  })

  test('logging out takes every cookie of the person away', async () => {
    const { agent } = await journey(latchkey.https_issuer)
    const cleared = setBy(await agent.request(`${latchkey.https_issuer}v2/logout`))
    expect(Object.keys(cleared).toSorted()).toEqual([
      '__Host-latchkey_session',
      '__Host-latchkey_silent',
      '__Host-latchkey_state',
    ])
    for (const { value, attributes } of Object.values(cleared))
      expect([value, attributes.includes('secure')]).toEqual(['', true])
    expect(agent.cookies.map(({ name }) => name)).toEqual(['__Host-latchkey_browser'])
  })
})

describe('cookies over plain http, which loopback hosts alone may use', () => {
  test('no Secure, no prefix and no twin; HttpOnly and Lax all the same', async () => {
    const { begun, signed, answered } = await journey(latchkey.issuer)
    expect(begun.latchkey_browser?.attributes).toEqual(['httponly', 'path=/', 'samesite=lax'])
    expect(signed.latchkey_session?.attributes).toEqual(['expires', 'httponly', 'path=/', 'samesite=lax'])
    expect(Object.keys(answered)).toEqual(['latchkey_state'])
    expect(answered.latchkey_state?.attributes).toEqual(['expires', 'path=/', 'samesite=lax'])
  })

  test('a cookie without the prefix is nobody over https', async () => {
    const { signed } = await journey(latchkey.issuer)
    const agent = new Agent()
    agent.setCookie('latchkey_session', signed.latchkey_session?.value ?? '')
    expect(outcomeOf(await silently(agent, latchkey.https_issuer)).parameters.error).toBe('login_required')
  })

  test('with session_cookie.mode non-persistent the cookie ends with the browser', async () => {
    await latchkey.apply('tenant: { session_cookie: { mode: non-persistent } }')
    const { signed, answered } = await journey(latchkey.https_issuer)
    for (const cookie of [signed['__Host-latchkey_session'], answered['__Host-latchkey_silent']])
      expect(cookie?.attributes).not.toContain('expires')
    await latchkey.apply('tenant: { session_cookie: { mode: persistent } }')
  })
})

describe('security rule 8 the server secret is rotated', () => {
  test('sessions go on, with the twin they have or the one they get only now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-cookies-'))
    const secrets = { old: 'o'.repeat(48), new: 'n'.repeat(48) }
    const start = (secret: string) => {
      writeFileSync(join(folder, 'secret'), secret, { mode: 0o600 })
      const database = `sqlite:${join(folder, 'latchkey.sqlite')}`
      const options = { secret: join(folder, 'secret') }
      return startLatchkey({ tenant, tls_file: certificate.file, development: false, database, options })
    }
    const twinOf = (agent: Agent) => agent.cookies.find(({ name }) => name === '__Host-latchkey_silent')?.value
    const byTwin = async (twin: string | undefined, issuer: string) => {
      const framed = new Agent()
      framed.setCookie('__Host-latchkey_silent', twin ?? '')
      return outcomeOf(await silently(framed, issuer)).parameters
    }
    const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
    let server = await start(secrets.old)
    try {
      const [before, after] = [new Agent(), new Agent()]
      await signIn(before, server.https_issuer)
      await signIn(after, server.https_issuer, native)
      expect([typeof twinOf(before), twinOf(after)]).toEqual(['string', undefined])
      await server.close()
      server = await start(`${secrets.new},${secrets.old}`)
      expect(await byTwin(twinOf(before), server.https_issuer)).toHaveProperty('access_token')
      expect(outcomeOf(await silently(after, server.https_issuer)).parameters).toHaveProperty('access_token')
      expect(await byTwin(twinOf(after), server.https_issuer)).toHaveProperty('access_token')
      const fresh = new Agent()
      await signIn(fresh, server.https_issuer)
      expect(await byTwin(twinOf(fresh), server.https_issuer)).toHaveProperty('access_token')
    } finally {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
