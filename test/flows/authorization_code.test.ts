/** The code grant over HTTP: what a code is bound to, that it works once, and what its second use ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  pkce,
  requestToken,
  secret,
  webCallback,
  webRequest,
  webSecret,
} from '../support/code_flow.ts'
import { authorizeUrl, type Parameters, signIn } from '../support/flow.ts'
import { atHash, verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const refusalOf = async (change: Parameters) => outcomeOf(await ada.request(authorizeUrl(issuer, change))).parameters
const userinfo = (access_token: string | undefined) =>
  fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })

describe('RFC 6749 §4.1 §5.1 OpenID Connect Core §3.1.3.2 §3.1.3.3 the code grant', () => {
  test('the code comes in the query, with state and iss, and becomes tokens', async () => {
    const { request, code_verifier } = pkce()
    const answer = await signIn(ada, issuer, { response_type: 'code', ...request })
    const { via, target, parameters } = outcomeOf(answer)
    expect([via, target]).toEqual(['query', callback])
    expect(Object.keys(parameters).toSorted()).toEqual(['code', 'iss', 'session_state', 'state'])
    expect(parameters.code).toMatch(/^[\w-]{43}$/)
    const { status, headers, json } = await requestToken(issuer, {
      ...{ grant_type: 'authorization_code', client_id: clients.spa, redirect_uri: callback },
      ...{ code: parameters.code, code_verifier },
    })
    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('application/json')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'token_type'])
    expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 86_400 })
    const access = await verified(issuer, json.access_token)
    expect(access.claims).toMatchObject({ aud: [apis.messages, `${issuer}userinfo`], azp: clients.spa })
    const id = await verified(issuer, json.id_token)
    expect(id.claims).toMatchObject({ aud: clients.spa, nonce: 'n-0S6_WzA2Mj', sub: access.claims.sub })
    expect(id.claims.at_hash).toBe(atHash(json.access_token ?? ''))
    expect((await userinfo(json.access_token)).status).toBe(200)
  })

  test('as JSON too, without openid no ID token, and no nonce is needed', async () => {
    const { grant_type, ...rest } = await codeOf(ada, issuer, { scope: 'read:messages nothing', nonce: undefined })
    const response = await fetch(`${issuer}oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type, ...rest }),
    })
    const json = (await response.json()) as Record<string, unknown>
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type'])
    expect(json.scope).toBe('read:messages')
  })

  test('form_post and web_message carry a code as well', async () => {
    const { request } = pkce()
    for (const response_mode of ['form_post', 'web_message', 'fragment']) {
      const answer = await signIn(ada, issuer, { response_type: 'code', response_mode, ...request })
      expect(outcomeOf(answer).parameters.code).toMatch(/^[\w-]{43}$/)
    }
  })

  test.each([
    ['code id_token', ['c_hash'], ['code', 'id_token', 'iss', 'session_state', 'state']],
    ['code token', [], ['access_token', 'code', 'expires_in', 'iss', 'session_state', 'state', 'token_type']],
    [
      'code id_token token',
      ['c_hash', 'at_hash'],
      ['access_token', 'code', 'expires_in', 'id_token', 'iss', 'session_state', 'state', 'token_type'],
    ],
  ])('OpenID Connect Core §3.3.2.5 hybrid %s', async (response_type, hashes, names) => {
    const { request, code_verifier } = pkce()
    const { via, parameters } = outcomeOf(await signIn(ada, issuer, { response_type, ...request }))
    expect(via).toBe('fragment')
    expect(Object.keys(parameters).toSorted()).toEqual(names)
    const { code = '', access_token = '', id_token } = parameters
    const front = id_token === undefined ? {} : (await verified(issuer, id_token)).claims
    expect(front.c_hash).toBe(hashes.includes('c_hash') ? atHash(code) : undefined)
    expect(front.at_hash).toBe(hashes.includes('at_hash') ? atHash(access_token) : undefined)
    const exchange = { grant_type: 'authorization_code', client_id: clients.spa, redirect_uri: callback }
    const { json } = await requestToken(issuer, { ...exchange, code, code_verifier })
    const back = (await verified(issuer, json.id_token)).claims
    if (id_token !== undefined) expect([back.sub, back.nonce]).toEqual([front.sub, front.nonce])
    // A second use ends what came in the fragment, too.
    if (access_token !== '') {
      expect((await userinfo(access_token)).status).toBe(200)
      expect((await requestToken(issuer, { ...exchange, code, code_verifier })).json.error).toBe('invalid_grant')
      expect((await userinfo(access_token)).status).toBe(401)
    }
  })

  test('OAuth 2.0 Multiple Response Type Encoding Practices §4 none: the state alone', async () => {
    const { via, parameters } = outcomeOf(await signIn(ada, issuer, { response_type: 'none' }))
    expect([via, Object.keys(parameters).toSorted()]).toEqual(['query', ['iss', 'state']])
  })

  test('OpenID Connect Core §3.3.2.11 an ID token in front needs a nonce, code token does not', async () => {
    const { request } = pkce()
    for (const response_type of ['code id_token', 'code id_token token']) {
      const { error } = await refusalOf({ response_type, nonce: undefined, ...request })
      expect(error).toBe('invalid_request')
    }
    const answer = await signIn(ada, issuer, { response_type: 'code token', nonce: undefined, ...request })
    expect(outcomeOf(answer).parameters.code).toBeDefined()
  })
})

describe('RFC 6749 §4.1.3 what a code is bound to', () => {
  test.each<[string, Parameters, string]>([
    ['another redirect_uri', { redirect_uri: 'https://app.example.com/other' }, 'invalid_grant'],
    ['no redirect_uri, although the request had one', { redirect_uri: undefined }, 'invalid_grant'],
    ['another client', { client_id: clients.noImplicit }, 'invalid_grant'],
    ['another code', { code: 'x'.repeat(43) }, 'invalid_grant'],
    ['no code', { code: undefined }, 'invalid_request'],
    ['RFC 7636 §4.6 another verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['RFC 7636 §4.6 no verifier', { code_verifier: undefined }, 'invalid_grant'],
    ['RFC 7636 §4.1 a verifier that is too short', { code_verifier: 'x'.repeat(42) }, 'invalid_grant'],
    ['no client', { client_id: undefined }, 'invalid_client'],
    ['an unknown client', { client_id: 'nobody' }, 'invalid_client'],
    ['a confidential client without its secret', { client_id: codeClients.web }, 'invalid_client'],
    ['no grant type', { grant_type: undefined }, 'invalid_request'],
    ['an unknown grant type', { grant_type: 'magic' }, 'unsupported_grant_type'],
    ['a grant type that the client does not have', { grant_type: 'client_credentials' }, 'unauthorized_client'],
  ])('%s; and the code is good still', async (_, change, error) => {
    const exchange = await codeOf(ada, issuer)
    const refused = await requestToken(issuer, { ...exchange, ...change })
    expect(refused.json.error).toBe(error)
    expect(refused.status).toBe(error === 'invalid_client' ? 401 : 400)
    expect((await requestToken(issuer, { ...exchange })).status).toBe(200)
  })

  test('a redirect_uri that the request left out may be left out again, and must be right where it is sent', async () => {
    const single = codeClients.steady
    const redirect_uri = 'https://steady.example.com/callback'
    const exchange = await codeOf(ada, issuer, { client_id: single, redirect_uri: undefined })
    const wrong = await requestToken(issuer, { ...exchange, redirect_uri: 'https://other.example.com/' })
    expect(wrong.json.error).toBe('invalid_grant')
    expect((await requestToken(issuer, { ...exchange, redirect_uri: undefined })).status).toBe(200)
    const again = await codeOf(ada, issuer, { client_id: single, redirect_uri: undefined })
    expect((await requestToken(issuer, { ...again, redirect_uri })).status).toBe(200)
  })

  test('a code lives for a minute', async () => {
    const exchange = await codeOf(ada, issuer)
    latchkey.advance(61)
    expect((await requestToken(issuer, { ...exchange })).json.error).toBe('invalid_grant')
  })

  test('the second use is refused, at once or later, and ends what the first one yielded', async () => {
    for (const wait of [0, 35]) {
      const exchange = await codeOf(ada, issuer)
      const { json } = await requestToken(issuer, { ...exchange })
      expect((await userinfo(json.access_token)).status).toBe(200)
      latchkey.advance(wait)
      const second = await requestToken(issuer, { ...exchange })
      expect([second.status, second.json.error]).toEqual([400, 'invalid_grant'])
      expect((await userinfo(json.access_token)).status).toBe(401)
    }
  })

  test('whoever has only the code cannot end anything with it', async () => {
    const exchange = await codeOf(ada, issuer)
    const { json } = await requestToken(issuer, { ...exchange })
    await requestToken(issuer, { ...exchange, code_verifier: 'y'.repeat(43) })
    expect((await userinfo(json.access_token)).status).toBe(200)
  })

  test('of fifty exchanges at once one gets tokens, and they count no more', async () => {
    const exchange = await codeOf(ada, issuer)
    const answers = await Promise.all(Array.from({ length: 50 }, () => requestToken(issuer, { ...exchange })))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    expect((await userinfo(won[0]?.json.access_token)).status).toBe(401)
  })

  test('a code does not outlive its session', async () => {
    const grace = new Agent()
    const exchange = await codeOf(grace, issuer)
    await grace.request(`${issuer}v2/logout`)
    expect((await requestToken(issuer, { ...exchange })).json.error).toBe('invalid_grant')
  })
})

describe('RFC 7636 §4.4.1 RFC 9700 §2.1.1 the challenge', () => {
  const { request } = pkce()
  test.each<[string, Parameters]>([
    ['none from a public client', {}],
    ['a method without one', { code_challenge_method: 'S256' }],
    ['plain', { ...request, code_challenge_method: 'plain' }],
    ['no method, which means plain', { ...request, code_challenge_method: undefined }],
    ['an unknown method', { ...request, code_challenge_method: 'S512' }],
    ['one that is no SHA-256', { ...request, code_challenge: 'short' }],
  ])('%s is invalid_request', async (_, change) => {
    expect(await refusalOf({ response_type: 'code', ...change })).toMatchObject({ error: 'invalid_request' })
  })

  test('a confidential client may go without, and a verifier is then refused', async () => {
    const exchange = { ...(await codeOf(ada, issuer, webRequest)), ...webSecret }
    const refused = await requestToken(issuer, { ...exchange, code_verifier: 'x'.repeat(43) })
    expect(refused.json.error).toBe('invalid_grant')
    expect((await requestToken(issuer, exchange)).status).toBe(200)
  })

  test('plain, and PKCE for a confidential client, where an administrator says so', async () => {
    const one = await startLatchkey({ tenant: `${tenant}` })
    await one.apply(
      codeTenant
        .replace('rotation_type: non-rotating }', 'rotation_type: non-rotating }\n    allow_plain_pkce: true')
        .replace('app_type: regular_web', 'app_type: regular_web\n    require_pkce: true'),
    )
    const agent = new Agent()
    const code_challenge = 'v'.repeat(43)
    const steady = { client_id: codeClients.steady, redirect_uri: 'https://steady.example.com/callback' }
    const plain = { ...steady, code_challenge, code_challenge_method: 'plain' }
    const exchange = { ...(await codeOf(agent, one.issuer, plain)), code_verifier: code_challenge }
    expect((await requestToken(one.issuer, exchange)).status).toBe(200)
    const { parameters } = outcomeOf(
      await agent.request(authorizeUrl(one.issuer, { ...webRequest, response_type: 'code' })),
    )
    expect(parameters.error).toBe('invalid_request')
    await one.close()
  })
})

describe('RFC 6749 §2.3.1 client authentication', () => {
  const basic = (id: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`,
  })
  const fresh = async () => ({ ...(await codeOf(ada, issuer, webRequest)), code_verifier: undefined })
  const form = (text: string) => encodeURIComponent(text).replaceAll('-', '%2D').replaceAll('%20', '+')

  test('the secret in the body, or in the header as it is or form-encoded, with the id in the body or not', async () => {
    const ways: [Parameters, HeadersInit][] = [
      [{ client_secret: secret }, {}],
      [{}, basic(codeClients.web, secret)],
      [{ client_id: undefined }, basic(codeClients.web, secret)],
      [{ client_id: undefined }, basic(form(codeClients.web), form(secret))],
    ]
    for (const [fields, headers] of ways)
      expect((await requestToken(issuer, { ...(await fresh()), ...fields }, headers)).status).toBe(200)
  })

  test.each<[string, Parameters, HeadersInit, number, string]>([
    ['a wrong secret', { client_secret: `${secret}x` }, {}, 401, 'invalid_client'],
    ['a wrong secret in the header', {}, basic(codeClients.web, 'x'), 401, 'invalid_client'],
    ['no proof', {}, {}, 401, 'invalid_client'],
    ['two methods', { client_secret: secret }, basic(codeClients.web, secret), 400, 'invalid_request'],
    ['a header of another client', {}, basic(codeClients.machine, secret), 400, 'invalid_request'],
    ['a header that is none', {}, { authorization: 'Basic !!!' }, 400, 'invalid_request'],
    ['a secret of a public client', { client_id: clients.spa, client_secret: secret }, {}, 401, 'invalid_client'],
  ])('%s', async (_, fields, headers, status, error) => {
    const answer = await requestToken(issuer, { ...(await fresh()), ...fields }, headers)
    expect([answer.status, answer.json.error]).toEqual([status, error])
    const challenged = status === 401 && 'authorization' in headers
    expect(answer.headers.get('www-authenticate')).toBe(challenged ? `Basic realm="${issuer}"` : null)
  })

  test('parameters in the address, twice, or in another content type are refused', async () => {
    const url = `${issuer}oauth/token`
    const exchange = new URLSearchParams({ ...(await codeOf(ada, issuer)) })
    expect((await fetch(`${url}?${exchange}`, { method: 'POST', body: exchange })).status).toBe(400)
    const twice = new URLSearchParams([...exchange, ['code', 'x']])
    expect((await fetch(url, { method: 'POST', body: twice })).status).toBe(400)
    const text = { 'content-type': 'text/plain' }
    expect((await fetch(url, { method: 'POST', headers: text, body: exchange.toString() })).status).toBe(415)
    expect((await fetch(url)).status).toBe(405)
    expect((await fetch(url, { method: 'POST', body: exchange })).status).toBe(200)
  })
})

describe('RFC 6749 §4.4.2 client_credentials', () => {
  const machine = { grant_type: 'client_credentials', client_id: codeClients.machine, client_secret: secret }

  test('what the client grant holds, narrowed by what was asked', async () => {
    const { json } = await requestToken(issuer, { ...machine, audience: apis.messages })
    expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 86_400, scope: 'read:messages write:messages' })
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type'])
    const { claims } = await verified(issuer, json.access_token)
    expect(claims).toMatchObject({
      ...{ sub: `${codeClients.machine}@clients`, azp: codeClients.machine, aud: apis.messages },
      ...{ gty: 'client-credentials', scope: 'read:messages write:messages' },
    })
    const narrow = await requestToken(issuer, { ...machine, audience: apis.messages, scope: 'write:messages admin' })
    expect(narrow.json.scope).toBe('write:messages')
    const exact = await requestToken(issuer, { ...machine, audience: apis.messages, scope: 'write:messages' })
    expect(exact.json).not.toHaveProperty('scope')
  })

  test.each<[string, Parameters, number, string]>([
    ['an API without a client grant', { audience: apis.contacts }, 403, 'access_denied'],
    ['an unknown API', { audience: 'https://nobody.example.com/' }, 403, 'access_denied'],
    ['no API', {}, 400, 'invalid_request'],
    ['a wrong secret', { audience: apis.messages, client_secret: 'x' }, 401, 'invalid_client'],
  ])('%s', async (_, change, status, error) => {
    const answer = await requestToken(issuer, { ...machine, ...change })
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  test('such a token opens no userinfo', async () => {
    const { json } = await requestToken(issuer, { ...machine, audience: apis.messages })
    expect((await userinfo(json.access_token)).status).toBe(401)
    expect(claimsOf(json.access_token)).not.toHaveProperty('nonce')
  })
})

describe('contract B0.10 the pages that may call the token endpoint', () => {
  const url = () => `${issuer}oauth/token`
  test('the client’s own, with its origin echoed; another is refused', async () => {
    const exchange = { ...(await codeOf(ada, issuer)) }
    const foreign = await requestToken(issuer, exchange, { origin: 'https://evil.example' })
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const own = await requestToken(issuer, exchange, { origin: 'https://app.example.com' })
    expect(own.status).toBe(200)
    expect(own.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    expect(own.headers.get('access-control-allow-credentials')).toBe('true')
    expect(own.headers.get('access-control-expose-headers')).toContain('DPoP-Nonce')
    const failed = await requestToken(issuer, exchange, { origin: 'https://app.example.com' })
    expect([failed.status, failed.headers.get('access-control-allow-origin')]).toEqual([400, 'https://app.example.com'])
  })

  test('a preflight from any client’s page', async () => {
    const ask = (origin: string) => fetch(url(), { method: 'OPTIONS', headers: { origin } })
    expect((await ask(new URL(webCallback).origin)).headers.get('access-control-allow-methods')).toContain('POST')
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  })
})
