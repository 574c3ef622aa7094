/** The device flow over HTTP: a device asks, its person decides in a browser, and the device gets its tokens once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, formOf } from '../support/agent.ts'
import { codeTenant, offlineApi, post, refresh, secret } from '../support/code_flow.ts'
import { isPage, type Parameters, signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf } from '../support/outcome.ts'
import type { Credentials } from '../support/person.ts'
import { apis, blocked, clients, connection, person, tenant } from '../support/tenant.ts'

const tv = 'TelevisionClient0000000000000000'
const box = 'BoxClient00000000000000000000000'
const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
const deviceTenant = `
clients:
  - name: Television
    client_id: ${tv}
    app_type: native
    grant_types: ['${grant_type}', refresh_token]
  - name: Box
    client_id: ${box}
    client_secret: '${secret}'
    app_type: regular_web
    is_first_party: false
    grant_types: ['${grant_type}']
`

let latchkey: Latchkey
let issuer: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await latchkey.apply(deviceTenant)
})
afterAll(() => latchkey.close())

interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
}
const asked = { client_id: tv, scope: 'openid profile read:messages', audience: apis.messages } as const
const begin = (change: Parameters = {}, headers = {}) =>
  post(`${issuer}oauth/device/code`, { ...asked, ...change }, headers)
const begun = async (change: Parameters = {}) => (await begin(change)).json as unknown as Codes
const poll = (codes: Codes, change: Parameters = {}) =>
  post(`${issuer}oauth/token`, { grant_type, client_id: tv, device_code: codes.device_code, ...change })
const errorOf = async (codes: Codes, change: Parameters = {}) => {
  const { status, json } = await poll(codes, change)
  return [status, json.error]
}

/** Types the code, signs in where asked, up to the page that asks. */
async function question(
  agent: Agent,
  codes: Codes,
  who: Credentials = person,
  typed = codes.user_code,
): Promise<Answer> {
  let page = await agent.submit(await agent.visit(codes.verification_uri), { code: typed })
  if (isPage(page, '/u/login'))
    page = await agent.submit(page, { username: who.email, password: who.password, action: 'default' })
  return page
}
const decide = async (agent: Agent, codes: Codes, action: 'accept' | 'deny') =>
  agent.submit(await question(agent, codes), { action })

describe('RFC 8628 §3.1 §3.2 the device authorization request', () => {
  test('yields a code for the device, one for the person, and where to type it', async () => {
    const { status, headers, json } = await begin()
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(json).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${issuer}activate`,
      verification_uri_complete: `${issuer}activate?user_code=${json.user_code}`,
      ...{ expires_in: 900, interval: 5 },
    })
  })

  test('a confidential client authenticates', async () => {
    const its = { client_id: box, client_secret: secret }
    expect((await begin(its)).status).toBe(200)
    expect((await begin({ ...its, client_secret: 'x'.repeat(40) })).json.error).toBe('invalid_client')
    expect((await begin({ client_id: box })).json.error).toBe('invalid_client')
    const basic = { authorization: `Basic ${Buffer.from(`${box}:${encodeURIComponent(secret)}`).toString('base64')}` }
    expect((await begin({ client_id: undefined }, basic)).status).toBe(200)
  })

  for (const [name, change, status, error] of [
    ['a client without the grant type', { client_id: clients.spa }, 400, 'unauthorized_client'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['no client', { client_id: undefined }, 401, 'invalid_client'],
    ['a scope that is none', { scope: 'a"b' }, 400, 'invalid_scope'],
    ['an unknown API', { audience: 'https://nowhere.example/' }, 403, 'access_denied'],
  ] as const)
    test(`${name}: ${error}`, async () => {
      const answer = await begin(change)
      expect([answer.status, answer.json.error]).toEqual([status, error])
      expect(Object.keys(answer.json).toSorted()).toEqual(['error', 'error_description'])
    })

  test('RFC 8628 §4 discovery names the endpoint and the grant', async () => {
    const document = await (await fetch(`${issuer}.well-known/openid-configuration`)).json()
    expect(document).toMatchObject({
      device_authorization_endpoint: `${issuer}oauth/device/code`,
      grant_types_supported: expect.arrayContaining([grant_type]),
    })
  })
})

describe('RFC 8628 §3.3 §3.3.1 the person decides', () => {
  test('types the code, signs in, sees the device, its code and what it asks for, and says yes', async () => {
    const agent = new Agent()
    const codes = await begun()
    expect(await errorOf(codes)).toEqual([400, 'authorization_pending'])
    const page = await question(agent, codes)
    expect(isPage(page, '/u/consent')).toBe(true)
    for (const text of ['Television', codes.user_code, person.email, 'Read your messages'.slice(-8)])
      expect(page.body).toContain(text)
    expect(page.body).not.toContain('You will be sent to')
    const done = await agent.submit(page, { action: 'accept' })
    expect(done.body).toContain('Your device is connected')
    const { status, json } = await poll(codes)
    expect(status).toBe(200)
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'scope', 'token_type'])
    expect(json).toMatchObject({ token_type: 'Bearer', scope: 'openid profile read:messages' })
    expect((await verified(issuer, json.access_token)).claims).toMatchObject({ azp: tv })
    const id = (await verified(issuer, json.id_token)).claims
    expect(id).toMatchObject({ aud: tv, name: 'Ada Lovelace' })
    // The device is no part of the browser's session, and its end is not the device's.
    expect(id).not.toHaveProperty('sid')
    const userinfo = { headers: { authorization: `Bearer ${json.access_token}` } }
    expect((await fetch(`${issuer}userinfo`, userinfo)).status).toBe(200)
  })

  test('who is signed in is asked all the same, each time', async () => {
    const agent = new Agent()
    await signIn(agent, issuer)
    for (let index = 0; index < 2; index++) {
      const codes = await begun()
      const page = await question(agent, codes)
      expect(isPage(page, '/u/consent')).toBe(true)
      await agent.submit(page, { action: 'accept' })
      expect((await poll(codes)).status).toBe(200)
    }
  })

  test('a no is told to the device', async () => {
    const codes = await begun()
    const done = await decide(new Agent(), codes, 'deny')
    expect([done.status, done.body.includes('was not connected')]).toEqual([200, true])
    expect(await errorOf(codes)).toEqual([400, 'access_denied'])
    expect(await errorOf(codes)).toEqual([400, 'access_denied'])
  })

  test('the code may be typed in any case and with any signs; the address fills it in and decides nothing', async () => {
    const codes = await begun()
    const agent = new Agent()
    const page = await agent.visit(codes.verification_uri_complete)
    expect(page.body).toContain(`value="${codes.user_code}"`)
    expect(formOf(page).action).toBe(codes.verification_uri)
    expect(await errorOf(codes)).toEqual([400, 'authorization_pending'])
    const typed = ` ${codes.user_code.toLowerCase().replace('-', ' . ')} `
    expect(isPage(await question(agent, codes, person, typed), '/u/consent')).toBe(true)
    for (const odd of ['<script>', 'AAAA-AAAA', '%22', 'BCDF'])
      expect((await agent.visit(`${issuer}activate?user_code=${encodeURIComponent(odd)}`)).body).toContain('value=""')
  })

  test('a blocked person says no', async () => {
    const codes = await begun()
    expect((await question(new Agent(), codes, blocked)).body).toContain('was not connected')
    expect(await errorOf(codes)).toEqual([400, 'access_denied'])
  })

  test('what a third-party device gets is said to be its own', async () => {
    const { json } = await begin({ client_id: box, client_secret: secret })
    const page = await question(new Agent(), json as unknown as Codes)
    expect(page.body).toMatch(/Box.* is not run by/s)
  })

  test('a form of another browser, another site, or without its proof does nothing', async () => {
    const codes = await begun()
    const agent = new Agent()
    const page = await agent.visit(codes.verification_uri)
    for (const [fields, headers] of [
      [{ code: codes.user_code, csrf: 'x' }, {}],
      [{ code: codes.user_code }, { 'sec-fetch-site': 'cross-site' }],
      [{ code: codes.user_code }, { origin: 'https://evil.example' }],
    ] as const)
      expect(errorPageOf(await agent.submit(page, fields, headers)).status).toBe(403)
    expect(errorPageOf(await new Agent().submit(page, { code: codes.user_code })).status).toBe(403)
  })

  test('two people at once: the first word counts, the other is told', async () => {
    const codes = await begun()
    const [one, two] = [new Agent(), new Agent()]
    const pages = [await question(one, codes), await question(two, codes)] as const
    expect((await one.submit(pages[0], { action: 'deny' })).body).toContain('was not connected')
    expect(errorPageOf(await two.submit(pages[1], { action: 'accept' }))).toMatchObject({ error: 'invalid_request' })
    expect(await errorOf(codes)).toEqual([400, 'access_denied'])
  })
})

describe('RFC 8628 §3.4 §3.5 what the device is told', () => {
  test('RFC 8628 §3.5 slow_down, five seconds longer each time', async () => {
    const codes = await begun()
    const said = []
    for (const wait of [0, 4.5, 1, 9.5, 1, 15, 15]) {
      latchkey.advance(wait)
      said.push((await errorOf(codes))[1])
    }
    const [pending, slow] = ['authorization_pending', 'slow_down']
    expect(said).toEqual([pending, pending, slow, pending, slow, pending, pending])
  })

  test('expired_token after a quarter of an hour, and a yes comes too late', async () => {
    const codes = await begun()
    const agent = new Agent()
    const page = await question(agent, codes)
    latchkey.advance(901)
    expect(await errorOf(codes)).toEqual([400, 'expired_token'])
    expect(errorPageOf(await agent.submit(page, { action: 'accept' })).error).toBe('invalid_request')
    expect((await question(new Agent(), codes)).status).toBe(400)
    expect(await errorOf(codes)).toEqual([400, 'expired_token'])
    const late = await begun()
    await decide(new Agent(), late, 'accept')
    latchkey.advance(901)
    expect(await errorOf(late)).toEqual([400, 'expired_token'])
  })

  test('a hundred at once: one gets tokens, the others invalid_grant', async () => {
    const codes = await begun({ scope: 'openid offline_access read:offline', audience: offlineApi })
    await decide(new Agent(), codes, 'accept')
    const answers = await Promise.all(Array.from({ length: 100 }, () => poll(codes)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(answers.map(({ json }) => json.error))).toEqual(new Set([undefined, 'invalid_grant']))
    const won = answers.find(({ status }) => status === 200)
    const { status, json } = await refresh(issuer, won?.json.refresh_token, { client_id: tv })
    expect(status).toBe(200)
    expect(claimsOf(json.id_token).aud).toBe(tv)
  })

  for (const [name, change, error] of [
    ['no code', { device_code: undefined }, 'invalid_request'],
    ['another code', { device_code: 'x'.repeat(43) }, 'invalid_grant'],
    ['another client', { client_id: box, client_secret: secret }, 'invalid_grant'],
    ['the code of the person', {}, 'invalid_grant'],
    ['a client without the grant', { client_id: clients.spa }, 'unauthorized_client'],
  ] as const)
    test(`${name} is ${error}`, async () => {
      const codes = await begun()
      await decide(new Agent(), codes, 'accept')
      const own = name === 'the code of the person' ? { device_code: codes.user_code } : {}
      expect(await errorOf(codes, { ...change, ...own })).toEqual([400, error])
      expect((await poll(codes)).status).toBe(200)
    })

  test('RFC 8707 §2 resource names the API as audience does', async () => {
    const codes = await begun({ audience: undefined, resource: apis.messages })
    expect((await begin({ resource: 'https://nowhere.example/' })).json.error).toBe('invalid_target')
    await decide(new Agent(), codes, 'accept')
    const { json } = await poll(codes)
    expect(claimsOf(json.access_token).aud).toContain(apis.messages)
  })

  test('online_access is nothing for a device; a scope that does not exist is left out and told', async () => {
    const codes = await begun({ scope: 'openid online_access nothing read:messages' })
    await decide(new Agent(), codes, 'accept')
    const { json } = await poll(codes)
    expect([json.scope, json.refresh_token]).toEqual(['openid read:messages', undefined])
  })

  test('a new password, or a block, between the yes and the question ends it', async () => {
    for (const [change, error] of [
      [`password: 'Correct-Horse-9'`, 'access_denied'],
      ['blocked: true', 'invalid_grant'],
    ] as const) {
      const codes = await begun()
      await decide(new Agent(), codes, 'accept')
      latchkey.advance(1)
      await latchkey.apply(`users: [{ email: ${person.email}, ${change} }]`)
      expect(await errorOf(codes)).toEqual([400, error])
      await latchkey.apply(`users: [{ email: ${person.email}, password: '${person.password}', blocked: false }]`)
    }
  })

  test('a block in the same moment leaves no token that counts afterwards', async () => {
    const { store } = latchkey.tenant
    const { user_id = '' } = (await store.users.findByEmail(connection, person.email)) ?? {}
    for (let round = 0; round < 8; round++) {
      const codes = await begun({ audience: undefined, scope: 'openid offline_access' })
      await decide(new Agent(), codes, 'accept')
      const block = () =>
        store.atomically(async (all) => {
          await all.users.update(user_id, { blocked: true }, Date.now())
          await all.refreshTokens.revokeAllOf(user_id, undefined, Date.now())
          await all.accessTokens.revokeAllOf(user_id)
        })
      const [{ json }] = await Promise.all([
        poll(codes),
        new Promise((resolve) => setTimeout(resolve, round)).then(block),
      ])
      await store.users.update(user_id, { blocked: false }, Date.now())
      const headers = { authorization: `Bearer ${json.access_token}` }
      expect((await fetch(`${issuer}userinfo`, { headers })).status).toBe(401)
      if (json.refresh_token !== undefined)
        expect((await refresh(issuer, json.refresh_token, { client_id: tv })).json.error).toBe('invalid_grant')
    }
  })
})

describe('RFC 8628 §5.1 guessing a user code', () => {
  test('is held up after ten wrong ones from one browser; right ones do not count', async () => {
    const agent = new Agent()
    const wrong = async () => (await agent.submit(await agent.visit(`${issuer}activate`), { code: 'BCDF-BCDF' })).status
    for (let index = 0; index < 5; index++) expect(await wrong()).toBe(400)
    expect(isPage(await question(agent, await begun()), '/u/consent')).toBe(true)
    for (let index = 0; index < 5; index++) expect(await wrong()).toBe(400)
    expect(await wrong()).toBe(429)
    const codes = await begun()
    const answer = await agent.submit(await agent.visit(`${issuer}activate`), { code: codes.user_code })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '900'])
    latchkey.advance(901)
    expect(isPage(await question(agent, await begun()), '/u/consent')).toBe(true)
  })

  test('is held up for a network address too, whatever the browser', async () => {
    const guarded = await startLatchkey({ tenant, development: false })
    try {
      const statuses: number[] = []
      for (let browser = 0; browser < 6; browser++) {
        const agent = new Agent()
        for (let index = 0; index < 9; index++) {
          const page = await agent.visit(`${guarded.issuer}activate`)
          statuses.push((await agent.submit(page, { code: 'BCDF-BCDF' })).status)
        }
      }
      expect(statuses.indexOf(429)).toBe(50)
    } finally {
      await guarded.close()
    }
  })

  test('nothing typed is said to be missing', async () => {
    const agent = new Agent()
    const answer = await agent.submit(await agent.visit(`${issuer}activate`), { code: '' })
    expect([answer.status, answer.body.includes('Enter the code that your device shows.')]).toEqual([400, true])
  })
})

describe('the device that latchkey dev plays', () => {
  test('shows its code and a picture of the address, and says who has connected it', async () => {
    const screen = new Agent()
    const waiting = await screen.visit(`${issuer}dev/device`)
    const user_code = /id="user-code">([A-Z-]{9})</.exec(waiting.body)?.[1] ?? ''
    expect(waiting.body).toMatch(/<svg class="qr" viewBox="0 0 (\d+) \1"/)
    expect(waiting.headers.get('refresh')).toBe('6')
    await decide(new Agent(), { user_code, verification_uri: `${issuer}activate` } as Codes, 'accept')
    const connected = await screen.visit(waiting.url)
    expect(connected.body).toContain('Ada Lovelace')
    expect(connected.headers.get('refresh')).toBeNull()
    expect((await screen.visit(waiting.url)).body).toContain('its time is over')
  })

  test('is not there in service', async () => {
    const guarded = await startLatchkey({ tenant, development: false })
    try {
      expect((await fetch(`${guarded.issuer}dev/device`)).status).toBe(404)
    } finally {
      await guarded.close()
    }
  })
})
