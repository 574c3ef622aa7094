/**
 * Every error of every endpoint as one table: what is asked, and the status, the code and the headers of the answer. What stands in no
 * row about headers is asked of all of them below it.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { makeKey, signJwt } from '../support/client_keys.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  pkce,
  refreshable,
  requestToken,
  secret,
  webCallback,
} from '../support/code_flow.ts'
import { dpopProof, proofKey } from '../support/dpop.ts'
import { authorizeUrl, type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { sendRaw } from '../support/raw.ts'
import { apis, callback, clients, connection, tenant } from '../support/tenant.ts'

const grants = {
  code: 'authorization_code',
  refresh: 'refresh_token',
  machine: 'client_credentials',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  bearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  password: 'password',
  realm: 'http://auth0.com/oauth/grant-type/password-realm',
} as const
const all = { client_id: 'Everything', client_secret: secret } as const
const allCallback = 'https://everything.example.com/callback'
const key = makeKey('ES256')
const more = JSON.stringify({
  tenant: {
    flags: { enable_dynamic_client_registration: true },
    default_directory: connection,
    allowed_logout_urls: ['https://tenant.example.com/bye'],
  },
  clients: [
    {
      name: 'Everything',
      ...all,
      app_type: 'regular_web',
      callbacks: [allCallback],
      web_origins: ['https://everything.example.com'],
      grant_types: Object.values(grants),
      token_exchange: { allowed: ['impersonation'], audiences: [apis.messages] },
    },
    {
      name: 'Poor',
      client_id: 'Poor',
      client_secret: secret,
      app_type: 'regular_web',
      callbacks: [allCallback],
      grant_types: ['implicit'],
    },
    {
      name: 'Keyed',
      client_id: 'Keyed',
      app_type: 'non_interactive',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
    },
    {
      name: 'Pushing',
      client_id: 'Pushing',
      client_secret: secret,
      app_type: 'regular_web',
      callbacks: [allCallback],
      require_pushed_authorization_requests: true,
    },
    {
      name: 'Signing',
      client_id: 'Signing',
      client_secret: secret,
      app_type: 'regular_web',
      callbacks: [allCallback],
      require_signed_request_object: true,
      jwks: { keys: [key.jwk] },
    },
    {
      name: 'Nonces',
      client_id: 'Nonces',
      client_secret: secret,
      app_type: 'non_interactive',
      require_dpop_nonce: true,
    },
    {
      name: 'Bound',
      client_id: 'Bound',
      client_secret: secret,
      app_type: 'non_interactive',
      dpop_bound_access_tokens: true,
    },
  ],
  databases: [{ name: connection, is_domain_connection: true }],
})

let latchkey: Latchkey
const ada = new Agent({ 'x-forwarded-for': '2001:db8::ada0' })
/** What the rows need that is made on the way. */
const made = { access: '', plain: '', id_token: '', pending: '', refresh_token: '', registered: '' }

beforeAll(async () => {
  latchkey = await startLatchkey({
    tenant,
    development: false,
    options: { trust_proxy: ['127.0.0.1', '::1'], trips_per_address: '20', signups_per_address: '30' },
  })
  await latchkey.apply(codeTenant)
  await latchkey.apply(more)
  await signIn(ada, latchkey.issuer)
  const plain = await requestToken(latchkey.issuer, {
    ...(await codeOf(ada, latchkey.issuer, { audience: undefined, scope: 'openid' })),
  })
  const bare = await requestToken(latchkey.issuer, {
    ...(await codeOf(ada, latchkey.issuer, { audience: undefined, scope: 'email' })),
  })
  const offline = await refreshable(ada, latchkey.issuer, {
    audience: offlineApi,
    scope: 'openid offline_access read:offline',
  })
  const device = await ask(post('oauth/device/code', all))
  const registered = await ask(json('oidc/register', { redirect_uris: [allCallback] }))
  Object.assign(made, {
    access: plain.json.access_token,
    plain: bare.json.access_token,
    id_token: plain.json.id_token,
    refresh_token: offline.refresh_token,
    pending: (JSON.parse(device.body) as Record<string, string>).device_code,
    registered: new URL(
      (JSON.parse(registered.body) as Record<string, string>).registration_client_uri ?? '',
    ).pathname.slice(1),
  })
})
afterAll(() => latchkey.close())

interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const post = (path: string, fields: Parameters, headers: Readonly<Record<string, string>> = {}): Ask => ({
  ...{ method: 'POST', path, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } },
  body: new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  ).toString(),
})
const json = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}, method = 'POST'): Ask => ({
  ...{ method, path, headers: { 'content-type': 'application/json', ...headers } },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const get = (path: string, headers: Readonly<Record<string, string>> = {}): Ask => ({ path, headers })

let addresses = 0
/** From an address of its own where nothing else is said: limits have rows of their own. */
function ask({ method = 'GET', path, headers: given = {}, body }: Ask): Promise<Answer> {
  const headers = { 'x-forwarded-for': `2001:db8:aaaa:${(++addresses).toString(16)}::1`, ...given }
  const init = { method, headers, ...(body === undefined ? {} : { body }) }
  return new Agent().request(`${latchkey.issuer}${path}`, init)
}

/** Sends it so often, from one address, that the last answer says it was too often. */
async function tooOften(one: Ask, times: number): Promise<Answer> {
  const from = { ...one, headers: { ...one.headers, 'x-forwarded-for': `2001:db8:bbbb:${times}::1` } }
  let answer = await ask(from)
  for (let left = times; left > 0 && answer.status !== 429; left--) answer = await ask(from)
  return answer
}

type Expected = Readonly<Record<string, string | RegExp>>
/** What is asked; status and code; the headers that only this answer has. */
type Row = readonly [name: string, asked: () => Ask | Promise<Answer>, answer: string, headers?: Expected]

const token = (fields: Parameters, headers = {}) => post('oauth/token', { ...all, ...fields }, headers)
const basic = (id: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${encodeURIComponent(password)}`).toString('base64')}`,
})
const basicChallenge = { 'www-authenticate': /^Basic realm="http[^"]*"$/ }
const jwtType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const assertion = (claims: Readonly<Record<string, unknown>> = {}) =>
  signJwt(key, {
    iss: 'Keyed',
    sub: 'Keyed',
    aud: latchkey.issuer,
    jti: randomUUID(),
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  })

/** Of every endpoint that clients call themselves. */
const ofClients = (path: string): readonly Row[] => {
  const form = (fields: Parameters, headers = {}) => post(path, { grant_type: grants.code, ...fields }, headers)
  const jwt = (client_assertion: string, client_assertion_type = jwtType) =>
    form({ client_assertion, client_assertion_type })
  const right = basic(all.client_id, secret)
  return [
    ['GET', () => get(path), '405 method_not_allowed', { allow: 'POST, OPTIONS' }],
    [
      'a body of another type',
      () => ({ ...json(path, '<a/>'), headers: { 'content-type': 'text/xml' } }),
      '415 unsupported_media_type',
    ],
    ['a body that is no JSON', () => json(path, '{"a":'), '400 invalid_request'],
    ['a JSON body that is no object', () => json(path, '[1]'), '400 invalid_request'],
    ['a body that is too large', () => post(path, { client_id: 'x'.repeat(1_200_000) }), '413 content_too_large'],
    ['a repeated parameter', () => ({ ...post(path, {}), body: 'client_id=a&client_id=a' }), '400 invalid_request'],
    ['parameters in the address', () => post(`${path}?client_id=a`, {}), '400 invalid_request'],
    ['no client', () => form({}), '401 invalid_client'],
    ['an unknown client', () => form({ client_id: 'nobody' }), '401 invalid_client'],
    ['a wrong secret', () => form({ ...all, client_secret: 'x' }), '401 invalid_client'],
    ['a wrong secret in the header', () => form({}, basic(all.client_id, 'x')), '401 invalid_client', basicChallenge],
    ['a header that is no Basic', () => form({}, { authorization: 'Basic x' }), '400 invalid_request'],
    ['two ways at once', () => form(all, right), '400 invalid_request'],
    ['another client_id beside the header', () => form({ client_id: clients.spa }, right), '400 invalid_request'],
    ['a type of assertion that is none', () => jwt('x', 'x'), '400 invalid_request'],
    ['half of an assertion', () => form({ client_assertion_type: jwtType }), '400 invalid_request'],
    ['an assertion that is none', () => jwt('x'), '401 invalid_client'],
    ['an assertion for somebody else', () => jwt(assertion({ aud: 'https://x.example/' })), '401 invalid_client'],
    ['an assertion that is over', () => jwt(assertion({ exp: 1 })), '401 invalid_client'],
    ['a page of somebody else', () => form(all, { origin: 'https://evil.example' }), '403 access_denied'],
  ]
}

/** One grant each, with what a row changes. */
const grantOf =
  (grant_type: string) =>
  (fields: Parameters, headers = {}) =>
    token({ grant_type, ...fields }, headers)
const code = grantOf(grants.code)
const machine = grantOf(grants.machine)
const polled = grantOf(grants.device)
const exchange = grantOf(grants.exchange)
const bearer = grantOf(grants.bearer)
const password = grantOf(grants.password)
const realm = grantOf(grants.realm)
const refreshing = grantOf(grants.refresh)
const subject = (subject_token: string, fields: Parameters) =>
  exchange({ subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...fields })
/** A code that is good, but for what a row changes. */
const exchanged = async (change: Parameters) =>
  ask(post('oauth/token', { ...(await codeOf(ada, latchkey.issuer)), ...change }))
const refreshed = (change: Parameters) =>
  post('oauth/token', {
    grant_type: grants.refresh,
    client_id: clients.spa,
    refresh_token: made.refresh_token,
    ...change,
  })
const pushed = (change: Parameters) =>
  post('oauth/par', { ...all, redirect_uri: allCallback, response_type: 'code', ...change })
const register = (change: object) => json('oidc/register', { redirect_uris: [allCallback], ...change })

const forPrograms: Readonly<Record<string, readonly Row[]>> = {
  'POST /oauth/token': [
    ...ofClients('oauth/token'),
    ['no grant_type', () => token({}), '400 invalid_request'],
    ['an unknown grant_type', () => token({ grant_type: 'magic' }), '400 unsupported_grant_type'],
    ['a grant that is for /authorize', () => token({ grant_type: 'implicit' }), '400 unsupported_grant_type'],
    ...Object.values(grants).map(
      (grant_type): Row => [
        `${grant_type} of a client without it`,
        () => token({ grant_type, client_id: 'Poor' }),
        '400 unauthorized_client',
      ],
    ),
    ['a DPoP proof that is none', () => code({ code: 'x' }, { dpop: 'x' }), '400 invalid_dpop_proof'],
    [
      'a DPoP proof for another address',
      () => code({ code: 'x' }, { dpop: dpopProof(proofKey(), 'POST', 'https://x.example/') }),
      '400 invalid_dpop_proof',
    ],
    [
      'a DPoP proof without the nonce',
      () =>
        machine(
          { client_id: 'Nonces', audience: apis.messages },
          { dpop: dpopProof(proofKey(), 'POST', `${latchkey.issuer}oauth/token`) },
        ),
      '400 use_dpop_nonce',
      { 'dpop-nonce': /^.{20,}$/ },
    ],
    [
      'no DPoP proof where one is needed',
      () => machine({ client_id: 'Bound', audience: apis.messages }),
      '400 invalid_dpop_proof',
    ],
  ],
  [`grant ${grants.code}`]: [
    ['no code', () => code({}), '400 invalid_request'],
    ['an unknown code', () => code({ code: 'x', redirect_uri: allCallback }), '400 invalid_grant'],
    ['the code of another client', () => exchanged(all), '400 invalid_grant'],
    ['another redirect_uri', () => exchanged({ redirect_uri: allCallback }), '400 invalid_grant'],
    ['no redirect_uri', () => exchanged({ redirect_uri: undefined }), '400 invalid_grant'],
    ['another verifier', () => exchanged({ code_verifier: pkce().code_verifier }), '400 invalid_grant'],
    ['no verifier', () => exchanged({ code_verifier: undefined }), '400 invalid_grant'],
    ['another API', () => exchanged({ resource: apis.contacts }), '400 invalid_target'],
  ],
  [`grant ${grants.refresh}`]: [
    ['no token', () => refreshing({}), '400 invalid_request'],
    ['an unknown token', () => refreshing({ refresh_token: 'x' }), '400 invalid_grant'],
    ['the token of another client', () => refreshing({ refresh_token: made.refresh_token }), '400 invalid_grant'],
    ['more than was granted', () => refreshed({ scope: 'openid write:offline' }), '400 invalid_scope'],
    ['another API', () => refreshed({ resource: apis.contacts }), '400 invalid_target'],
  ],
  [`grant ${grants.machine}`]: [
    ['no API', () => machine({}), '400 invalid_request'],
    ['an unknown API', () => machine({ audience: 'https://x.example/' }), '403 access_denied'],
    ['an unknown resource', () => machine({ resource: 'https://x.example/' }), '400 invalid_target'],
    ['a resource that is no address', () => machine({ resource: 'x' }), '400 invalid_target'],
    ['an API without a client grant', () => machine({ audience: apis.contacts }), '403 access_denied'],
  ],
  [`grant ${grants.device}`]: [
    ['no code', () => polled({}), '400 invalid_request'],
    ['an unknown code', () => polled({ device_code: 'x' }), '400 invalid_grant'],
    ['before the person has decided', () => polled({ device_code: made.pending }), '400 authorization_pending'],
    ['too soon after that', () => polled({ device_code: made.pending }), '400 slow_down'],
  ],
  [`grant ${grants.exchange}`]: [
    ['no subject_token', () => exchange({}), '400 invalid_request'],
    ['no subject_token_type', () => exchange({ subject_token: made.access }), '400 invalid_request'],
    [
      'an unknown subject_token_type',
      () => exchange({ subject_token: made.access, subject_token_type: 'x' }),
      '400 invalid_request',
    ],
    ['a subject_token that is none', () => subject('x', { audience: apis.messages }), '400 invalid_request'],
    [
      'another type of token',
      () => subject('x', { requested_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
      '400 invalid_request',
    ],
    ['actor_token_type alone', () => subject('x', { actor_token_type: 'x' }), '400 invalid_request'],
  ],
  [`grant ${grants.bearer}`]: [
    ['no assertion', () => bearer({}), '400 invalid_request'],
    ['an assertion that is none', () => bearer({ assertion: 'x', audience: apis.messages }), '400 invalid_grant'],
    [
      'an issuer that nobody trusts',
      () => bearer({ assertion: assertion(), audience: apis.messages }),
      '400 invalid_grant',
    ],
  ],
  [`grant ${grants.password}`]: [
    ['no username', () => password({ password: 'x' }), '400 invalid_request'],
    ['no password', () => password({ username: 'x' }), '400 invalid_request'],
    ['a wrong password', () => password({ username: 'nobody@example.com', password: 'x' }), '400 invalid_grant'],
    [
      'too many',
      () => tooOften(password({ username: 'often@example.com', password: 'x' }), 12),
      '429 too_many_attempts',
      { 'retry-after': '60' },
    ],
  ],
  [`grant ${grants.realm}`]: [
    ['no realm', () => realm({ username: 'x', password: 'x' }), '400 invalid_request'],
    ['an unknown realm', () => realm({ username: 'x', password: 'x', realm: 'x' }), '400 invalid_request'],
  ],
  'POST /oauth/par': [
    ...ofClients('oauth/par'),
    [
      'no redirect_uri that is registered',
      () => pushed({ redirect_uri: 'https://evil.example/' }),
      '400 invalid_request',
    ],
    ['no response_type', () => pushed({ response_type: undefined }), '400 invalid_request'],
    ['an unknown response_type', () => pushed({ response_type: 'x' }), '400 unsupported_response_type'],
    ['a response type without its grant', () => pushed({ response_type: 'token' }), '400 unauthorized_client'],
    ['a scope that is none', () => pushed({ scope: 'ä' }), '400 invalid_scope'],
    ['an unknown API', () => pushed({ audience: 'x' }), '403 access_denied'],
    ['a request_uri', () => post('oauth/par', { ...all, request_uri: 'urn:x' }), '400 invalid_request'],
    ['a request object that is none', () => post('oauth/par', { ...all, request: 'x' }), '400 invalid_request_object'],
    ['an unsigned request of a client that signs', () => pushed({ client_id: 'Signing' }), '400 invalid_request'],
    ['a rich request that is none', () => pushed({ authorization_details: 'x' }), '400 invalid_authorization_details'],
    [
      'too many of a public client',
      () =>
        tooOften(
          post('oauth/par', {
            client_id: clients.spa,
            redirect_uri: callback,
            response_type: 'code',
            ...pkce().request,
          }),
          25,
        ),
      '429 too_many_requests',
      { 'retry-after': /^\d+$/ },
    ],
  ],
  'POST /oauth/revoke': [
    ...ofClients('oauth/revoke'),
    ['no token', () => post('oauth/revoke', all), '400 invalid_request'],
  ],
  'POST /oauth/introspect': [
    ...ofClients('oauth/introspect'),
    ['no token', () => post('oauth/introspect', all), '400 invalid_request'],
    ['a public client', () => post('oauth/introspect', { client_id: clients.spa, token: 'x' }), '401 invalid_client'],
  ],
  'POST /oauth/device/code': [
    ...ofClients('oauth/device/code'),
    [
      'a client without the grant',
      () => post('oauth/device/code', { ...all, client_id: 'Poor' }),
      '400 unauthorized_client',
    ],
    ['a scope that is none', () => post('oauth/device/code', { ...all, scope: 'ä' }), '400 invalid_scope'],
    ['an unknown API', () => post('oauth/device/code', { ...all, audience: 'x' }), '403 access_denied'],
    [
      'too many',
      () => tooOften(post('oauth/device/code', all), 25),
      '429 too_many_requests',
      { 'retry-after': /^\d+$/ },
    ],
  ],
  'POST /oidc/register': [
    ['GET', () => get('oidc/register'), '405 method_not_allowed', { allow: 'POST, OPTIONS' }],
    [
      'a body of another type',
      () => ({ ...json('oidc/register', 'x'), headers: { 'content-type': 'text/plain' } }),
      '415 unsupported_media_type',
    ],
    ['no JSON', () => json('oidc/register', '{'), '400 invalid_request'],
    ['no object', () => json('oidc/register', [1]), '400 invalid_client_metadata'],
    ['no redirect_uris', () => json('oidc/register', {}), '400 invalid_redirect_uri'],
    ['a redirect URI that is none', () => json('oidc/register', { redirect_uris: ['x'] }), '400 invalid_redirect_uri'],
    ['an unknown response type', () => register({ response_types: ['x'] }), '400 invalid_client_metadata'],
    ['an unknown method', () => register({ token_endpoint_auth_method: 'x' }), '400 invalid_client_metadata'],
    [
      'a method that is not on',
      () => register({ token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a.example' }),
      '400 invalid_client_metadata',
    ],
    ['too many', () => tooOften(register({}), 35), '429 too_many_requests', { 'retry-after': '60' }],
  ],
  '/oidc/register/…': [
    ['POST', () => json(made.registered, {}), '405 method_not_allowed', { allow: 'GET, PUT, DELETE, OPTIONS' }],
    ['no token', () => get(made.registered), '401 invalid_token', { 'www-authenticate': /^Bearer realm="[^"]+"/ }],
    [
      'an unknown token',
      () => get(made.registered, { authorization: 'Bearer x' }),
      '401 invalid_token',
      { 'www-authenticate': /^Bearer realm="[^"]+", error="invalid_token"$/ },
    ],
    [
      'an unknown client',
      () => json('oidc/register/nobody', {}, { authorization: 'Bearer x' }, 'PUT'),
      '401 invalid_token',
      { 'www-authenticate': /error="invalid_token"/ },
    ],
    [
      'a deletion by nobody',
      () => ({ method: 'DELETE', path: made.registered }),
      '401 invalid_token',
      { 'www-authenticate': /^Bearer/ },
    ],
  ],
  '/userinfo': [
    ['DELETE', () => ({ method: 'DELETE', path: 'userinfo' }), '405 method_not_allowed', { allow: /GET.*POST/ }],
    ['no token', () => get('userinfo'), '401 invalid_token', { 'www-authenticate': /^Bearer realm="[^"]+"$/ }],
    [
      'a token that is none',
      () => get('userinfo', { authorization: 'Bearer x' }),
      '401 invalid_token',
      { 'www-authenticate': /^Bearer realm="[^"]+", error="invalid_token", error_description="[^"]+"$/ },
    ],
    [
      'an ID token',
      () => get('userinfo', { authorization: `Bearer ${made.id_token}` }),
      '401 invalid_token',
      { 'www-authenticate': /error="invalid_token"/ },
    ],
    [
      'a token without openid',
      () => get('userinfo', { authorization: `Bearer ${made.plain}` }),
      '403 insufficient_scope',
      { 'www-authenticate': /error="insufficient_scope".*scope="openid"/ },
    ],
    [
      'a token in the header and in the body',
      () => post('userinfo', { access_token: made.access }, { authorization: `Bearer ${made.access}` }),
      '400 invalid_request',
      { 'www-authenticate': /error="invalid_request"/ },
    ],
    [
      'a token in the address',
      () => get(`userinfo?access_token=${made.access}`),
      '401 invalid_token',
      { 'www-authenticate': /^Bearer/ },
    ],
    [
      'a token for another scheme',
      () =>
        get('userinfo', {
          authorization: `DPoP ${made.access}`,
          dpop: dpopProof(proofKey(), 'GET', `${latchkey.issuer}userinfo`),
        }),
      '401 invalid_token',
      { 'www-authenticate': /^DPoP .*error="invalid_token".*algs="/ },
    ],
  ],
  'GET /.well-known/…': [
    ...['openid-configuration', 'oauth-authorization-server', 'jwks.json'].map(
      (name): Row => [
        `POST ${name}`,
        () => json(`.well-known/${name}`, {}),
        '405 method_not_allowed',
        { allow: /GET.*OPTIONS/ },
      ],
    ),
    ['a document that is not there', () => get('.well-known/nothing'), '404 not_found'],
  ],
}

const named = (rows: readonly Row[]) =>
  rows.map(([name, asked, expected, headers = {}]) => ({ name, asked, expected, headers }))

const headersOf = (answer: Answer, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, answer.headers.get(name)]))
const told = ['www-authenticate', 'retry-after', 'allow', 'location', 'set-cookie']

describe.each(Object.entries(forPrograms))('RFC 6749 §5.2 RFC 9110 §10.2.3 errors of %s', (_, rows) => {
  test.each(named(rows))('$name', async ({ asked, expected, headers }) => {
    const what = await asked()
    const answer = 'path' in what ? await ask(what) : what
    const { error, error_description, ...others } = JSON.parse(answer.body) as Record<string, string>
    expect(`${answer.status} ${error}`).toBe(expected)
    expect(error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
    expect(others).toEqual({})
    expect(answer.headers.get('content-type')).toMatch(/^application\/json(; charset=utf-8)?$/)
    expect(headersOf(answer, ['cache-control', 'x-content-type-options', 'referrer-policy'])).toEqual({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    const none = Object.fromEntries(told.filter((name) => !(name in headers)).map((name) => [name, null]))
    const some = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : expect.stringMatching(value),
      ]),
    )
    expect(headersOf(answer, [...told, ...Object.keys(headers)])).toEqual({ ...none, ...some })
  })
})

describe('contract B0.10 refusals that a page may read', () => {
  const own = 'https://everything.example.com'
  const reads = async (what: Ask, origin: string) => {
    const answer = await ask({ ...what, headers: { ...what.headers, origin } })
    return answer.headers.get('access-control-allow-origin')
  }
  const endpoints = ['oauth/token', 'oauth/par', 'oauth/revoke', 'oauth/introspect', 'oauth/device/code']
  test.each(endpoints)(
    '%s: the client’s own pages, and those of all clients where no client is named',
    async (path) => {
      expect(await reads(post(path, { ...all, scope: 'ä', grant_type: 'x' }), own)).toBe(own)
      expect(await reads(post(path, { ...all, client_secret: 'x', grant_type: grants.code }), own)).toBe(own)
      for (const what of [post(path, {}), post(path, { client_id: 'nobody' }), { ...post(path, {}), body: 'a=1&a=1' }])
        expect([await reads(what, own), await reads(what, 'https://evil.example')]).toEqual([own, null])
      expect(await reads(post(path, { ...all, grant_type: 'x' }), 'https://app.example.com')).toBeNull()
    },
  )

  test.each([
    ['userinfo', () => get('userinfo')],
    ['oidc/register', () => json('oidc/register', {})],
    ['.well-known/openid-configuration', () => get('.well-known/openid-configuration')],
    ['.well-known/jwks.json', () => get('.well-known/jwks.json')],
  ])('%s: everybody', async (_, what) => {
    expect(await reads(what(), 'https://somebody.example')).toBe('*')
  })

  test('what a page must read to go on is exposed to it', async () => {
    const answer = await ask({ ...get('userinfo'), headers: { origin: own } })
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/DPoP-Nonce, WWW-Authenticate, .*Retry-After/)
  })
})

const at = (change: Parameters) => get(authorizeUrl('', change))
const sameOrigin = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
/** Before the destination is trusted, and on the way of a person: a page of ours. */
const forPeople: Readonly<Record<string, readonly Row[]>> = {
  '/authorize': [
    ['PUT', () => ({ method: 'PUT', path: 'authorize' }), '405 method_not_allowed', { allow: /GET.*POST/ }],
    ['a JSON body', () => json('authorize', {}), '415 unsupported_media_type'],
    ['no client_id', () => at({ client_id: undefined }), '400 invalid_request'],
    ['an unknown client', () => at({ client_id: 'nobody' }), '400 invalid_request'],
    [
      'a redirect_uri that is not registered',
      () => at({ redirect_uri: 'https://evil.example/' }),
      '400 invalid_request',
    ],
    ['no redirect_uri of a client that has several', () => at({ redirect_uri: undefined }), '400 invalid_request'],
    ['a repeated parameter', () => get(`${authorizeUrl('')}&state=x`), '400 invalid_request'],
    ['an address that is no UTF-8', () => get(`${authorizeUrl('')}&x=%ff`), '400 invalid_request'],
    [
      'an unknown pushed request',
      () => get(`authorize?client_id=${clients.spa}&request_uri=urn:ietf:params:oauth:request_uri:x`),
      '400 invalid_request_uri',
    ],
    ['a trip that is over', () => get('authorize/resume?state=x'), '400 invalid_request'],
    ['too many', () => tooOften(at({}), 25), '429 too_many_requests', { 'retry-after': /^\d+$/ }],
  ],
  '/activate': [
    ['PUT', () => ({ method: 'PUT', path: 'activate' }), '405 method_not_allowed', { allow: /GET.*POST/ }],
    [
      'a form from another site',
      () => post('activate', { code: 'x' }, { ...sameOrigin, 'sec-fetch-site': 'cross-site' }),
      '403 access_denied',
    ],
    [
      'a form that was made for another browser',
      () => post('activate', { code: 'x', csrf: 'x' }, sameOrigin),
      '403 access_denied',
    ],
  ],
  '/oidc/logout': [
    ['PUT', () => ({ method: 'PUT', path: 'oidc/logout' }), '405 method_not_allowed', { allow: /GET.*POST/ }],
    ['a JSON body', () => json('oidc/logout', {}), '415 unsupported_media_type'],
    ['a hint that is none', () => get('oidc/logout?id_token_hint=x'), '400 invalid_request'],
    ['an unknown client', () => get('oidc/logout?client_id=nobody'), '400 invalid_request'],
    [
      'another client than the hint',
      () => get(`oidc/logout?client_id=Poor&id_token_hint=${made.id_token}`),
      '400 invalid_request',
    ],
    [
      'an address that is not registered',
      () => get(`oidc/logout?client_id=${clients.spa}&post_logout_redirect_uri=https://evil.example/`),
      '400 invalid_request',
    ],
    [
      'an address and nobody',
      () => get('oidc/logout?post_logout_redirect_uri=https://evil.example/'),
      '400 invalid_request',
    ],
    ['a repeated parameter', () => get('oidc/logout?state=a&state=b'), '400 invalid_request'],
    [
      'a confirmation from another site',
      () => post('u/logout', {}, { ...sameOrigin, 'sec-fetch-site': 'cross-site' }),
      '403 access_denied',
    ],
  ],
  '/v2/logout': [
    ['POST', () => post('v2/logout', {}), '405 method_not_allowed', { allow: 'GET' }],
    ['an unknown client', () => get('v2/logout?client_id=nobody'), '400 invalid_request'],
    [
      'an address that is not registered',
      () => get(`v2/logout?client_id=${clients.spa}&returnTo=https://evil.example/`),
      '400 invalid_request',
    ],
    ['an address and nobody', () => get('v2/logout?returnTo=https://evil.example/'), '400 invalid_request'],
  ],
}

describe.each(Object.entries(forPeople))('RFC 6749 §4.1.2.1 errors of %s on a page', (_, rows) => {
  test.each(named(rows))('$name', async ({ asked, expected, headers }) => {
    const what = await asked()
    const answer = 'path' in what ? await ask(what) : what
    const { status, error, description, tracking } = errorPageOf(answer)
    expect(`${status} ${error}`).toBe(expected)
    expect([description.length > 0, tracking]).toEqual([true, expect.stringMatching(/^[0-9a-f]{20}$/)])
    expect(
      headersOf(answer, [
        'content-type',
        'cache-control',
        'x-content-type-options',
        'referrer-policy',
        'access-control-allow-origin',
        'www-authenticate',
        'location',
      ]),
    ).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'access-control-allow-origin': null,
      'www-authenticate': null,
      location: null,
    })
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*frame-ancestors 'none'/)
    for (const name of ['allow', 'retry-after']) {
      const { [name]: wanted } = headers
      expect([name, answer.headers.get(name)]).toEqual([
        name,
        wanted === undefined ? null : expect.stringMatching(wanted),
      ])
    }
  })

  const once = named(rows).filter(({ name }) => name !== 'too many')
  test.each(once)('$name, as JSON for who asks for that', async ({ asked, expected }) => {
    const what = await asked()
    if (!('path' in what)) return
    const answer = await ask({ ...what, headers: { ...what.headers, accept: 'application/json' } })
    const { error } = JSON.parse(answer.body) as Record<string, string>
    expect(`${answer.status} ${error}`).toBe(expected)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  })
})

describe('RFC 6749 §4.1.2.1 §4.2.2.1 errors of /authorize that the client is told', () => {
  const web = { client_id: codeClients.web, redirect_uri: webCallback } as const
  const code = { ...web, response_type: 'code', audience: undefined, scope: 'openid' } as const
  const rows: readonly (readonly [name: string, change: Parameters, error: string])[] = [
    ['no response_type', { response_type: undefined }, 'invalid_request'],
    ['an unknown response_type', { response_type: 'x' }, 'unsupported_response_type'],
    [
      'a response type without its grant',
      { client_id: clients.noImplicit, response_type: 'token' },
      'unauthorized_client',
    ],
    ['an unknown response_mode', { response_mode: 'x' }, 'invalid_request'],
    ['tokens in the query', { response_mode: 'query' }, 'invalid_request'],
    ['no nonce for an ID token', { nonce: undefined }, 'invalid_request'],
    ['an ID token without openid', { scope: 'email' }, 'invalid_request'],
    ['a scope that is none', { scope: 'openid ä' }, 'invalid_scope'],
    ['an unknown API', { audience: 'https://x.example/' }, 'access_denied'],
    ['an unknown resource', { audience: undefined, resource: 'https://x.example/' }, 'invalid_target'],
    ['an unknown prompt', { prompt: 'x' }, 'invalid_request'],
    ['none and another prompt', { prompt: 'none login' }, 'invalid_request'],
    ['a max_age that is no number', { max_age: 'x' }, 'invalid_request'],
    ['claims that are no JSON', { claims: '{' }, 'invalid_request'],
    ['a hint that is none', { id_token_hint: 'x' }, 'invalid_request'],
    ['an unknown connection', { connection: 'x' }, 'invalid_request'],
    ['registration', { registration: '{}' }, 'registration_not_supported'],
    [
      'a class that nobody reaches',
      { claims: '{"id_token":{"acr":{"essential":true,"values":["x"]}}}' },
      'unmet_authentication_requirements',
    ],
    ['a rich request that is none', { authorization_details: 'x' }, 'invalid_authorization_details'],
    ['nobody signed in', { prompt: 'none' }, 'login_required'],
    ['no challenge of a public client', { response_type: 'code' }, 'invalid_request'],
    ['a plain challenge', { response_type: 'code', code_challenge: 'v'.repeat(43) }, 'invalid_request'],
    ['a request object that is none', { request: 'x' }, 'invalid_request_object'],
    ['a request_uri of a client that has none', { request_uri: 'https://x.example/r' }, 'request_uri_not_supported'],
    ['both ways to refer to a request', { request: 'x', request_uri: 'https://x.example/r' }, 'invalid_request'],
    ['a request that was not pushed', { ...code, client_id: 'Pushing', redirect_uri: allCallback }, 'invalid_request'],
    ['a request that is not signed', { ...code, client_id: 'Signing', redirect_uri: allCallback }, 'invalid_request'],
  ]

  test.each(rows)('%s', async (_, change, error) => {
    const request = { ...change, state: 'the state' }
    const answer = await ask({ ...at(request), headers: { 'x-forwarded-for': `2001:db8:cccc:${error.length}::1` } })
    expect(answer.status).toBe(302)
    const { via, target, parameters } = outcomeOf(answer)
    const front = !/^(code|x)$/.test(change.response_type ?? ('response_type' in change ? 'x' : 'token'))
    expect([via, target]).toEqual([front ? 'fragment' : 'query', change.redirect_uri ?? callback])
    expect(parameters).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
      state: 'the state',
      iss: latchkey.issuer,
    })
    expect(headersOf(answer, ['cache-control', 'referrer-policy', 'set-cookie'])).toEqual({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'set-cookie': null,
    })
  })

  test('signed in: what cannot be done without a page', async () => {
    const silent = async (change: Parameters) =>
      outcomeOf(await ada.request(authorizeUrl(latchkey.issuer, { prompt: 'none', ...change }))).parameters.error
    expect(await silent({ client_id: clients.local, redirect_uri: 'http://localhost:3999/callback' })).toBe(
      'consent_required',
    )
    expect(await silent({ max_age: '0' })).toBe('login_required')
    expect(await silent({})).toBeUndefined()
  })

  test('the person says no', async () => {
    const asked = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }
    const page = await ada.visit(authorizeUrl(latchkey.issuer, asked))
    expect(outcomeOf(await ada.submit(page, { action: 'deny' })).parameters.error).toBe('access_denied')
  })
})

describe('RFC 8628 §5.1 the page for the code of a device', () => {
  test('an unknown code is 400, and too many of them 429', async () => {
    const agent = new Agent({ 'x-forwarded-for': '2001:db8:dddd::1' })
    const page = await agent.visit(`${latchkey.issuer}activate`)
    expect((await agent.submit(page, { code: '' })).status).toBe(400)
    let answer = await agent.submit(page, { code: 'BBBB-BBBB' })
    expect(answer.status).toBe(400)
    for (let left = 30; left > 0 && answer.status !== 429; left--)
      answer = await agent.submit(page, { code: 'BBBB-BBBB' })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '900'])
  })
})

describe('RFC 9110 §7.4 a request for another server', () => {
  test.each(['/oauth/token', '/userinfo', '/.well-known/openid-configuration', '/authorize'])(
    '%s is refused',
    async (path) => {
      const method = path === '/oauth/token' ? 'POST' : 'GET'
      const answer = await sendRaw(latchkey.issuer, `${method} ${path} HTTP/1.1`, [
        'Host: evil.example',
        'Connection: close',
        'Content-Length: 0',
      ])
      expect([answer.status, answer.body.includes('invalid_request')]).toEqual([400, true])
    },
  )
})

describe('RFC 7591 §3 where clients cannot register themselves', () => {
  test('the endpoint is not there; a token of the administrator may be needed', async () => {
    await latchkey.apply(
      JSON.stringify({ tenant: { dynamic_client_registration: { require_initial_access_token: true } } }),
    )
    const answer = await ask(json('oidc/register', { redirect_uris: [allCallback] }))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Bearer realm="[^"]+"/),
    ])
    await latchkey.apply(JSON.stringify({ tenant: { flags: { enable_dynamic_client_registration: false } } }))
    const off = await ask(json('oidc/register', { redirect_uris: [allCallback] }))
    expect([off.status, (JSON.parse(off.body) as { error: string }).error]).toEqual([404, 'endpoint_disabled'])
  })
})
