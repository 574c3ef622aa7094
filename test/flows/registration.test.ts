/** Clients that register themselves over HTTP, and look at, change and delete themselves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeOf, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

const open = tenant.replace(
  'friendly_name: Example',
  'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
)

let latchkey: Latchkey
let endpoint: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant: open })
  endpoint = `${latchkey.issuer}oidc/register`
})
afterAll(() => latchkey.close())

type Json = Readonly<Record<string, unknown>>
const redirect_uri = 'https://client.example.net/callback?bar=foo'
const metadata = { redirect_uris: [redirect_uri], client_name: 'Somebody' }

async function send(method: string, url: string, body?: unknown, token?: unknown) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${String(token)}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: (text === '' ? {} : JSON.parse(text)) as Json }
}
const register = (change: Json = {}, token?: unknown) => send('POST', endpoint, { ...metadata, ...change }, token)

describe('RFC 7591 §3.2.1 OpenID Connect Registration §3.1 registering', () => {
  test('a confidential client: 201, its secret once, and every default told', async () => {
    const { status, headers, json } = await register()
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(json).toEqual({
      client_id: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      client_id_issued_at: expect.any(Number),
      client_secret: expect.stringMatching(/^[\w-]{64}$/),
      client_secret_expires_at: 0,
      registration_client_uri: `${endpoint}/${json.client_id}`,
      registration_access_token: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uris: [redirect_uri],
      client_name: 'Somebody',
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'RS256',
    })
  })

  test('signs people in at once, after asking them, and never with the implicit grant', async () => {
    const { json } = await register({ grant_types: ['authorization_code', 'refresh_token'] })
    const client_id = String(json.client_id)
    const agent = new Agent()
    const request = { client_id, redirect_uri, audience: undefined, scope: 'openid offline_access' }
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { ...request, response_type: 'code' }))
    expect(isPage(page, '/u/login')).toBe(true)
    const exchange = await codeOf(agent, latchkey.issuer, {
      ...request,
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    const answer = await requestToken(latchkey.issuer, {
      ...{ ...exchange, code_verifier: undefined, client_secret: String(json.client_secret) },
    })
    expect(answer.json).toMatchObject({ token_type: 'Bearer', refresh_token: expect.any(String) })
    const implicit = await agent.request(authorizeUrl(latchkey.issuer, { ...request, response_type: 'id_token token' }))
    expect(outcomeOf(implicit).parameters.error).toBe('unauthorized_client')
    const hybrid = await agent.request(authorizeUrl(latchkey.issuer, { ...request, response_type: 'code token' }))
    expect(outcomeOf(hybrid).parameters.error).toBe('unauthorized_client')
  })

  test('decision 4 the implicit grant for one that asks for it; it asks for consent, and gets claims where OpenID Connect says', async () => {
    const { json } = await register({
      response_types: ['id_token token', 'id_token'],
      token_endpoint_auth_method: 'none',
    })
    expect(json).toMatchObject({ grant_types: ['authorization_code', 'implicit'] })
    expect(json).not.toHaveProperty('client_secret')
    const agent = new Agent()
    const request = { client_id: String(json.client_id), redirect_uri, audience: undefined, scope: 'openid email' }
    let page = await agent.visit(authorizeUrl(latchkey.issuer, request))
    page = await agent.submit(page, { username: 'ada@example.com', password: 'Correct-Horse-7', action: 'default' })
    expect(isPage(page, '/u/consent')).toBe(true)
    expect(page.body).toContain('client.example.net')
    page = await agent.submit(page, { action: 'accept' })
    expect(outcomeOf(page).target).toBe(redirect_uri)
  })

  test('a program on the person’s own machine gets any port', async () => {
    const { json } = await register({
      redirect_uris: ['http://localhost/callback'],
      token_endpoint_auth_method: 'none',
    })
    const request = { client_id: String(json.client_id), redirect_uri: 'http://localhost:51234/callback' }
    const page = await new Agent().visit(
      authorizeUrl(latchkey.issuer, {
        ...request,
        response_type: 'code',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      }),
    )
    expect(isPage(page, '/u/login')).toBe(true)
  })

  test('what it may not say of itself it does not get', async () => {
    const { status, json } = await register({
      ...{ is_first_party: true, client_id: 'chosen', allow_plain_pkce: true, web_origins: ['https://evil.example'] },
      ...{ grant_types: ['authorization_code', 'client_credentials', 'password', 'magic'] },
      client_metadata: { admin: 'yes' },
    })
    expect(status).toBe(201)
    expect(json.grant_types).toEqual(['authorization_code'])
    for (const name of ['is_first_party', 'allow_plain_pkce', 'web_origins', 'client_metadata'])
      expect(json).not.toHaveProperty(name)
    expect(json.client_id).not.toBe('chosen')
  })

  test.each<[string, Json, string]>([
    ['no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: [`${redirect_uri}#x`] }, 'invalid_redirect_uri'],
    ['a relative one', { redirect_uris: ['/callback'] }, 'invalid_redirect_uri'],
    ['plain http', { redirect_uris: ['http://client.example.net/'] }, 'invalid_redirect_uri'],
    ['a wildcard', { redirect_uris: ['https://*.example.net/'] }, 'invalid_redirect_uri'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['no list', { redirect_uris: redirect_uri }, 'invalid_redirect_uri'],
    ['an unknown response type', { response_types: ['magic'] }, 'invalid_client_metadata'],
    [
      'grants that do not fit',
      { grant_types: ['authorization_code'], response_types: ['id_token'] },
      'invalid_client_metadata',
    ],
    ['an unknown way to authenticate', { token_endpoint_auth_method: 'magic' }, 'invalid_client_metadata'],
    ['an unknown algorithm', { id_token_signed_response_alg: 'RS1' }, 'invalid_client_metadata'],
    [
      'HS256 without a secret',
      { id_token_signed_response_alg: 'HS256', token_endpoint_auth_method: 'none' },
      'invalid_client_metadata',
    ],
    [
      'an initiate_login_uri over http',
      { initiate_login_uri: 'http://client.example.net/' },
      'invalid_client_metadata',
    ],
    ['a logo that is no address', { logo_uri: 'logo' }, 'invalid_client_metadata'],
    ['markup in the name', { client_name: '<b>Bank</b>' }, 'invalid_client_metadata'],
    ['another type of application', { application_type: 'toaster' }, 'invalid_client_metadata'],
  ])('%s is refused, and said which', async (_, change, error) => {
    const { status, json } = await register(change)
    expect([status, json.error]).toEqual([400, error])
    expect(String(json.error_description)).toContain(Object.keys(change)[0] ?? '')
  })

  test('what is no JSON object', async () => {
    for (const body of [[], 'x', 1, null])
      expect((await send('POST', endpoint, body)).json.error).toMatch(/invalid_(client_metadata|request)/)
    const form = await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ client_name: 'x' }) })
    expect(form.status).toBe(400)
  })

  test('is announced, and may be called from any page', async () => {
    const document = (await (await fetch(`${latchkey.issuer}.well-known/openid-configuration`)).json()) as Json
    expect(document.registration_endpoint).toBe(endpoint)
    const answer = await fetch(endpoint, { method: 'OPTIONS', headers: { origin: 'https://anywhere.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe('RFC 7592 §2 a client manages itself', () => {
  test('looks, changes, deletes', async () => {
    const { json } = await register({ client_name: 'First', contacts: ['a@example.net'] })
    const { client_id, registration_client_uri: own, registration_access_token: token } = json
    const seen = await send('GET', String(own), undefined, token)
    expect(seen.status).toBe(200)
    expect(seen.json).toMatchObject({ client_id, client_name: 'First', contacts: ['a@example.net'] })
    expect(seen.json).not.toHaveProperty('client_secret')
    const other = 'https://client.example.net/other'
    const changed = await send('PUT', String(own), { client_id, client_name: 'Second', redirect_uris: [other] }, token)
    expect(changed.json).toMatchObject({ client_id, client_name: 'Second', redirect_uris: [other] })
    expect(changed.json).not.toHaveProperty('contacts')
    const before = await new Agent().visit(
      authorizeUrl(latchkey.issuer, { client_id: String(client_id), redirect_uri }),
    )
    expect(before.status).toBe(400)
    const gone = await send('DELETE', String(own), undefined, token)
    expect(gone.status).toBe(204)
    expect((await send('GET', String(own), undefined, token)).status).toBe(401)
    const after = await new Agent().visit(
      authorizeUrl(latchkey.issuer, { client_id: String(client_id), redirect_uri: other }),
    )
    expect(after.body).toContain('Unknown client')
  })

  test('only itself, and only with its token', async () => {
    const one = (await register()).json
    const two = (await register()).json
    const attempts = [undefined, two.registration_access_token, 'x'.repeat(43), one.client_secret]
    for (const token of attempts) {
      for (const method of ['GET', 'DELETE']) {
        const { status, headers } = await send(method, String(one.registration_client_uri), undefined, token)
        expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('invalid_token')])
      }
    }
    expect(
      (await send('GET', String(one.registration_client_uri), undefined, one.registration_access_token)).status,
    ).toBe(200)
    const wrong = await send(
      'PUT',
      String(one.registration_client_uri),
      { ...metadata, client_id: two.client_id },
      one.registration_access_token,
    )
    expect(wrong.json.error).toBe('invalid_client_metadata')
  })
})

describe('rule 20 registration has a bound', () => {
  test('off unless a tenant switches it on', async () => {
    const closed = await startLatchkey({ tenant })
    const { status, json } = await send('POST', `${closed.issuer}oidc/register`, metadata)
    expect([status, json.error]).toEqual([404, 'endpoint_disabled'])
    const document = (await (await fetch(`${closed.issuer}.well-known/openid-configuration`)).json()) as Json
    expect(document).not.toHaveProperty('registration_endpoint')
    await closed.close()
  })

  test('as many clients as the tenant allows, however many ask at once', async () => {
    const small = await startLatchkey({
      tenant: open.replace('flags:', 'dynamic_client_registration: { max_clients: 3 }\n  flags:'),
    })
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send('POST', `${small.issuer}oidc/register`, metadata)),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(9)
    await small.close()
  })

  test('with initial access tokens: each registers as many as it says, and nobody without', async () => {
    const guarded = await startLatchkey({
      tenant: open.replace('flags:', 'dynamic_client_registration: { require_initial_access_token: true }\n  flags:'),
    })
    const url = `${guarded.issuer}oidc/register`
    const now = Date.now()
    await guarded.tenant.store.registrationTokens.createInitial('t'.repeat(43), 2, now + 60_000, now)
    expect((await send('POST', url, metadata)).status).toBe(401)
    expect((await send('POST', url, metadata, 'x'.repeat(43))).status).toBe(401)
    const answers = await Promise.all(Array.from({ length: 6 }, () => send('POST', url, metadata, 't'.repeat(43))))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 401, 401, 401, 401])
    await guarded.close()
  })
})
