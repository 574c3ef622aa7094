/** The token endpoint misused: two ways of proof, proofs in odd places and spellings, parameters of odd shapes, other origins, other tenants. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  pkce,
  refresh,
  refreshable,
  requestToken,
  secret,
  webCallback,
  webRequest,
  webSecret,
} from '../support/code_flow.ts'
import { authorizeUrl } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { sendRaw } from '../support/raw.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  issuer = latchkey.issuer
})
afterAll(() => latchkey.close())

const machine = { grant_type: 'client_credentials', audience: apis.messages } as const
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text, 'latin1').toString('base64')}` })
const good = `${codeClients.machine}:${secret}`

async function send(body: string, type = 'application/x-www-form-urlencoded', headers: HeadersInit = {}) {
  const response = await fetch(`${issuer}oauth/token`, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': type },
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, error: (JSON.parse(text) as { error?: string }).error }
}
const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()
const json = (value: unknown) => send(JSON.stringify(value), 'application/json')

describe('RFC 6749 §2.3 RFC 6749 §3.2.1 one proof, in its one place', () => {
  test.each<[string, Record<string, string | undefined>, HeadersInit]>([
    ['an empty secret', { client_id: codeClients.machine, client_secret: '' }, {}],
    ['an empty secret in the header', {}, basic(`${codeClients.machine}:`)],
    ['no secret and no colon', {}, basic(codeClients.machine)],
    ['no id', {}, basic(`:${secret}`)],
    ['the id in other letters', {}, basic(`${codeClients.machine.toLowerCase()}:${secret}`)],
    ['a space behind the id', {}, basic(`${codeClients.machine} :${secret}`)],
    ['a space behind the secret', {}, basic(`${good} `)],
    ['a line end behind the secret', {}, basic(`${good}\n`)],
    ['a NUL behind the secret', {}, basic(`${good}\0`)],
    ['the secret in capitals', {}, basic(good.toUpperCase())],
    ['the secret encoded twice', {}, basic(`${codeClients.machine}:${encodeURIComponent(encodeURIComponent(secret))}`)],
    ['half an escape behind the secret', {}, basic(`${good}%`)],
    ['another scheme', {}, { authorization: `Bearer ${Buffer.from(good).toString('base64')}` }],
    [
      'two credentials in one header',
      {},
      { authorization: `${basic(good).authorization}, ${basic(good).authorization}` },
    ],
    ['URL-safe base64 with a blank inside', {}, { authorization: basic(good).authorization.replace(/(.{20})/, '$1 ') }],
    ['the hash of the secret', { client_id: codeClients.machine, client_secret: 'hmac' }, {}],
    ['a public client by an empty secret', { client_id: clients.spa }, basic(`${clients.spa}:`)],
    ['a client that is a property of every object', { client_id: '__proto__', client_secret: secret }, {}],
    ['a client that is a method of every object', {}, basic(`constructor:${secret}`)],
    ['the id alone', { client_id: codeClients.machine }, {}],
    [
      'an assertion beside the secret',
      { client_id: codeClients.machine, client_secret: secret, client_assertion: 'a.b.c', client_assertion_type: 'x' },
      {},
    ],
    ['an assertion of an unknown type beside the header', { client_assertion_type: 'x' }, basic(good)],
    ['the header and the id of a public client', { client_id: clients.spa }, basic(good)],
  ])('%s: no token', async (_, fields, headers) => {
    const answer = await requestToken(issuer, { ...machine, ...fields }, headers)
    expect([400, 401]).toContain(answer.status)
    expect(['invalid_client', 'invalid_request']).toContain(answer.json.error)
    expect(answer.json).not.toHaveProperty('access_token')
  })

  test('the secret in the address is refused, even when the body has all that is needed', async () => {
    for (const query of [`client_secret=${encodeURIComponent(secret)}`, 'x=1', `client_id=${codeClients.machine}`]) {
      const answer = await fetch(`${issuer}oauth/token?${query}`, {
        method: 'POST',
        body: new URLSearchParams({ ...machine, client_id: codeClients.machine, client_secret: secret }),
      })
      expect(answer.status).toBe(400)
    }
  })

  test('an unknown client, a wrong secret and a wrong method are told alike', async () => {
    const answers = await Promise.all([
      requestToken(issuer, { ...machine, client_id: 'nobody', client_secret: secret }),
      requestToken(issuer, { ...machine, client_id: codeClients.machine, client_secret: 'x' }),
      requestToken(issuer, { ...machine, client_id: clients.spa, client_secret: secret }),
      requestToken(issuer, { ...machine, client_id: 'nobody' }),
    ])
    expect(new Set(answers.map(({ status, json }) => JSON.stringify([status, json]))).size).toBe(1)
  })

  test('a secret that was replaced, and a client that became public, open nothing', async () => {
    const own = await startLatchkey({ tenant })
    await own.apply(codeTenant)
    await own.apply(codeTenant.replaceAll(secret, 'another secret of the web client, 32+ characters'))
    const fields = { ...machine, client_id: codeClients.machine }
    expect((await requestToken(own.issuer, { ...fields, client_secret: secret })).status).toBe(401)
    await own.close()
  })
})

describe('RFC 6749 §3.2 parameters once, as texts, of a size', () => {
  const whole = { ...machine, client_id: codeClients.machine, client_secret: secret }
  test.each<[string, unknown]>([
    ['a list', [whole]],
    ['a text', 'grant_type=client_credentials'],
    ['nothing', null],
    ['a number', 1],
    ['a list for a text', { ...whole, grant_type: ['client_credentials'] }],
    ['an object for a text', { ...whole, client_secret: { $ne: '' } }],
    ['an object for a client', { ...whole, client_id: { toString: codeClients.machine } }],
    ['true for a secret', { ...whole, client_secret: true }],
    ['a list for the scope', { ...whole, scope: ['read:messages'] }],
    ['a NUL', { ...whole, scope: 'a\0b' }],
    ['half a character', { ...whole, scope: 'a\ud800' }],
    ['too much', { ...whole, scope: 'a'.repeat(16_385) }],
    ['too many', { ...whole, ...Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, 'x'])) }],
  ])('JSON: %s', async (_, body) => {
    const { status, error } = await json(body)
    expect([400, 401]).toContain(status)
    expect(['invalid_request', 'invalid_client']).toContain(error)
  })

  test.each<[string, string, string]>([
    ['a broken body', '{"grant_type":', 'application/json'],
    ['no body', '', 'application/json'],
    ['__proto__', '{"__proto__":{"grant_type":"client_credentials"}}', 'application/json'],
    ['a body 20,000 lists deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'application/json'],
    ['a parameter 20,000 lists deep', `{"grant_type":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'application/json'],
    ['JSON that says it is a form', JSON.stringify(whole), 'application/x-www-form-urlencoded'],
    ['a form that says it is JSON', form(whole), 'application/json'],
    ['twice, once encoded', `${form(whole)}&client%5Fid=${codeClients.machine}`, 'application/x-www-form-urlencoded'],
    ['with brackets', form(whole).replace('client_secret', 'client_secret[]'), 'application/x-www-form-urlencoded'],
    ['an overlong escape', `${form(whole)}&x=%C0%AF`, 'application/x-www-form-urlencoded'],
    ['semicolons', form(whole).replaceAll('&', ';'), 'application/x-www-form-urlencoded'],
  ])('%s', async (_, body, type) => {
    const { status, error } = await send(body, type)
    expect([400, 401]).toContain(status)
    expect(['invalid_request', 'invalid_client', 'unsupported_grant_type']).toContain(error)
  })

  test.each(['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'application/json-seq', 'text/json'])(
    'rule 14 %s is 415',
    async (type) => {
      expect((await send(form(whole), type)).status).toBe(415)
    },
  )

  test('a body that is larger than bodies are: 413', async () => {
    expect((await send(`${form(whole)}&x=${'x'.repeat(70_000)}`)).status).toBe(413)
  })

  test('two lengths, or a length and chunks, are no request', async () => {
    const body = form(whole)
    const { host } = new URL(issuer)
    const head = [`Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded']
    for (const more of [
      [`Content-Length: ${body.length}`, 'Content-Length: 3'],
      [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
    ]) {
      const { status } = await sendRaw(issuer, 'POST /oauth/token HTTP/1.1', [...head, ...more], body)
      expect([0, 400]).toContain(status)
    }
  })

  test.each([
    'toString',
    '__proto__',
    'constructor',
    'implicit',
    'Authorization_Code',
    'authorization_code ',
    'password\n',
    '',
  ])('the grant %j is none', async (grant_type) => {
    const { status, error } = await send(form({ ...whole, grant_type }))
    expect([status, ['unsupported_grant_type', 'invalid_request']]).toEqual([400, expect.arrayContaining([error])])
  })
})

describe('RFC 6749 §4.1.3 the redirect URI of a code', () => {
  test.each([
    callback.toUpperCase(),
    `${callback}/`,
    `${callback}?`,
    `${callback}#`,
    `${callback}?keep=1`,
    `${callback}%20`,
    ` ${callback}`,
    callback.replace('https://', 'https://user@'),
    callback.replace('app.example.com', 'app.example.com.'),
    callback.replace('app.example.com', 'app.example.com:443'),
    callback.replace('/callback', '/x/../callback'),
    callback.replace('/callback', '//callback'),
    callback.replace('callback', 'c%61llback'),
    'https://app.example.com/other',
    webCallback,
    'urn:ietf:wg:oauth:2.0:oob',
  ])('%s is another', async (redirect_uri) => {
    const exchange = await codeOf(ada, issuer)
    const { status, json: answer } = await requestToken(issuer, { ...exchange, redirect_uri })
    expect([status, answer.error]).toEqual([400, 'invalid_grant'])
    // And it has not used the code up.
    expect((await requestToken(issuer, { ...exchange })).status).toBe(200)
  })

  test('left out where the request named one', async () => {
    const exchange = await codeOf(ada, issuer)
    expect((await requestToken(issuer, { ...exchange, redirect_uri: undefined })).json.error).toBe('invalid_grant')
    expect((await requestToken(issuer, { ...exchange, redirect_uri: '' })).json.error).toBe('invalid_grant')
  })
})

describe('RFC 7636 §4.1 RFC 7636 §4.3 RFC 7636 §4.6 RFC 9700 §4.8.2 PKCE cannot be argued away', () => {
  const { code_verifier, request } = pkce()
  test.each<[string, Record<string, string | undefined>]>([
    ['no method', { ...request, code_challenge_method: undefined }],
    ['plain', { ...request, code_challenge_method: 'plain' }],
    ['the method in small letters', { ...request, code_challenge_method: 's256' }],
    ['an unknown method', { ...request, code_challenge_method: 'S512' }],
    ['an empty challenge', { code_challenge: '', code_challenge_method: 'S256' }],
    ['a challenge with padding', { code_challenge: `${request.code_challenge}=`, code_challenge_method: 'S256' }],
    ['a challenge that is short', { code_challenge: request.code_challenge.slice(1), code_challenge_method: 'S256' }],
    ['a method alone', { code_challenge: undefined, code_challenge_method: 'S256' }],
    ['nothing', { code_challenge: undefined, code_challenge_method: undefined }],
  ])('a public client with %s gets no code, in any response type', async (_, change) => {
    for (const response_type of ['code', 'code id_token', 'code token', 'code id_token token']) {
      const answer = await ada.request(authorizeUrl(issuer, { response_type, ...change, prompt: 'none' }))
      expect(outcomeOf(answer).parameters).toMatchObject({ error: 'invalid_request' })
      expect(outcomeOf(answer).parameters).not.toHaveProperty('code')
    }
  })

  test.each<[string, string | undefined]>([
    ['the challenge itself', request.code_challenge],
    ['another verifier', 'x'.repeat(43)],
    ['none', undefined],
    ['an empty one', ''],
    ['one with a space behind', `${code_verifier} `],
    ['a longer one', `${code_verifier}${'x'.repeat(100)}`],
  ])('%s as verifier', async (_, verifier) => {
    const exchange = await codeOf(ada, issuer, request)
    const { status, json: answer } = await requestToken(issuer, { ...exchange, code_verifier: verifier })
    expect([status, answer.error]).toEqual([400, 'invalid_grant'])
    expect((await requestToken(issuer, { ...exchange, code_verifier })).status).toBe(200)
  })

  test('a confidential client’s code with a challenge needs the verifier beside the secret, one without refuses it', async () => {
    const bound = await codeOf(ada, issuer, { ...webRequest, ...request })
    expect((await requestToken(issuer, { ...bound, ...webSecret })).json.error).toBe('invalid_grant')
    expect((await requestToken(issuer, { ...bound, ...webSecret, code_verifier })).status).toBe(200)
    const unbound = await codeOf(ada, issuer, webRequest)
    expect((await requestToken(issuer, { ...unbound, ...webSecret, code_verifier })).json.error).toBe('invalid_grant')
  })
})

describe('rule 1 pages of other origins', () => {
  const app = 'https://app.example.com'
  test.each([
    'null',
    'https://evil.example',
    `${app}.evil.example`,
    `${app}:8443`,
    `${app}/`,
    app.toUpperCase(),
    'http://app.example.com',
    'file://',
  ])('an origin %s reads no answer and changes nothing', async (origin) => {
    const exchange = await codeOf(ada, issuer)
    for (const body of [
      exchange,
      { ...exchange, code: 'x' },
      { ...exchange, client_id: 'nobody' },
      { grant_type: 'x' },
    ]) {
      const { status, headers } = await requestToken(issuer, { ...body }, { origin })
      expect(status).toBeGreaterThanOrEqual(400)
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
    expect((await requestToken(issuer, { ...exchange })).status).toBe(200)
  })

  test('one client’s page does not speak for another client', async () => {
    const exchange = await codeOf(ada, issuer)
    const { status, headers } = await requestToken(issuer, { ...exchange }, { origin: new URL(webCallback).origin })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null])
  })

  test('no answer may be kept, whoever it is for', async () => {
    for (const answer of [await json({}), await send('x', 'text/plain'), await json(null)]) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})

describe('rule 18 another tenant of the same database', () => {
  test('knows no client, code, refresh token, access token, session or registration of this one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-'))
    const database = `sqlite:${join(directory, 'both.sqlite')}`
    const more = codeTenant.replace(
      /\nclients:/,
      `
tenant:
  flags: { enable_dynamic_client_registration: true }
clients:`,
    )
    const one = await startLatchkey({ tenant, database, options: { tenant: 'one' } })
    const two = await startLatchkey({ tenant, database, options: { tenant: 'two' } })
    for (const each of [one, two]) await each.apply(more)
    const agent = new Agent()
    const exchange = await codeOf(agent, one.issuer)
    const tokens = await refreshable(agent, one.issuer)
    const opaque = await requestToken(one.issuer, {
      ...(await codeOf(agent, one.issuer, { audience: undefined, scope: 'openid' })),
    })
    const registered = (await (
      await fetch(`${one.issuer}oidc/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [callback] }),
      })
    ).json()) as Record<string, string>
    expect((await requestToken(two.issuer, { ...exchange })).json.error).toBe('invalid_grant')
    expect((await refresh(two.issuer, tokens.refresh_token)).json.error).toBe('invalid_grant')
    for (const token of [tokens.access_token, opaque.json.access_token])
      expect((await fetch(`${two.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
    const own = await fetch(`${two.issuer}oidc/register/${registered.client_id}`, {
      headers: { authorization: `Bearer ${registered.registration_access_token}` },
    })
    expect(own.status).toBe(401)
    const there = { ...machine, client_id: registered.client_id, client_secret: registered.client_secret }
    expect((await requestToken(two.issuer, there)).json.error).toBe('invalid_client')
    expect((await requestToken(one.issuer, { ...exchange })).status).toBe(200)
    await Promise.all([one.close(), two.close()])
    rmSync(directory, { recursive: true, force: true })
  }, 20_000)
})
