/** Request objects over HTTP: what is inside counts, who signed it, where it may be fetched, and every way to be refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import {
  type Alg,
  type ClientServer,
  makeKey,
  type SigningKey,
  signJwt,
  signWithSecret,
  startClientServer,
  unsignedJwt,
} from '../support/client_keys.ts'
import { pkce } from '../support/code_flow.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { tampered } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

const ids = {
  signing: 'SigningClient',
  strict: 'StrictClient',
  open: 'OpenClient',
  shared: 'SharedClient',
  es: 'EsClient',
}
const callback = 'https://web.example.com/callback'
const second = 'https://web.example.com/second'
const secret = 'a secret that signs: 32 characters or more'
const algs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const keys = Object.fromEntries(algs.map((alg) => [alg, makeKey(alg, alg)])) as Record<Alg, SigningKey>
const foreign = makeKey('ES256', 'ES256')

let latchkey: Latchkey
let issuer: string
let server: ClientServer
const ada = new Agent()

function clientsTenant(): string {
  const jwks = JSON.stringify({ keys: Object.values(keys).map((key) => key.jwk) })
  const common = (id: string) =>
    `{ name: ${id}, client_id: ${id}, app_type: regular_web, callbacks: ['${callback}', '${second}'], client_secret: '${secret}'`
  const uris = ['one', 'unsigned', 'marked#abc', 'html', 'gone', 'moved', 'long'].map(
    (path) => `'${server.address}${path}'`,
  )
  return `
clients:
  - ${common(ids.signing)}, jwks_uri: '${server.address}jwks.json', request_uris: [${uris.join(', ')}] }
  - ${common(ids.strict)}, jwks: ${jwks}, require_signed_request_object: true }
  - ${common(ids.open)}, request_object_signing_alg: none, request_uris: ['${server.address}unsigned', 'https://10.0.0.1/ro'] }
  - ${common(ids.shared)}, request_object_signing_alg: HS256 }
  - ${common(ids.es)}, jwks: ${JSON.stringify({ keys: [keys.ES256.jwk] })}, request_object_signing_alg: ES256 }
`
}

beforeAll(async () => {
  server = await startClientServer()
  server.publishKeys(Object.values(keys))
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(clientsTenant())
  await signIn(ada, issuer)
})
afterAll(async () => {
  await latchkey.close()
  server.close()
})

const seconds = () => Math.floor(Date.now() / 1000)

/** A whole request, as the claims of a request object. */
function inside(client_id: string, change: Readonly<Record<string, unknown>> = {}) {
  const request = { response_type: 'code', redirect_uri: callback, scope: 'openid', state: 'inside', nonce: 'n' }
  const times = { iat: seconds(), nbf: seconds(), exp: seconds() + 300 }
  return { iss: client_id, aud: issuer, client_id, ...times, ...request, ...pkce().request, ...change }
}

const ask = (parameters: Parameters) =>
  ada.request(`${issuer}authorize?${new URLSearchParams(parameters as Record<string, string>)}`)
const send = (client_id: string, request: string, outside: Parameters = {}) =>
  ask({ client_id, scope: 'openid', response_type: 'code', request, ...outside })

function told(answer: Answer): string {
  if (answer.location === undefined) return `page ${errorPageOf(answer).error}`
  const { parameters } = outcomeOf(answer)
  return parameters.error ?? (parameters.code === undefined ? 'neither' : 'code')
}

describe('RFC 9101 §6.2 a signed request object', () => {
  test.each(algs)('%s, by a published key', async (alg) => {
    const { parameters, target } = outcomeOf(await send(ids.signing, signJwt(keys[alg], inside(ids.signing))))
    expect([target, parameters.state]).toEqual([callback, 'inside'])
    expect(parameters.code).toBeDefined()
    expect(told(await send(ids.signing, tampered(signJwt(keys[alg], inside(ids.signing)), 1)))).toBe(
      'page invalid_request_object',
    )
  })

  test('HS256 by the secret of the client', async () => {
    expect(told(await send(ids.shared, signWithSecret(secret, inside(ids.shared))))).toBe('code')
    expect(told(await send(ids.shared, signWithSecret(`${secret}x`, inside(ids.shared))))).toBe(
      'page invalid_request_object',
    )
  })

  test('typ may say what it is, and nothing else', async () => {
    const typed = (typ: string) => send(ids.signing, signJwt(keys.ES256, inside(ids.signing), { typ }))
    expect(told(await typed('oauth-authz-req+jwt'))).toBe('code')
    expect(told(await typed('application/oauth-authz-req+jwt'))).toBe('code')
    expect(told(await typed('dpop+jwt'))).toBe('page invalid_request_object')
    expect(told(await typed('client-authentication+jwt'))).toBe('page invalid_request_object')
  })

  test.each<[string, () => string]>([
    ['another key', () => signJwt(foreign, inside(ids.signing))],
    ['a key that comes with it', () => signJwt(foreign, inside(ids.signing), { kid: undefined, jwk: foreign.jwk })],
    [
      'a key at an address of its own',
      () => signJwt(foreign, inside(ids.signing), { jku: `${server.address}jwks.json` }),
    ],
    ['the public key as a secret', () => signWithSecret(JSON.stringify(keys.ES256.jwk), inside(ids.signing))],
    ['an unknown kid', () => signJwt({ ...keys.ES256, kid: 'x' }, inside(ids.signing))],
    [
      'no signature where alg says there is one',
      () => `${signJwt(keys.ES256, inside(ids.signing)).replace(/[^.]*$/, '')}`,
    ],
    ['nonsense', () => 'a.b.c'],
    ['a JSON array', () => signJwt(keys.ES256, [] as unknown as Record<string, unknown>)],
    ['an encrypted form', () => 'a.b.c.d.e'],
  ])('%s is invalid_request_object', async (_name, make) => {
    expect(told(await send(ids.signing, make()))).toBe('page invalid_request_object')
    // Where the request outside names a registered redirect URI, the client hears of it.
    const redirected = outcomeOf(await send(ids.signing, make(), { redirect_uri: callback, state: 'outside' }))
    expect(redirected.parameters).toMatchObject({ error: 'invalid_request_object', state: 'outside', iss: issuer })
  })

  test('the registered algorithm is the only one', async () => {
    expect(told(await send(ids.es, signJwt(keys.ES256, inside(ids.es))))).toBe('code')
    expect(told(await send(ids.es, unsignedJwt(inside(ids.es))))).toBe('page invalid_request_object')
    expect(told(await send(ids.shared, signJwt(keys.ES256, inside(ids.shared))))).toBe('page invalid_request_object')
  })
})

describe('RFC 9101 §6.3 RFC 9101 §4 RFC 9101 §10.8 only what is inside counts', () => {
  test('state outside is not used, and redirect_uri inside wins', async () => {
    const jwt = signJwt(keys.ES256, inside(ids.signing, { state: undefined, redirect_uri: second }))
    const answer = outcomeOf(await send(ids.signing, jwt, { state: 'outside', redirect_uri: callback }))
    expect(answer.target).toBe(second)
    expect(Object.keys(answer.parameters).toSorted()).toEqual(['code', 'iss', 'session_state'])
  })

  test('oidcc-ensure-request-object-with-redirect-uri: the bad one outside does not matter', async () => {
    const jwt = signJwt(keys.ES256, inside(ids.signing))
    expect(told(await send(ids.signing, jwt, { redirect_uri: 'https://evil.example/callback' }))).toBe('code')
    const bad = signJwt(keys.ES256, inside(ids.signing, { redirect_uri: 'https://evil.example/callback' }))
    expect(told(await send(ids.signing, bad, { redirect_uri: callback }))).toBe('page invalid_request')
  })

  test.each<[string, Readonly<Record<string, unknown>>, Parameters, string]>([
    ['scope is missing inside', { scope: undefined }, {}, 'page invalid_request_object'],
    [
      'redirect_uri is missing inside',
      { redirect_uri: undefined },
      { redirect_uri: callback },
      'invalid_request_object',
    ],
    ['redirect_uri is missing on both sides', { redirect_uri: undefined }, {}, 'page invalid_request'],
    ['response_type differs', { response_type: 'code token' }, {}, 'page invalid_request_object'],
    ['response_type is missing inside', { response_type: undefined }, {}, 'page invalid_request_object'],
    [
      'the challenge is outside',
      { code_challenge: undefined, code_challenge_method: undefined },
      pkce().request,
      'code',
    ],
    ['client_id differs', { client_id: ids.open }, {}, 'page invalid_request_object'],
    ['iss is another', { iss: ids.open }, {}, 'page invalid_request_object'],
    ['aud is another', { aud: 'https://other.example/' }, {}, 'page invalid_request_object'],
    ['aud is a list with the issuer', { aud: ['https://other.example/', 'ISSUER'] }, {}, 'code'],
    ['sub is the client', { sub: ids.signing }, {}, 'page invalid_request_object'],
    ['a request is inside', { request: 'x' }, {}, 'page invalid_request_object'],
    ['a request_uri is inside', { request_uri: 'https://a.example/' }, {}, 'page invalid_request_object'],
    ['exp has passed', { exp: 1 }, {}, 'page invalid_request_object'],
    ['nbf is ahead', { nbf: 99_999_999_999 }, {}, 'page invalid_request_object'],
    ['exp is a text', { exp: '99999999999' }, {}, 'page invalid_request_object'],
    ['state is a list', { state: ['a', 'b'] }, {}, 'page invalid_request_object'],
    ['a NUL is inside', { state: 'a\0b' }, {}, 'page invalid_request_object'],
    [
      'no times, no iss, no aud',
      { exp: undefined, nbf: undefined, iat: undefined, iss: undefined, aud: undefined },
      {},
      'code',
    ],
    ['a number', { max_age: 100_000 }, {}, 'code'],
    ['claims as they are', { claims: { id_token: { email: null } } }, {}, 'code'],
    [
      'a resource nobody knows',
      { resource: ['https://nowhere.example/', 'https://else.example/'] },
      {},
      'invalid_target',
    ],
    ['a resource that is no list of texts', { resource: [{}] }, {}, 'page invalid_request_object'],
    ['a nonce of 384 characters', { nonce: 'n'.repeat(384) }, {}, 'code'],
  ])('%s: %j', async (_name, change, outside, expected) => {
    const text = JSON.stringify(inside(ids.signing, change)).replace('"ISSUER"', JSON.stringify(issuer))
    const jwt = signJwt(keys.ES256, JSON.parse(text) as Record<string, unknown>)
    expect(told(await send(ids.signing, jwt, outside))).toBe(expected)
  })

  test('by POST as well', async () => {
    const request = signJwt(keys.ES256, inside(ids.signing))
    const body = new URLSearchParams({ client_id: ids.signing, request })
    const answer = await fetch(`${issuer}authorize`, { method: 'POST', body, redirect: 'manual' })
    expect(answer.status).toBe(303)
    expect(told(await ada.request(answer.headers.get('location') ?? ''))).toBe('code')
    const stranger = new URLSearchParams({ client_id: 'nobody', request })
    expect((await fetch(`${issuer}authorize`, { method: 'POST', body: stranger })).status).toBe(400)
  })

  test('who asks must stand outside, and is judged first', async () => {
    const request = signJwt(keys.ES256, inside(ids.signing))
    expect(told(await ask({ request }))).toBe('page invalid_request')
    expect(told(await ask({ request, client_id: 'nobody' }))).toBe('page invalid_request')
    expect(told(await ask({ request, client_id: ids.signing, request_uri: `${server.address}one` }))).toBe(
      'page invalid_request',
    )
  })
})

describe('RFC 9101 §10.5 a client whose requests are all signed', () => {
  const strict = (change: Readonly<Record<string, unknown>> = {}) =>
    send(ids.strict, signJwt(keys.PS256, inside(ids.strict, change)))

  test('a plain request and an unsigned one are refused', async () => {
    const plain = { client_id: ids.strict, response_type: 'code', redirect_uri: callback, scope: 'openid' }
    expect(told(await ask({ ...plain, ...pkce().request }))).toBe('invalid_request')
    expect(told(await send(ids.strict, unsignedJwt(inside(ids.strict)), { redirect_uri: callback }))).toBe(
      'invalid_request_object',
    )
  })

  test.each<[string, () => Readonly<Record<string, unknown>>, string]>([
    ['as it should be', () => ({}), 'code'],
    ['nbf eight seconds ahead', () => ({ nbf: seconds() + 8 }), 'code'],
    ['without exp', () => ({ exp: undefined }), 'page invalid_request_object'],
    ['without nbf', () => ({ nbf: undefined }), 'page invalid_request_object'],
    ['without aud', () => ({ aud: undefined }), 'page invalid_request_object'],
    ['without iss', () => ({ iss: undefined }), 'page invalid_request_object'],
    ['exp 70 minutes after nbf', () => ({ exp: seconds() + 4200 }), 'page invalid_request_object'],
    ['nbf 70 minutes ago', () => ({ nbf: seconds() - 4200 }), 'page invalid_request_object'],
    ['nbf a minute ahead', () => ({ nbf: seconds() + 61 }), 'page invalid_request_object'],
  ])('%s', async (_name, change, expected) => expect(told(await strict(change()))).toBe(expected))
})

describe('OpenID Connect Core §6.1 RFC 7519 §6.1 unsigned request objects', () => {
  test('where the client allows them: state and nonce come from inside', async () => {
    const { parameters } = outcomeOf(await send(ids.open, unsignedJwt(inside(ids.open))))
    expect(parameters).toMatchObject({ state: 'inside', iss: issuer })
    expect(parameters.code).toBeDefined()
  })

  test('nowhere else', async () => {
    const { parameters } = outcomeOf(
      await send(ids.signing, unsignedJwt(inside(ids.signing)), { redirect_uri: callback }),
    )
    expect(parameters.error).toBe('request_not_supported')
    const padded = `${unsignedJwt(inside(ids.open))}AAAA`
    expect(told(await send(ids.open, padded))).toBe('page invalid_request_object')
    expect(told(await send(ids.open, signJwt(keys.ES256, inside(ids.open))))).toBe('page invalid_request_object')
  })
})

describe('RFC 9101 §5.2 OpenID Connect Core §6.2 by reference', () => {
  const refer = (path: string, client_id = ids.signing) =>
    ask({ client_id, scope: 'openid', response_type: 'code', request_uri: `${server.address}${path}` })
  const jwt = () => signJwt(keys.RS256, inside(ids.signing))

  test.each(['application/oauth-authz-req+jwt', 'application/jwt', 'application/jose; charset=utf-8'])(
    'as %s',
    async (type) => {
      server.publish('one', jwt(), type)
      const { parameters } = outcomeOf(await refer('one'))
      expect([parameters.state, parameters.code === undefined]).toEqual(['inside', false])
    },
  )

  test('unsigned, where the client allows it', async () => {
    server.publish('unsigned', unsignedJwt(inside(ids.open)), 'application/jwt')
    expect(told(await refer('unsigned', ids.open))).toBe('code')
    expect(told(await refer('unsigned'))).toBe('page request_uri_not_supported')
  })

  test('a fragment is part of what is registered, and is not sent', async () => {
    server.publish('marked', jwt(), 'application/jwt')
    expect(told(await refer('marked#abc'))).toBe('code')
    expect(told(await refer('marked#other'))).toBe('page invalid_request_uri')
    expect(told(await refer('marked'))).toBe('page invalid_request_uri')
    server.publish('one', jwt(), 'application/jwt')
    expect(told(await refer('one#anything'))).toBe('code')
    expect(server.asked).toContain('/marked')
  })

  test('each request is fetched anew', async () => {
    for (const state of ['first', 'second']) {
      server.publish('one', signJwt(keys.RS256, inside(ids.signing, { state })), 'application/jwt')
      expect(outcomeOf(await refer('one')).parameters.state).toBe(state)
    }
  })

  test('what is not registered is not asked for', async () => {
    const before = server.asked.length
    for (const path of ['two', 'one?x=1', 'one/', 'ONE', '//one'])
      expect(told(await refer(path))).toBe('page invalid_request_uri')
    expect(told(await ask({ client_id: ids.es, request_uri: `${server.address}one` }))).toBe(
      'page request_uri_not_supported',
    )
    expect(server.asked.length).toBe(before)
  })

  test.each<[string, () => void]>([
    ['html', () => server.publish('html', jwt(), 'text/html')],
    ['gone', () => server.publish('gone', jwt(), 'application/jwt', 404)],
    ['moved', () => server.publish('moved', jwt(), 'application/jwt', 302)],
    ['long', () => server.publish('long', 'a'.repeat(70_000), 'application/jwt')],
  ])('%s is invalid_request_uri', async (path, publish) => {
    publish()
    expect(told(await refer(path))).toBe('page invalid_request_uri')
    const told_client = await ask({
      client_id: ids.signing,
      redirect_uri: callback,
      request_uri: `${server.address}${path}`,
    })
    expect(outcomeOf(told_client).parameters.error).toBe('invalid_request_uri')
  })

  test('a private address is refused even where it is registered', async () => {
    expect(told(await ask({ client_id: ids.open, request_uri: 'https://10.0.0.1/ro' }))).toBe(
      'page invalid_request_uri',
    )
  })
})

describe('OpenID Connect Discovery §3 request objects', () => {
  test('are announced', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as object
    expect(document).toMatchObject({
      ...{ request_parameter_supported: true, request_uri_parameter_supported: true },
      require_request_uri_registration: true,
      request_object_signing_alg_values_supported: ['none', ...algs, 'HS256', 'Ed25519'],
    })
  })
})
