/** The certification suite's modules about keys and request objects, by parties that register themselves as the suite's do. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import {
  type ClientServer,
  makeKey,
  type SigningKey,
  signJwt,
  startClientServer,
  unsignedJwt,
} from '../support/client_keys.ts'
import { requestToken } from '../support/code_flow.ts'
import { authorizeUrl, type Parameters, signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

const redirect_uri = 'https://suite.example.net/test/a/alias/callback'
const open = tenant.replace(
  'friendly_name: Example',
  'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
)
type Json = Readonly<Record<string, unknown>>

let latchkey: Latchkey
let issuer: string
let suite: ClientServer
let discovery: Json
beforeAll(async () => {
  suite = await startClientServer()
  latchkey = await startLatchkey({ tenant: open })
  issuer = latchkey.issuer
  discovery = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Json
})
afterAll(async () => {
  await latchkey.close()
  suite.close()
})

async function register(metadata: Json): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(String(discovery.registration_endpoint), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [redirect_uri], response_types: ['code'], ...metadata }),
  })
  expect(answer.status).toBe(201)
  return (await answer.json()) as Readonly<Record<string, string>>
}

const inside = (client_id: string, change: Json = {}) => ({
  ...{ iss: client_id, aud: issuer, client_id, response_type: 'code', redirect_uri, scope: 'openid' },
  ...{ state: 'stateInside', nonce: 'nonceInside', ...change },
})
/** What the suite leaves outside: the parameters that OAuth itself requires. */
const outside = (client_id: string, change: Parameters): Parameters => ({
  ...{ client_id, response_type: 'code', scope: 'openid', redirect_uri, audience: undefined },
  ...{ state: undefined, nonce: undefined, ...change },
})

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
let ahead = 0
function assertion(key: SigningKey, client_id: string, aud: unknown) {
  const iat = Math.floor(Date.now() / 1000) + ahead
  const claims = { iss: client_id, sub: client_id, aud, jti: randomUUID(), iat, exp: iat + 60 }
  return { client_assertion_type: type, client_assertion: signJwt(key, claims) }
}

async function codeFor(client_id: string, change: Parameters): Promise<Readonly<Record<string, string>>> {
  const { target, parameters } = outcomeOf(await signIn(new Agent(), issuer, outside(client_id, change)))
  expect([target, parameters.error]).toEqual([redirect_uri, undefined])
  return parameters
}

describe('OpenID Connect Core §6.1 request', () => {
  test('oidcc-unsigned-request-object: state and nonce from inside', async () => {
    const { client_id = '', client_secret } = await register({})
    const { state, code } = await codeFor(client_id, { request: unsignedJwt(inside(client_id)) })
    expect(state).toBe('stateInside')
    const exchange = { grant_type: 'authorization_code', code, redirect_uri }
    const basic = { authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}` }
    const { json } = await requestToken(issuer, exchange, basic)
    expect((await verified(issuer, json.id_token)).claims.nonce).toBe('nonceInside')
    expect(discovery.request_object_signing_alg_values_supported).toContain('none')
  })

  test('oidcc-ensure-request-object-with-redirect-uri: the one inside is honoured', async () => {
    const { client_id = '' } = await register({})
    const request = unsignedJwt(inside(client_id))
    const change = { request, redirect_uri: `${redirect_uri}_invalid` }
    expect(outcomeOf(await signIn(new Agent(), issuer, outside(client_id, change))).target).toBe(redirect_uri)
    const bad = unsignedJwt(inside(client_id, { redirect_uri: `${redirect_uri}_invalid` }))
    const page = await new Agent().visit(authorizeUrl(issuer, outside(client_id, { request: bad })))
    expect(errorPageOf(page).error).toBe('invalid_request')
  })
})

describe('OpenID Connect Core §6.2 request_uri', () => {
  test('oidcc-request-uri-unsigned, registered with a fragment', async () => {
    const path = `requesturi/${'x'.repeat(64)}`
    const request_uri = `${suite.address}${path}#${'aGFzaA'.repeat(7)}`
    const { client_id = '' } = await register({ request_uris: [request_uri] })
    suite.publish(path, unsignedJwt(inside(client_id)), 'application/jwt')
    expect((await codeFor(client_id, { request_uri })).state).toBe('stateInside')
  })

  test('oidcc-request-uri-signed-rs256', async () => {
    expect(discovery.request_object_signing_alg_values_supported).toContain('RS256')
    const key = makeKey('RS256')
    const request_uri = `${suite.address}requesturi/signed`
    const jwks = { keys: [key.jwk] }
    const { client_id = '' } = await register({
      request_uris: [request_uri],
      request_object_signing_alg: 'RS256',
      jwks,
    })
    suite.publish('requesturi/signed', signJwt(key, inside(client_id)), 'application/jwt')
    expect((await codeFor(client_id, { request_uri })).state).toBe('stateInside')
  })
})

describe('OpenID Connect Core §9 OpenID Connect Core §10.1.1 private_key_jwt', () => {
  const metadata = () => ({
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: `${suite.address}jwks.json`,
    grant_types: ['authorization_code', 'refresh_token'],
  })

  test('oidcc-registration-jwks-uri, oidcc-ensure-client-assertion-with-iss-aud', async () => {
    const key = makeKey('RS256')
    suite.publishKeys([key])
    const { client_id = '' } = await register(metadata())
    for (const aud of [discovery.token_endpoint, issuer]) {
      const { code } = await codeFor(client_id, { state: 's' })
      const exchange = { grant_type: 'authorization_code', code, redirect_uri }
      expect((await requestToken(issuer, { ...exchange, ...assertion(key, client_id, aud) })).status).toBe(200)
    }
  })

  test('oidcc-refresh-token-rp-key-rotation', async () => {
    const old = makeKey('RS256')
    suite.publishKeys([old])
    latchkey.advance(61)
    ahead += 61
    const { client_id = '' } = await register(metadata())
    const { code } = await codeFor(client_id, { scope: 'openid offline_access', prompt: 'consent', state: 's' })
    const exchange = { grant_type: 'authorization_code', code, redirect_uri }
    const first = await requestToken(issuer, { ...exchange, ...assertion(old, client_id, issuer) })
    expect(first.json.refresh_token).toBeDefined()
    const renewed = makeKey('RS256')
    suite.publishKeys([renewed])
    latchkey.advance(60)
    ahead += 60
    const refresh = { grant_type: 'refresh_token', refresh_token: first.json.refresh_token }
    expect((await requestToken(issuer, { ...refresh, ...assertion(renewed, client_id, issuer) })).status).toBe(200)
  })
})
