/** Introspection over HTTP: who may look into which tokens, and that a revoked one is not active. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  post,
  refresh,
  refreshable,
  requestToken,
  secret,
} from '../support/code_flow.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, clients, tenant } from '../support/tenant.ts'

/** Stands for an API by name alone, without a client grant. */
const offlineServer = 'OfflineApiClient0000000000000004'

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await latchkey.apply(`
clients:
  - name: Offline server
    client_id: ${offlineServer}
    client_secret: '${secret}'
    app_type: non_interactive
    resource_server_identifier: ${offlineApi}
`)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

type Told = Readonly<Record<string, unknown>>

const machine = { client_id: codeClients.machine, client_secret: secret }
const server = { client_id: offlineServer, client_secret: secret }
const web = { client_id: codeClients.web, client_secret: secret }

const ask = (token: string | undefined, caller: Parameters = machine, headers: HeadersInit = {}) =>
  post(`${issuer}oauth/introspect`, { token, ...caller }, headers)
const look = async (token: string | undefined, caller: Parameters = machine) =>
  (await ask(token, caller)).json as unknown as Told
const revoke = (token: string | undefined, caller: Parameters) => post(`${issuer}oauth/revoke`, { token, ...caller })
const userinfo = async (token: string | undefined) =>
  (await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })).status
const tokensFor = async (change: Parameters) =>
  (await requestToken(issuer, { ...(await codeOf(ada, issuer, change)) })).json

describe('RFC 7662 §2.2 introspection response', () => {
  test('a JWT for an API, to a client with a client grant there', async () => {
    const { access_token } = await tokensFor({})
    const { status, headers, json } = await ask(access_token)
    expect(status).toBe(200)
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
      'application/json; charset=utf-8',
      'no-store',
    ])
    const { iss, sub, aud, iat, exp, jti } = claimsOf(access_token)
    expect(json).toEqual({
      ...{ active: true, client_id: clients.spa, scope: 'openid profile email read:messages', token_type: 'Bearer' },
      ...{ iss, sub, aud, iat, exp, jti },
    })
  })

  test('an opaque token, to its own client alone', async () => {
    const { json } = await requestToken(issuer, {
      ...(await codeOf(ada, issuer, {
        client_id: codeClients.web,
        redirect_uri: 'https://web.example.com/callback',
        audience: undefined,
      })),
      client_secret: secret,
    })
    const told = await look(json.access_token, web)
    expect(told).toMatchObject({ active: true, client_id: codeClients.web, iss: issuer, aud: `${issuer}userinfo` })
    expect(Number(told.exp) - Number(told.iat)).toBe(86_400)
    expect(await look(json.access_token)).toEqual({ active: false })
  })

  test('a refresh token, to its own client alone, and only the newest', async () => {
    const asked = { client_id: codeClients.web, redirect_uri: 'https://web.example.com/callback' }
    const { refresh_token } = await requestToken(issuer, {
      ...(await codeOf(ada, issuer, { ...asked, audience: offlineApi, scope: 'openid offline_access read:offline' })),
      client_secret: secret,
    }).then(({ json }) => json)
    const told = await look(refresh_token, web)
    expect(told).toMatchObject({
      ...{ active: true, client_id: codeClients.web, aud: offlineApi, scope: 'openid offline_access read:offline' },
    })
    expect(told).not.toHaveProperty('token_type')
    expect(Number(told.exp) - Number(told.iat)).toBe(1_296_000)
    for (const other of [machine, server]) expect(await look(refresh_token, other)).toEqual({ active: false })
  })

  test('the API itself, named by resource_server_identifier', async () => {
    const { access_token } = await refreshable(ada, issuer)
    expect(await look(access_token, server)).toMatchObject({ active: true, client_id: clients.spa })
    // Neither a client without anything to do with that API, nor one that stands for another.
    expect(await look(access_token, machine)).toEqual({ active: false })
    expect(await look(access_token, web)).toEqual({ active: false })
  })

  test('a client acting for itself has no person behind its token', async () => {
    const { json } = await requestToken(issuer, {
      ...machine,
      grant_type: 'client_credentials',
      audience: apis.messages,
    })
    expect(await look(json.access_token)).toMatchObject({ active: true, sub: `${codeClients.machine}@clients` })
  })

  test.each<[string, () => Promise<string>]>([
    ['an ID token', async () => (await tokensFor({})).id_token ?? ''],
    ['an invention', async () => 'lk_at_invented'],
    ['a changed JWT', async () => `${(await tokensFor({})).access_token}x`],
    ['a text that is no token', async () => 'ä b'],
  ])('%s is not active', async (_, token) => {
    expect(await look(await token())).toEqual({ active: false })
  })

  test('a token that is over is not active', async () => {
    const { access_token } = await refreshable(ada, issuer)
    latchkey.advance(3601)
    expect(await look(access_token, server)).toEqual({ active: false })
  })

  test('nor one of a person who was blocked', async () => {
    const { access_token } = await tokensFor({})
    expect(await look(access_token)).toMatchObject({ active: true })
    const { sub } = claimsOf(access_token)
    await latchkey.tenant.store.users.update(String(sub), { blocked: true }, Date.now())
    expect(await look(access_token)).toEqual({ active: false })
    await latchkey.tenant.store.users.update(String(sub), { blocked: false }, Date.now())
  })
})

describe('RFC 7662 §2.1 RFC 7662 §4 who may ask', () => {
  test.each<[string, Parameters, number, string]>([
    ['a public client', { client_id: clients.spa }, 401, 'invalid_client'],
    ['nobody', {}, 401, 'invalid_client'],
    ['a wrong secret', { ...machine, client_secret: 'x' }, 401, 'invalid_client'],
    ['without a token', { ...machine, token: undefined }, 400, 'invalid_request'],
  ])('%s', async (_, caller, status, error) => {
    const { access_token } = await tokensFor({})
    const answer = await ask(access_token, caller)
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  test('by POST, with the token out of the address', async () => {
    expect((await fetch(`${issuer}oauth/introspect`)).status).toBe(405)
    expect((await post(`${issuer}oauth/introspect?token=x`, machine)).status).toBe(400)
  })
})

describe('RFC 9701 §4 RFC 9701 §5 introspection as a JWT', () => {
  test('by its media type, signed, for the caller alone', async () => {
    const { access_token } = await tokensFor({})
    const read = async (token: string | undefined) => {
      const response = await fetch(`${issuer}oauth/introspect`, {
        method: 'POST',
        headers: { accept: 'application/json;q=0.5, application/token-introspection+jwt' },
        body: new URLSearchParams({ ...machine, token: token ?? '' }),
      })
      expect(response.headers.get('content-type')).toBe('application/token-introspection+jwt')
      return verified(issuer, await response.text())
    }
    const { header, claims } = await read(access_token)
    expect(header).toMatchObject({ typ: 'token-introspection+jwt', alg: 'RS256' })
    expect(Object.keys(claims).toSorted()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
    expect(claims).toMatchObject({ iss: issuer, aud: codeClients.machine })
    expect(claims.token_introspection).toMatchObject({ active: true, client_id: clients.spa })
    expect((await read('x')).claims.token_introspection).toEqual({ active: false })
  })

  test('is no token itself', async () => {
    const response = await fetch(`${issuer}oauth/introspect`, {
      method: 'POST',
      headers: { accept: 'application/token-introspection+jwt' },
      body: new URLSearchParams({ ...machine, token: 'x' }),
    })
    const jwt = await response.text()
    expect(await look(jwt)).toEqual({ active: false })
    expect(await userinfo(jwt)).toBe(401)
  })
})

describe('RFC 7009 §2.1 revocation', () => {
  const spa = { client_id: clients.spa }

  test('an access token as JWT counts no more, at once and everywhere; its refresh token does', async () => {
    const { access_token, refresh_token } = await refreshable(ada, issuer)
    const other = (await refresh(issuer, refresh_token)).json
    const answer = await fetch(`${issuer}oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ ...spa, token: access_token ?? '' }),
    })
    expect([answer.status, await answer.text(), answer.headers.get('cache-control')]).toEqual([200, '', 'no-store'])
    expect(await look(access_token, server)).toEqual({ active: false })
    expect(await userinfo(access_token)).toBe(401)
    expect(await look(other.access_token, server)).toMatchObject({ active: true })
    expect((await refresh(issuer, other.refresh_token)).status).toBe(200)
  })

  test('an opaque access token', async () => {
    const { access_token } = await tokensFor({ audience: undefined })
    expect(await userinfo(access_token)).toBe(200)
    expect((await revoke(access_token, spa)).status).toBe(200)
    expect(await userinfo(access_token)).toBe(401)
  })

  test('a refresh token takes everything with it that came of the same code', async () => {
    const { access_token, refresh_token } = await refreshable(ada, issuer)
    const next = (await refresh(issuer, refresh_token)).json
    // Even the one before the newest ends its family: whoever has it is the client, or a thief.
    expect((await revoke(refresh_token, spa)).status).toBe(200)
    for (const token of [access_token, next.access_token]) {
      expect(await look(token, server)).toEqual({ active: false })
      expect(await userinfo(token)).toBe(401)
    }
    expect((await refresh(issuer, next.refresh_token)).json.error).toBe('invalid_grant')
  })

  test.each<[string, Parameters, number, string | undefined]>([
    ['an unknown token', { ...spa, token: 'unknown' }, 200, undefined],
    ['an ID token is none', { ...spa, token: 'a.b.c' }, 200, undefined],
    ['an unknown token_type_hint', { ...spa, token: 'x', token_type_hint: 'magic' }, 200, undefined],
    ['no token', spa, 400, 'invalid_request'],
    ['no client', { token: 'x' }, 401, 'invalid_client'],
    ['a wrong secret', { ...machine, client_secret: 'x', token: 'x' }, 401, 'invalid_client'],
  ])('RFC 7009 §2.2 %s', async (_, fields, status, error) => {
    const answer = await post(`${issuer}oauth/revoke`, fields)
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  test('RFC 7009 §2.2 another client’s token stays, and the answer is the same', async () => {
    const { access_token, refresh_token } = await refreshable(ada, issuer)
    const opaque = (await tokensFor({ audience: undefined })).access_token
    for (const token of [access_token, refresh_token, opaque]) expect((await revoke(token, machine)).status).toBe(200)
    expect(await look(access_token, server)).toMatchObject({ active: true })
    expect(await userinfo(opaque)).toBe(200)
    expect((await refresh(issuer, refresh_token)).status).toBe(200)
  })

  test('twice is as good as once, and fifty at once as well', async () => {
    const { access_token } = await refreshable(ada, issuer)
    const answers = await Promise.all(Array.from({ length: 50 }, () => revoke(access_token, spa)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await look(access_token, server)).toEqual({ active: false })
  })

  test('contract B0.10 from the client’s own pages', async () => {
    const { access_token } = await refreshable(ada, issuer)
    const from = (origin: string) => post(`${issuer}oauth/revoke`, { ...spa, token: access_token }, { origin })
    expect((await from('https://evil.example')).status).toBe(403)
    expect(await look(access_token, server)).toMatchObject({ active: true })
    const own = await from('https://app.example.com')
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example.com'])
  })

  test('contract B8 with revoke_refresh_token_grant every refresh token for the API goes, and the remembered yes', async () => {
    const contactsToo = { audience: offlineApi, scope: 'openid offline_access read:offline' }
    await latchkey.apply('tenant: { flags: { revoke_refresh_token_grant: true } }')
    const one = await refreshable(ada, issuer)
    const two = await refreshable(ada, issuer, contactsToo)
    const elsewhere = await refreshable(ada, issuer, { audience: undefined, scope: 'openid offline_access' })
    await revoke(one.refresh_token, spa)
    expect((await refresh(issuer, two.refresh_token)).json.error).toBe('invalid_grant')
    expect((await refresh(issuer, elsewhere.refresh_token)).status).toBe(200)
    await latchkey.apply('tenant: { flags: { revoke_refresh_token_grant: false } }')
  })
})

describe('RFC 8414 §2 RFC 9701 §7 discovery', () => {
  test('tells both endpoints', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Told
    expect(document).toMatchObject({
      introspection_endpoint: `${issuer}oauth/introspect`,
      revocation_endpoint: `${issuer}oauth/revoke`,
      introspection_signing_alg_values_supported: expect.arrayContaining(['RS256']),
    })
    expect(document.introspection_endpoint_auth_methods_supported).not.toContain('none')
    expect(document.revocation_endpoint_auth_methods_supported).toContain('none')
  })
})
