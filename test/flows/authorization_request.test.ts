import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently, valid } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreClients, moreTenant } from '../support/more_tenant.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const ask = async (change: Parameters) => outcomeOf(await silently(ada, latchkey.issuer, change))

describe('RFC 6749 §4.2.2.1 a refusal goes to the client, whole and well-formed', () => {
  for (const [name, change, error, description] of [
    ['no nonce with id_token token', { nonce: undefined }, 'invalid_request', 'Missing required parameter: nonce'],
    ['no nonce with id_token', { nonce: undefined, response_type: 'id_token' }, 'invalid_request', /nonce/],
    ['an empty nonce is none', { nonce: '' }, 'invalid_request', /nonce/],
    ['a nonce beyond all measure', { nonce: 'n'.repeat(8193) }, 'invalid_request', /nonce is longer than 8192/],
    ['a state beyond all measure', { state: 's'.repeat(8193) }, 'invalid_request', /state is longer than 8192/],
    ['id_token without openid', { scope: 'profile email' }, 'invalid_request', /needs the scope openid/],
    ['id_token without any scope', { scope: undefined }, 'invalid_request', /openid/],
    ['a scope with a quote', { scope: 'openid "x"' }, 'invalid_scope', /printable ASCII/],
    ['a scope with a backslash', { scope: 'openid x\\y' }, 'invalid_scope', /printable ASCII/],
    ['a scope with a tab', { scope: 'openid\tprofile' }, 'invalid_scope', /printable ASCII/],
    ['a scope outside ASCII', { scope: 'openid lesen:nachrichtenä' }, 'invalid_scope', /printable ASCII/],
    [
      'an unknown audience',
      { audience: 'https://no.example/' },
      'access_denied',
      'Service not found: https://no.example/',
    ],
    ['an audience without its slash', { audience: 'https://api.example.com' }, 'access_denied', /Service not found/],
    ['an audience in capitals', { audience: 'https://API.example.com/' }, 'access_denied', /Service not found/],
    ['an audience with quotes and umlauts', { audience: '"\\ü\n"' }, 'access_denied', "Service not found: ''??'"],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported', /must be signed/],
    ['a request_uri', { request_uri: 'https://app.example.com/r' }, 'request_uri_not_supported', /request_uri/],
    ['a registration', { registration: '{}' }, 'registration_not_supported', /registration/],
    ['a response_mode nobody knows', { response_mode: 'telepathy' }, 'invalid_request', /response_mode: telepathy/],
    ['tokens in the query', { response_mode: 'query' }, 'invalid_request', /query is not allowed/],
    ['an unknown prompt', { prompt: 'please' }, 'invalid_request', /prompt must be/],
    ['an unknown connection', { connection: 'nowhere' }, 'invalid_request', 'the connection was not found'],
    ['a bad max_age', { max_age: 'soon' }, 'invalid_request', /max_age/],
    ['a bad id_token_hint', { id_token_hint: 'x' }, 'invalid_request', /id_token_hint/],
  ] as const)
    test(`${name} is ${error}`, async () => {
      const { via, target, parameters } = await ask(change)
      expect([via, target]).toEqual(['fragment', callback])
      expect(Object.keys(parameters).toSorted()).toEqual(['error', 'error_description', 'iss', 'state'])
      expect(parameters.error).toBe(error)
      expect(parameters.error_description).toMatch(description)
      expect(parameters.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
      expect([parameters.iss, parameters.state]).toEqual([
        latchkey.issuer,
        'state' in change ? change.state : valid.state,
      ])
    })

  test('a client without the grant type implicit gets unauthorized_client', async () => {
    const { via, parameters } = await ask({ client_id: clients.noImplicit })
    expect([via, parameters.error]).toEqual(['fragment', 'unauthorized_client'])
  })
})

describe('RFC 6749 §3.1.1 response_type', () => {
  for (const [response_type, parts] of [
    ['token', ['access_token']],
    ['id_token', ['id_token']],
    ['id_token token', ['access_token', 'id_token']],
    ['token id_token', ['access_token', 'id_token']],
  ] as const)
    test(`${response_type} yields ${parts.join(' and ')}`, async () => {
      const { parameters } = await ask({ response_type })
      expect(
        Object.keys(parameters)
          .filter((name) => /_token$/.test(name))
          .toSorted(),
      ).toEqual(parts)
    })

  for (const [response_type, error, via] of [
    [undefined, 'invalid_request', 'query'],
    ['', 'invalid_request', 'query'],
    ['TOKEN', 'unsupported_response_type', 'query'],
    ['code none', 'unsupported_response_type', 'query'],
    ['none token', 'unsupported_response_type', 'fragment'],
    ['id_token,token', 'unsupported_response_type', 'query'],
    ['token token2', 'unsupported_response_type', 'fragment'],
  ] as const)
    test(`${response_type ?? '(missing)'} is ${error}, told by ${via}`, async () => {
      const outcome = await ask({ response_type })
      expect([outcome.via, outcome.parameters.error]).toEqual([via, error])
      expect(outcome.parameters).toMatchObject({ state: valid.state, iss: latchkey.issuer })
    })

  test('missing, it is told by form_post where that was asked for', async () =>
    expect((await ask({ response_type: undefined, response_mode: 'form_post' })).via).toBe('form_post'))
})

const everyCharacter = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')

describe('RFC 6749 §4.2.2 state comes back byte for byte', () => {
  for (const [name, state] of [
    ['128 characters with -._~', `${'a1'.repeat(62)}-._~`],
    ['2,048 characters', 'x'.repeat(2048)],
    ['8,192 characters', '~'.repeat(8192)],
    ['spaces', '  two  and two  '],
    ['every printable character', everyCharacter],
    ['other scripts and an emoji', 'état ünïcödé 状態 🙂'],
    ['JSON', '{"returnTo":"/a?b=c&d=e#f","n":1}'],
    ['Base64', Buffer.from(everyCharacter).toString('base64')],
    ['what looks encoded already', '%2520+%26amp;'],
    ['line breaks', 'a\r\nLocation: https://evil.example/\r\n\r\nb'],
    ['markup', '</script><script>alert(1)</script>'],
  ] as const)
    for (const response_mode of ['fragment', 'form_post', 'web_message'] as const)
      for (const [kind, change] of [
        ['tokens', {}],
        ['an error', { audience: 'unknown' }],
      ] as const)
        test(`${name}, with ${kind}, by ${response_mode}`, async () =>
          expect((await ask({ ...change, state, response_mode })).parameters.state).toBe(state))

  test('through the login page too', async () => {
    const answer = await signIn(new Agent(), latchkey.issuer, { state: everyCharacter })
    expect(outcomeOf(answer).parameters.state).toBe(everyCharacter)
  })

  test('a state that needs no encoding gets none, and a space is %20, which every reader understands', async () => {
    const answer = await silently(ada, latchkey.issuer, { state: 'a-._~ b' })
    expect(answer.location).toContain('&state=a-._~%20b&')
  })

  test('without a state there is none in the answer', async () => {
    expect((await ask({ state: undefined })).parameters).not.toHaveProperty('state')
    expect((await ask({ state: undefined, audience: 'unknown' })).parameters).not.toHaveProperty('state')
  })
})

describe('OpenID Connect Core §3.2.2.1 nonce', () => {
  for (const nonce of ['n'.repeat(43), `${everyCharacter}é状🙂`, 'a'.repeat(2048)])
    test(`${nonce.slice(0, 20)}… is in the ID token as it was sent`, async () =>
      expect(claimsOf((await ask({ nonce })).parameters.id_token).nonce).toBe(nonce))
})

describe('parameters that change nothing', () => {
  for (const change of [
    { extra: 'foobar' },
    { auth0Client: 'eyJuYW1lIjoiYXV0aDAuanMifQ' },
    { display: 'page' },
    { display: 'popup' },
    { acr_values: '1 2' },
    { claims_locales: 'se' },
    { claims: '{"userinfo":{"name":{"essential":true}}}' },
    { access_type: 'offline' },
    { login_hint: 'buffy@example.com' },
    { ui_locales: 'se' },
    { request: '' },
    { organization: 'org_1', device: 'phone', protocol: 'oauth2', __proto__x: '1', constructor: 'x' },
  ] as const)
    test(Object.keys(change).join(', '), async () =>
      expect((await ask(change)).parameters).toHaveProperty('access_token'),
    )
})

describe('OpenID Connect Core §3.1.2.1 GET and POST', () => {
  const post = (body: string, type = 'application/x-www-form-urlencoded', query = '') =>
    ada.visit(`${latchkey.issuer}authorize${query}`, { method: 'POST', headers: { 'content-type': type }, body })
  const form = (change: Parameters = {}) => new URL(authorizeUrl(latchkey.issuer, change)).search.slice(1)

  test('a form is answered as the same request in the query is', async () => {
    expect(outcomeOf(await post(form())).parameters).toHaveProperty('access_token')
    expect(isPage(await post(form({ prompt: 'login', state: everyCharacter })), '/u/login')).toBe(true)
    expect(outcomeOf(await post(form({ audience: 'unknown', state: everyCharacter }))).parameters.state).toBe(
      everyCharacter,
    )
  })

  test('only the body of a POST counts', async () => {
    const page = await post('state=x', undefined, `?${form()}`)
    expect(errorPageOf(page)).toMatchObject({ status: 400, description: 'Missing required parameter: client_id' })
  })

  test('another content type is 415', async () => {
    expect((await post('{}', 'application/json')).status).toBe(415)
    expect((await post(form(), 'text/plain')).status).toBe(415)
  })

  test('duplicate slashes before authorize, as issuers that end in a slash make them', async () =>
    expect(outcomeOf(await ada.request(authorizeUrl(`${latchkey.issuer}/`))).parameters).toHaveProperty('access_token'))
})

describe('redirect_uri left out', () => {
  test('one registered callback: it is meant', async () => {
    const { target } = await ask({ client_id: moreClients.single, redirect_uri: undefined, prompt: 'none' })
    expect(target).toBe('https://single.example.com/callback')
  })

  test('several: a page, and no guess (OpenID Connect Core §3.1.2.1)', async () => {
    const page = await silently(ada, latchkey.issuer, { redirect_uri: undefined })
    expect(errorPageOf(page)).toMatchObject({ status: 400, error: 'invalid_request', description: /redirect_uri/ })
  })
})
