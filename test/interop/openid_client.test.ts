/** The unmodified `openid-client`: discovery, PKCE, signed assertions, request objects, pushed requests, refresh, userinfo. */
import { readFileSync } from 'node:fs'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, person, tenant } from '../support/tenant.ts'

const secret = 'a secret of the client: 32 characters or more'
const callback = 'https://web.example.com/callback'
const offline = 'https://offline.example.com/'
const ids = {
  spa: 'PublicClient',
  post: 'PostClient',
  basic: 'BasicClient',
  shared: 'SecretJwtClient',
  keyed: 'KeyedClient',
}

type Algorithm = 'ES256' | 'PS256' | 'RS256' | 'Ed25519'
const made: Record<Algorithm, EcKeyGenParams | RsaHashedKeyGenParams | { name: 'Ed25519' }> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
}

let latchkey: Latchkey
const keys = new Map<string, CryptoKeyPair>()

beforeAll(async () => {
  const jwks: object[] = []
  for (const [kid, algorithm] of Object.entries(made)) {
    const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
    keys.set(kid, pair)
    const { kty, n, e, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    jwks.push({ kty, n, e, crv, x, y, kid, use: 'sig' })
  }
  const common = (id: string) =>
    `{ name: ${id}, client_id: ${id}, callbacks: ['${callback}'], grant_types: [authorization_code, refresh_token, client_credentials]`
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(`
clients:
  - { name: ${ids.spa}, client_id: ${ids.spa}, app_type: spa, callbacks: ['${callback}'] }
  - ${common(ids.post)}, client_secret: '${secret}', token_endpoint_auth_method: client_secret_post }
  - ${common(ids.basic)}, client_secret: '${secret}', token_endpoint_auth_method: client_secret_basic }
  - ${common(ids.shared)}, client_secret: '${secret}', token_endpoint_auth_method: client_secret_jwt }
  - ${common(ids.keyed)}, token_endpoint_auth_method: private_key_jwt, jwks: ${JSON.stringify({ keys: jwks })} }
resourceServers:
  - { name: Offline, identifier: '${offline}', allow_offline_access: true, scopes: [{ value: 'read:offline' }] }
clientGrants:
  - { client_id: ${ids.keyed}, audience: '${apis.messages}', scope: ['read:messages'] }
`)
})
afterAll(() => latchkey.close())

function keyOf(kid: Algorithm): { key: CryptoKey; kid: string } {
  const pair = keys.get(kid)
  if (pair === undefined) throw new Error(`There is no key for ${kid}`)
  return { key: pair.privateKey, kid }
}

const discover = (id: string, how: client.ClientAuth) =>
  client.discovery(new URL(latchkey.issuer), id, undefined, how, { execute: [client.allowInsecureRequests] })

/** A person in a browser, from the address that the client made to the one that it is sent back to. */
async function browse(start: URL): Promise<URL> {
  const agent = new Agent()
  let page = await agent.visit(start.href)
  if (isPage(page, '/u/login'))
    page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
  if (isPage(page, '/u/consent')) page = await agent.submit(page, { action: 'accept' })
  if (page.location === undefined) throw new Error(`No way back: ${page.status} ${page.body.slice(0, 500)}`)
  return new URL(page.location)
}

/** Everything from login to a refreshed token, with every check that the client makes. */
async function wholeWay(
  config: client.Configuration,
  build: (parameters: Record<string, string>) => URL | Promise<URL>,
): Promise<void> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const start = await build({
    redirect_uri: callback,
    scope: 'openid profile email offline_access read:offline',
    audience: offline,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    max_age: '600',
  })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 600 }
  const tokens = await client.authorizationCodeGrant(config, await browse(start), checks)
  const { sub } = tokens.claims() ?? { sub: '' }
  expect((await client.fetchUserInfo(config, tokens.access_token, sub)).email).toBe(person.email)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  expect(refreshed.claims()?.sub).toBe(sub)
  expect((await client.fetchUserInfo(config, refreshed.access_token, sub)).sub).toBe(sub)
}

const plainly = (config: client.Configuration) => (parameters: Record<string, string>) =>
  client.buildAuthorizationUrl(config, parameters)

test('the package is the published one', () => {
  const { name } = JSON.parse(readFileSync('node_modules/openid-client/package.json', 'utf8')) as { name: string }
  expect(name).toBe('openid-client')
})

describe('OpenID Connect Discovery §4 openid-client finds everything', () => {
  test('from the issuer alone', async () => {
    const config = await discover(ids.spa, client.None())
    const server = config.serverMetadata()
    expect(server.issuer).toBe(latchkey.issuer)
    expect(server.supportsPKCE()).toBe(true)
    expect(server.pushed_authorization_request_endpoint).toBe(`${latchkey.issuer}oauth/par`)
    expect(server.authorization_response_iss_parameter_supported).toBe(true)
  })
})

describe('OpenID Connect Core §9 RFC 9864 §2.2 openid-client proves itself', () => {
  test.each<[string, () => client.ClientAuth]>([
    [ids.spa, () => client.None()],
    [ids.post, () => client.ClientSecretPost(secret)],
    [ids.basic, () => client.ClientSecretBasic(secret)],
    [ids.shared, () => client.ClientSecretJwt(secret)],
    [ids.keyed, () => client.PrivateKeyJwt(keyOf('ES256'))],
  ])('%s, with code, PKCE, refresh and userinfo', async (id, how) => {
    const config = await discover(id, how())
    await wholeWay(config, plainly(config))
  })

  test.each<Algorithm>(['RS256', 'PS256', 'ES256', 'Ed25519'])('private_key_jwt with %s', async (kid) => {
    const config = await discover(ids.keyed, client.PrivateKeyJwt(keyOf(kid)))
    const { access_token } = await client.clientCredentialsGrant(config, { audience: apis.messages })
    expect(access_token).toBeDefined()
  })

  test('a wrong key is told as the error it is', async () => {
    const pair = (await crypto.subtle.generateKey(made.ES256, true, ['sign', 'verify'])) as CryptoKeyPair
    const config = await discover(ids.keyed, client.PrivateKeyJwt({ key: pair.privateKey, kid: 'ES256' }))
    const asked = client.clientCredentialsGrant(config, { audience: apis.messages })
    await expect(asked).rejects.toMatchObject({ error: 'invalid_client', status: 401 })
  })
})

describe('RFC 9101 §5 RFC 9126 §2 openid-client signs and pushes its requests', () => {
  const keyed = () => discover(ids.keyed, client.PrivateKeyJwt(keyOf('ES256')))

  test.each<Algorithm>(['RS256', 'PS256', 'ES256'])('a request object with %s', async (kid) => {
    const config = await keyed()
    await wholeWay(config, (parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, keyOf(kid)))
  })

  test('a pushed request', async () => {
    const config = await keyed()
    await wholeWay(config, (parameters) => client.buildAuthorizationUrlWithPAR(config, parameters))
  })

  test('a pushed request object', async () => {
    const config = await keyed()
    await wholeWay(config, async (parameters) => {
      const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, keyOf('ES256'))
      const request = signed.searchParams.get('request') ?? ''
      return client.buildAuthorizationUrlWithPAR(config, { request })
    })
  })

  test('a pushed request of a public client, bound to a DPoP key', async () => {
    const config = await discover(ids.spa, client.None())
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
    const request = { redirect_uri: callback, scope: 'openid', code_challenge, code_challenge_method: 'S256' }
    const back = await browse(await client.buildAuthorizationUrlWithPAR(config, request, { DPoP }))
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier }, undefined, { DPoP })
    expect(tokens.token_type).toBe('dpop')
  })
})
