/** Clients that prove themselves by a signed assertion, over HTTP: with their own keys, published or registered, and with their secret. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
import { requestToken } from '../support/code_flow.ts'
import { tampered } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, tenant } from '../support/tenant.ts'

const ids = { published: 'PublishedKeys', listed: 'ListedKeys', lenient: 'LenientClient', shared: 'SecretJwt' }
const secret = 'a secret that signs: 32 characters or more'
const algs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const listed = Object.fromEntries(algs.map((alg) => [alg, makeKey(alg, alg)])) as Record<Alg, SigningKey>
const nobody = makeKey('ES256', 'ES256')

let latchkey: Latchkey
let issuer: string
let server: ClientServer
let current = makeKey('ES256')

function clientsTenant(): string {
  const common = (id: string) =>
    `{ name: ${id}, client_id: ${id}, app_type: non_interactive, token_endpoint_auth_method: private_key_jwt`
  const keys = JSON.stringify({ keys: Object.values(listed).map((key) => key.jwk) })
  const grants = Object.values(ids).map(
    (id) => `  - { client_id: ${id}, audience: '${apis.messages}', scope: ['read:messages'] }`,
  )
  return `
clients:
  - ${common(ids.published)}, token_endpoint_auth_signing_alg: ES256, jwks_uri: '${server.address}jwks.json' }
  - ${common(ids.listed)}, jwks: ${keys} }
  - ${common(ids.lenient)}, token_endpoint_auth_aud: any, jwks: ${keys} }
  - name: Secret JWT
    client_id: ${ids.shared}
    app_type: non_interactive
    token_endpoint_auth_method: client_secret_jwt
    client_secret: '${secret}'
clientGrants:
${grants.join('\n')}
`
}

beforeAll(async () => {
  server = await startClientServer()
  server.publishKeys([current])
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(clientsTenant())
})
afterAll(async () => {
  await latchkey.close()
  server.close()
})

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ask = { grant_type: 'client_credentials', audience: apis.messages, client_assertion_type: type }
/** Seconds by which the server's clock was moved. */
let ahead = 0
const nowSeconds = () => Math.floor(Date.now() / 1000) + ahead
function forward(seconds: number): void {
  ahead += seconds
  latchkey.advance(seconds)
}

function claims(client_id: string, change: Readonly<Record<string, unknown>> = {}) {
  const iat = nowSeconds()
  return { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat, exp: iat + 60, ...change }
}

async function outcome(client_assertion: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, json } = await requestToken(issuer, { ...ask, client_assertion, ...more })
  return status === 200 && json.access_token !== undefined ? 'ok' : `${status} ${json.error}`
}

describe('OpenID Connect Core §9 RFC 7521 §4.2 private_key_jwt', () => {
  test.each(algs)('with a registered key for %s', async (alg) => {
    expect(await outcome(signJwt(listed[alg], claims(ids.listed)))).toBe('ok')
    expect(await outcome(signJwt(listed[alg], claims(ids.listed), { kid: undefined }))).toBe('ok')
    expect(await outcome(signJwt(listed[alg], claims(ids.listed), { typ: 'client-authentication+jwt' }))).toBe('ok')
    expect(await outcome(tampered(signJwt(listed[alg], claims(ids.listed))))).toBe('401 invalid_client')
    expect(await outcome(tampered(signJwt(listed[alg], claims(ids.listed)), 1))).toBe('401 invalid_client')
  })

  test('client_id may be named beside it, and only the same one', async () => {
    const assertion = () => signJwt(current, claims(ids.published))
    expect(await outcome(assertion(), { client_id: ids.published })).toBe('ok')
    expect(await outcome(assertion(), { client_id: ids.listed })).toBe('400 invalid_request')
  })

  test.each([
    ['of another key', () => signJwt(nobody, claims(ids.listed))],
    ['of another client', () => signJwt(listed.ES256, claims(ids.published))],
    ['with a kid that is not published', () => signJwt({ ...listed.ES256, kid: 'other' }, claims(ids.listed))],
    ['with the public key as a secret', () => signWithSecret(JSON.stringify(listed.ES256.jwk), claims(ids.listed))],
    ['unsigned', () => `${unsignedJwt(claims(ids.listed))}AA`],
    ['with a key inside', () => signJwt(nobody, claims(ids.listed), { kid: undefined, jwk: nobody.jwk })],
    ['with a critical header', () => signJwt(listed.ES256, claims(ids.listed), { crit: ['x'], x: 1 })],
    ['for an unknown client', () => signJwt(listed.ES256, claims('nobody'))],
    ['that is no JWT', () => 'nonsense'],
  ])('an assertion %s is invalid_client', async (_name, make) => {
    expect(await outcome(make())).toBe('401 invalid_client')
  })

  test('the registered algorithm is the only one', async () => {
    const rsa = makeKey('RS256')
    server.publishKeys([current, rsa])
    forward(400)
    expect(await outcome(signJwt(rsa, claims(ids.published)))).toBe('401 invalid_client')
    expect(await outcome(signJwt(current, claims(ids.published)))).toBe('ok')
  })

  test('the other methods are refused for such a client, and two at once for all', async () => {
    const basic = { authorization: `Basic ${Buffer.from(`${ids.listed}:x`).toString('base64')}` }
    const plain = { grant_type: 'client_credentials', audience: apis.messages }
    expect((await requestToken(issuer, plain, basic)).json.error).toBe('invalid_client')
    expect((await requestToken(issuer, { ...plain, client_id: ids.listed })).json.error).toBe('invalid_client')
    const client_assertion = signJwt(listed.ES256, claims(ids.listed))
    expect(await outcome(client_assertion, { client_id: ids.listed, client_secret: 'x' })).toBe('400 invalid_request')
    const { json } = await requestToken(issuer, { ...ask, client_assertion }, basic)
    expect(json.error).toBe('invalid_request')
    const half = { ...plain, client_assertion: signJwt(listed.ES256, claims(ids.listed)) }
    expect((await requestToken(issuer, half)).json.error).toBe('invalid_request')
    expect((await requestToken(issuer, { ...half, client_assertion_type: 'urn:x' })).json.error).toBe('invalid_request')
    expect((await requestToken(issuer, ask)).json.error).toBe('invalid_request')
  })
})

describe('RFC 7523 §3 RFC 7519 §4.1.4 RFC 7519 §4.1.5 RFC 7515 §4.1.9 what an assertion must say', () => {
  test.each([
    ['exp is missing', () => ({ exp: undefined })],
    ['exp has passed', () => ({ exp: nowSeconds() - 31 })],
    ['exp has passed five minutes ago', () => ({ exp: nowSeconds() - 300 })],
    ['exp is more than an hour ahead', () => ({ exp: nowSeconds() + 3700 })],
    ['exp is a text', () => ({ exp: String(nowSeconds() + 60) })],
    ['nbf is a minute ahead', () => ({ nbf: nowSeconds() + 61 })],
    ['iat is a minute ahead', () => ({ iat: nowSeconds() + 61 })],
    ['iss is missing', () => ({ iss: undefined })],
    ['iss is another', () => ({ iss: 'someone' })],
    ['sub is missing', () => ({ sub: undefined })],
    ['sub is another client', () => ({ sub: ids.lenient })],
    ['jti is missing', () => ({ jti: undefined })],
    ['jti is empty', () => ({ jti: '' })],
    ['aud is missing', () => ({ aud: undefined })],
  ])('%s: invalid_client', async (_name, change) => {
    expect(await outcome(signJwt(listed.ES256, claims(ids.listed, change()), {}))).toBe('401 invalid_client')
  })

  test('nbf eight seconds ahead is a clock that differs', async () => {
    const change = { nbf: nowSeconds() + 8 }
    expect(await outcome(signJwt(listed.ES256, claims(ids.listed, change)))).toBe('ok')
  })

  test('a JWT that was made for something else is none', async () => {
    for (const typ of ['dpop+jwt', 'oauth-authz-req+jwt', 'at+jwt'])
      expect(await outcome(signJwt(listed.ES256, claims(ids.listed), { typ }))).toBe('401 invalid_client')
  })

  test('a jti counts once, for a hundred at once and after its time', async () => {
    const assertion = signJwt(listed.ES256, claims(ids.listed))
    const all = await Promise.all(Array.from({ length: 100 }, () => outcome(assertion)))
    expect(all.filter((one) => one === 'ok')).toHaveLength(1)
    expect(new Set(all)).toEqual(new Set(['ok', '401 invalid_client']))
    forward(80)
    expect(await outcome(assertion)).toBe('401 invalid_client')
    forward(80)
    expect(await outcome(assertion)).toBe('401 invalid_client')
  })

  test('the jti of one client is not that of another', async () => {
    const jti = randomUUID()
    expect(await outcome(signJwt(listed.ES256, claims(ids.listed, { jti })))).toBe('ok')
    expect(await outcome(signJwt(listed.ES256, claims(ids.lenient, { jti })))).toBe('ok')
  })

  test('a refused assertion does not use its jti up', async () => {
    const made = claims(ids.listed)
    expect(await outcome(tampered(signJwt(listed.ES256, made)))).toBe('401 invalid_client')
    expect(await outcome(signJwt(listed.ES256, { ...made, aud: 'x' }))).toBe('401 invalid_client')
    expect(await outcome(signJwt(listed.ES256, made))).toBe('ok')
  })
})

describe('RFC 10070 §4 the audience of an assertion', () => {
  const audiences = (): readonly (readonly [unknown, string, string])[] => [
    [issuer, 'ok', 'ok'],
    [`${issuer}oauth/token`, '401 invalid_client', 'ok'],
    [issuer.slice(0, -1), '401 invalid_client', 'ok'],
    [[issuer], '401 invalid_client', 'ok'],
    [[issuer, `${issuer}oauth/token`], '401 invalid_client', 'ok'],
    [[issuer, 'https://other.example/'], '401 invalid_client', 'ok'],
    ['https://other.example/', '401 invalid_client', '401 invalid_client'],
    [['https://other.example/'], '401 invalid_client', '401 invalid_client'],
    [[], '401 invalid_client', '401 invalid_client'],
    [`${issuer}oauth/par`, '401 invalid_client', '401 invalid_client'],
    [`${issuer}x`, '401 invalid_client', '401 invalid_client'],
    [issuer.toUpperCase(), '401 invalid_client', '401 invalid_client'],
  ]
  test('is the issuer alone, as a string; the switch for old clients takes the endpoint and lists as well', async () => {
    for (const [aud, strict, lenient] of audiences()) {
      const said = [
        await outcome(signJwt(listed.ES256, claims(ids.listed, { aud }))),
        await outcome(signJwt(listed.ES256, claims(ids.lenient, { aud }))),
      ]
      expect(said, JSON.stringify(aud)).toEqual([strict, lenient])
    }
  })
})

describe('OpenID Connect Core §10.1.1 rotation of a client’s keys', () => {
  const signed = (key: SigningKey) => outcome(signJwt(key, claims(ids.published)))
  const asked = () => server.asked.filter((path) => path === '/jwks.json').length

  test('a new key is fetched when it is first used, and the old one ends', async () => {
    forward(4000)
    expect(await signed(current)).toBe('ok')
    const before = asked()
    expect(await signed(current)).toBe('ok')
    expect(asked()).toBe(before)
    const old = current
    current = makeKey('ES256')
    server.publishKeys([current])
    forward(11)
    expect(await signed(current)).toBe('ok')
    expect(asked()).toBe(before + 1)
    expect(await signed(old)).toBe('401 invalid_client')
  })

  test('keys that do not exist do not make the server ask without end', async () => {
    forward(11)
    const before = asked()
    for (let n = 0; n < 20; n++) expect(await signed(makeKey('ES256'))).toBe('401 invalid_client')
    expect(asked() - before).toBeLessThanOrEqual(1)
    expect(await signed(current)).toBe('ok')
  })

  test('while the address does not answer, the keys that are known count', async () => {
    server.publish('jwks.json', 'down', 'text/plain', 503)
    forward(400)
    expect(await signed(current)).toBe('ok')
    forward(4000)
    expect(await signed(current)).toBe('401 invalid_client')
    server.publishKeys([current])
    forward(11)
    expect(await signed(current)).toBe('ok')
  })
})

describe('OpenID Connect Core §9 client_secret_jwt', () => {
  test('with the secret', async () => {
    expect(await outcome(signWithSecret(secret, claims(ids.shared)))).toBe('ok')
    expect(await outcome(signWithSecret(`${secret}!`, claims(ids.shared)))).toBe('401 invalid_client')
    expect(await outcome(signJwt(listed.ES256, claims(ids.shared)))).toBe('401 invalid_client')
    const post = { grant_type: 'client_credentials', client_id: ids.shared, client_secret: secret }
    expect((await requestToken(issuer, post)).json.error).toBe('invalid_client')
  })

  test('a jti counts once', async () => {
    const assertion = signWithSecret(secret, claims(ids.shared))
    expect([await outcome(assertion), await outcome(assertion)]).toEqual(['ok', '401 invalid_client'])
  })
})

describe('OpenID Connect Discovery §3 client authentication', () => {
  test('the methods and algorithms are listed', async () => {
    const told = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Record<string, string[]>
    expect(told.token_endpoint_auth_methods_supported).toEqual(
      expect.arrayContaining([
        'private_key_jwt',
        'client_secret_jwt',
        'client_secret_basic',
        'client_secret_post',
        'none',
      ]),
    )
    expect(told.token_endpoint_auth_signing_alg_values_supported).toEqual([...algs, 'HS256', 'Ed25519'])
  })
})
