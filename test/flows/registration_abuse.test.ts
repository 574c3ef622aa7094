/** Open registration in the hands of somebody who means harm: names, sizes, shapes, other people's networks, and clients that go while their tokens stay. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeClients, codeOf, codeTenant, offlineApi, refresh, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { tenant } from '../support/tenant.ts'

const open = tenant.replace(
  'friendly_name: Example',
  'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
)
type Json = Readonly<Record<string, unknown>>
const redirect_uri = 'https://client.example.net/callback'
const metadata = { redirect_uris: [redirect_uri], client_name: 'Somebody' }

let latchkey: Latchkey
let endpoint: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant: open })
  await latchkey.apply(codeTenant)
  endpoint = `${latchkey.issuer}oidc/register`
})
afterAll(() => latchkey.close())

async function sendText(method: string, url: string, body: string | undefined, token?: unknown) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${String(token)}` }),
    },
    ...(body === undefined ? {} : { body }),
  })
  const text = await response.text()
  return { status: response.status, json: (text === '' ? {} : JSON.parse(text)) as Json }
}
const send = (method: string, url: unknown, body?: unknown, token?: unknown) =>
  sendText(method, String(url), body === undefined ? undefined : JSON.stringify(body), token)
const register = (change: Json = {}) => send('POST', endpoint, { ...metadata, ...change })

/** As the client that registered itself would exchange it. */
async function tokensOf(client: Json, change: Record<string, string | undefined> = {}) {
  const exchange = await codeOf(new Agent(), latchkey.issuer, {
    ...{ client_id: String(client.client_id), redirect_uri, audience: undefined, scope: 'openid' },
    ...change,
  })
  const client_secret = client.client_secret === undefined ? undefined : String(client.client_secret)
  const { status, json } = await requestToken(latchkey.issuer, { ...exchange, client_secret })
  expect([status, json]).toEqual([200, expect.objectContaining({ access_token: expect.any(String) })])
  return json
}
const userinfo = async (token: string | undefined) =>
  (await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })).status

describe('RFC 7591 §5 names that deceive the eye', () => {
  test.each<[string, string]>([
    ['a right-to-left override', 'Bank\u202Eknab'],
    ['an embedding', '\u202Bknab\u202C'],
    ['an isolate', '\u2067knab\u2069'],
    ['a mark', 'Bank\u200F'],
    ['a line separator', 'Bank\u2028Your account is safe.'],
    ['a C1 control', 'Bank\u0085'],
    ['a space of no width', 'Ba\u200Bnk'],
    ['a byte order mark', '\uFEFFBank'],
    ['a soft hyphen', 'Ba\u00ADnk'],
    ['a letter that is not seen', '\u3164'],
    ['a tag', `Bank${String.fromCodePoint(0xe0041)}`],
    ['spaces alone', '   '],
    ['an ideographic space alone', '\u3000'],
    ['half a character', 'Bank\uD800'],
    ['a line end', 'Bank\nYour account is safe.'],
    ['more than fits', 'B'.repeat(257)],
  ])('%s is refused', async (_, client_name) => {
    const { status, json } = await register({ client_name })
    expect([status, json.error]).toEqual([400, 'invalid_client_metadata'])
  })

  test('names of every language stay', async () => {
    for (const client_name of ['بانک\u200Cداری', 'क्\u200Dष', '👩\u200D💻 Code', 'Ünï-Bank & Söhne', '日本 銀行', 'בנק'])
      expect((await register({ client_name })).json).toMatchObject({ client_name })
  })
})

describe('RFC 7591 §2 RFC 7591 §3.1 metadata of a wrong shape or size', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  test.each<[string, string]>([
    ['contacts thousands of lists deep', `{"redirect_uris":["${redirect_uri}"],"contacts":${deep(20_000)}}`],
    [
      'a key thousands of lists deep',
      `{"redirect_uris":["${redirect_uri}"],"jwks":{"keys":[{"kty":"RSA","x":${deep(20_000)}}]}}`,
    ],
    ['something unknown thousands of lists deep', `{"redirect_uris":["${redirect_uri}"],"x":${deep(20_000)}}`],
    ['__proto__', `{"redirect_uris":["${redirect_uri}"],"__proto__":{"is_first_party":true}}`],
    ['constructor.prototype', `{"redirect_uris":["${redirect_uri}"],"constructor":{"prototype":{"x":1}}}`],
    [
      'a thousand redirect URIs',
      JSON.stringify({ redirect_uris: Array.from({ length: 1000 }, (_, n) => `${redirect_uri}${n}`) }),
    ],
    ['a redirect URI of 3000 characters', JSON.stringify({ redirect_uris: [`${redirect_uri}?${'x'.repeat(3000)}`] })],
    ['contacts that are no texts', JSON.stringify({ ...metadata, contacts: [{ a: 1 }] })],
    [
      'a thousand contacts',
      JSON.stringify({ ...metadata, contacts: Array.from({ length: 1000 }, () => 'a@example.net') }),
    ],
    ['a scope of 20,000 characters', JSON.stringify({ ...metadata, scope: 'x'.repeat(20_000) })],
    ['a scope that is a list', JSON.stringify({ ...metadata, scope: ['openid'] })],
    ['a software_id of 20,000 characters', JSON.stringify({ ...metadata, software_id: 'x'.repeat(20_000) })],
    ['a client_uri that runs', JSON.stringify({ ...metadata, client_uri: 'javascript:alert(1)' })],
    [
      'keys of 40,000 characters',
      JSON.stringify({ ...metadata, jwks: { keys: [{ kty: 'RSA', x: 'x'.repeat(40_000) }] } }),
    ],
  ])('%s: refused, never an error of ours', async (_, body) => {
    const { status, json } = await sendText('POST', endpoint, body)
    if (status === 201) expect(JSON.stringify(json).length).toBeLessThan(12_000)
    else
      expect([status, json.error]).toEqual([
        400,
        expect.stringMatching(/^invalid_(client_metadata|redirect_uri|request)$/),
      ])
    expect(({} as Json).is_first_party).toBeUndefined()
  })

  test('more than the body may be: 413', async () => {
    expect((await register({ software_id: 'x'.repeat(70_000) })).status).toBe(413)
  })
})

describe('rule 17 addresses of a registration lead into no private network', () => {
  test.each([
    'https://127.0.0.1/list.json',
    'https://[::1]/list.json',
    'https://[::ffff:10.0.0.1]/list.json',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433/list.json',
    'https://0x7f.1/list.json',
    'https://localhost/list.json',
    'https://localhost./list.json',
    'https://metadata.internal/list.json',
  ])('%s as sector_identifier_uri: the same answer for each', async (sector_identifier_uri) => {
    const { status, json } = await register({ subject_type: 'pairwise', sector_identifier_uri })
    expect([status, json.error]).toEqual([400, 'invalid_client_metadata'])
    expect(String(json.error_description)).not.toMatch(/refused|ECONN|ENOTFOUND|public address|timeout/i)
  })

  test('as jwks_uri: fetched when it is needed, and the assertion just does not count', async () => {
    const { json } = await register({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://169.254.169.254/keys.json',
    })
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const assertion = `${part({ alg: 'ES256' })}.${part({ iss: json.client_id, sub: json.client_id })}.${part({ x: 1 })}`
    const answer = await requestToken(latchkey.issuer, {
      grant_type: 'authorization_code',
      code: 'x',
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    expect([answer.status, answer.json]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'Client authentication failed' },
    ])
  })
})

describe('RFC 7592 §2.2 what an administrator has set stays set', () => {
  test('a client that changes itself takes no restriction away', async () => {
    const { json } = await register({ grant_types: ['authorization_code', 'refresh_token'] })
    const { client_id } = json
    const more = `
clients:
  - name: Somebody whom we know
    client_id: '${client_id}'
    is_first_party: false
    require_pkce: true
    refresh_token: { rotation_type: rotating, leeway: 0 }
`
    await latchkey.apply(more)
    const ask = () =>
      new Agent().request(
        authorizeUrl(latchkey.issuer, {
          client_id: String(client_id),
          redirect_uri,
          response_type: 'code',
          audience: undefined,
          scope: 'openid',
        }),
      )
    const before = await ask()
    expect(before.location).toContain('code_challenge')
    const put = await send(
      'PUT',
      json.registration_client_uri,
      { ...metadata, client_id, grant_types: ['authorization_code', 'refresh_token'] },
      json.registration_access_token,
    )
    expect(put.status).toBe(200)
    expect((await ask()).location).toContain('code_challenge')
    expect(latchkey.tenant.context(latchkey.issuer).configuration.client(String(client_id))).toMatchObject({
      require_pkce: true,
      refresh_token: { rotation_type: 'rotating', leeway: 0 },
    })
  })

  test('a code of the confidential client is worth nothing to the public one that it becomes', async () => {
    const { json } = await register()
    const client_id = String(json.client_id)
    const exchange = await codeOf(new Agent(), latchkey.issuer, {
      ...{ client_id, redirect_uri, audience: undefined, scope: 'openid' },
      ...{ code_challenge: undefined, code_challenge_method: undefined },
    })
    await send(
      'PUT',
      json.registration_client_uri,
      { ...metadata, client_id, token_endpoint_auth_method: 'none' },
      json.registration_access_token,
    )
    const answer = await requestToken(latchkey.issuer, { ...exchange, code_verifier: undefined })
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_grant'])
  })
})

describe('rule 18 a name that is taken already', () => {
  test('takes nothing from the client whose name it is: files that name that one still mean it', async () => {
    const { json } = await register({ client_name: 'Web app' })
    const { json: early } = await register({ client_name: 'Not there yet' })
    const file = `${codeTenant}  - client_id: Web app
    audience: ${offlineApi}
    scope: ['read:offline']
`.replace('clients:\n', 'clients:\n  - name: Not there yet\n    app_type: spa\n')
    await latchkey.apply(file)
    const { configuration } = latchkey.tenant.context(latchkey.issuer)
    for (const { client_id } of [json, early]) {
      expect(configuration.client(String(client_id))).toMatchObject({ is_first_party: false })
      expect(configuration.clientGrant(String(client_id), offlineApi)).toBeUndefined()
    }
    expect(configuration.clientGrant(codeClients.web, offlineApi)).toBeDefined()
    expect(configuration.clients.filter(({ name }) => name === 'Not there yet')).toHaveLength(2)
  })
})

describe('RFC 7592 §2.3 a client that is gone', () => {
  test('takes its tokens along: the code, the refresh token, the opaque and the other access token', async () => {
    const { json } = await register({
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    })
    const client_id = String(json.client_id)
    const opaque = await tokensOf(json)
    const jwt = await tokensOf(json, { audience: offlineApi, scope: 'openid offline_access read:offline' })
    const pending = await codeOf(new Agent(), latchkey.issuer, {
      client_id,
      redirect_uri,
      audience: undefined,
      scope: 'openid',
    })
    expect([await userinfo(opaque.access_token), await userinfo(jwt.access_token)]).toEqual([200, 200])
    expect((await send('DELETE', json.registration_client_uri, undefined, json.registration_access_token)).status).toBe(
      204,
    )
    expect([await userinfo(opaque.access_token), await userinfo(jwt.access_token)]).toEqual([401, 401])
    expect((await requestToken(latchkey.issuer, { ...pending })).json.error).toBe('invalid_client')
    expect((await refresh(latchkey.issuer, jwt.refresh_token, { client_id })).json.error).toBe('invalid_client')
  })

  test('of a hundred changes and one deletion at once none brings it back', async () => {
    const { json } = await register()
    const { client_id, registration_client_uri: own, registration_access_token: token } = json
    const put = () => send('PUT', own, { ...metadata, client_id }, token)
    await Promise.all([
      ...Array.from({ length: 50 }, put),
      send('DELETE', own, undefined, token),
      ...Array.from({ length: 50 }, put),
    ])
    expect((await send('GET', own, undefined, token)).status).toBe(401)
    const page = await new Agent().visit(authorizeUrl(latchkey.issuer, { client_id: String(client_id), redirect_uri }))
    expect(page.body).toContain('Unknown client')
  })
})

describe('RFC 7592 §2.1 rule 20 changing is counted as registering is, and only its own token opens a registration', () => {
  test('one address changes clients only so many times a minute: each change is read by all', async () => {
    const own = await startLatchkey({ tenant: open, development: false, options: { signups_per_address: '5' } })
    const { json } = await send('POST', `${own.issuer}oidc/register`, metadata)
    const statuses: number[] = []
    for (let count = 0; count < 8; count++)
      statuses.push(
        (
          await send(
            'PUT',
            json.registration_client_uri,
            { ...metadata, client_id: json.client_id },
            json.registration_access_token,
          )
        ).status,
      )
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3)
    await own.close()
  })

  test('a registration token is no access token, an access token no registration token', async () => {
    const { json } = await register({ token_endpoint_auth_method: 'none' })
    expect(await userinfo(String(json.registration_access_token))).toBe(401)
    const { access_token, id_token } = await tokensOf(json)
    for (const token of [access_token, id_token])
      expect((await send('GET', json.registration_client_uri, undefined, token)).status).toBe(401)
  })

  test('the page shows a stranger’s client as a stranger', async () => {
    const { json } = await register({ client_name: 'Example' })
    const agent = new Agent()
    let page = await agent.visit(
      authorizeUrl(latchkey.issuer, {
        ...{ client_id: String(json.client_id), redirect_uri, response_type: 'code', audience: undefined },
        scope: 'openid',
      }),
    )
    page = await agent.submit(page, { username: 'ada@example.com', password: 'Correct-Horse-7', action: 'default' })
    expect(isPage(page, '/u/consent')).toBe(true)
    expect(page.body).toContain('client.example.net')
  })
})
