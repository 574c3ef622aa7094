import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { type Parameters, signIn, silently } from '../support/flow.ts'
import { atHash, verified, verifiedBySecret } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreClients, moreTenant } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

/** What a signed-in person gets without a page. */
async function tokens(change: Parameters = {}): Promise<Readonly<Record<string, string>>> {
  const outcome = outcomeOf(await silently(ada, latchkey.issuer, change))
  expect(outcome.via).toBe('fragment')
  return outcome.parameters
}

const idTokenOf = async (change: Parameters = {}) => verified(latchkey.issuer, (await tokens(change)).id_token)
const accessTokenOf = async (change: Parameters = {}) => verified(latchkey.issuer, (await tokens(change)).access_token)

describe('RFC 6749 §4.2.2 access token response', () => {
  test('response_type token: a JWT for the API alone, nothing else, and nothing in the query', async () => {
    const answer = await silently(ada, latchkey.issuer, {
      response_type: 'token',
      scope: 'read:messages',
      nonce: undefined,
    })
    expect(answer.status).toBe(302)
    const { via, target, parameters } = outcomeOf(answer)
    expect([via, target]).toEqual(['fragment', callback])
    expect(Object.keys(parameters).toSorted()).toEqual(['access_token', 'expires_in', 'iss', 'state', 'token_type'])
    expect(parameters).toMatchObject({ token_type: 'Bearer', expires_in: '7200', state: 'af0ifjsldkj' })
    const { header, claims } = await verified(latchkey.issuer, parameters.access_token)
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: header.kid })
    expect(Object.keys(claims).toSorted()).toEqual(['aud', 'azp', 'exp', 'iat', 'iss', 'jti', 'scope', 'sub'])
    expect(claims).toMatchObject({
      ...{ iss: latchkey.issuer, aud: apis.messages, azp: clients.spa, scope: 'read:messages' },
      sub: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/),
    })
    expect(Number(claims.exp) - Number(claims.iat)).toBe(7200)
  })

  test('a nonce without an ID token is ignored, and openid then brings none', async () => {
    const { access_token, id_token } = await tokens({ response_type: 'token', scope: 'openid read:messages' })
    expect(id_token).toBeUndefined()
    expect((await verified(latchkey.issuer, access_token)).claims).not.toHaveProperty('nonce')
  })

  test('offline_access is dropped and said to be: there is no refresh token, and the answer comes all the same', async () => {
    const parameters = await tokens({ scope: 'openid offline_access read:messages' })
    expect(parameters).not.toHaveProperty('refresh_token')
    expect(parameters.access_token).toBeDefined()
    expect(parameters.scope).toBe('openid read:messages')
  })

  test('tokens live as long as the API says, and expires_in is exp - iat', async () => {
    await signIn(ada, latchkey.issuer, { audience: apis.contacts, scope: 'openid read:contacts' })
    const { access_token, expires_in } = await tokens({ audience: apis.contacts, scope: 'openid read:contacts' })
    const { exp, iat } = (await verified(latchkey.issuer, access_token)).claims
    expect([Number(expires_in), Number(exp) - Number(iat)]).toEqual([300, 300])
  })
})

describe('RFC 6749 §3.3 granted scopes', () => {
  for (const [name, scope, told] of [
    [
      'a scope the API does not define is dropped and the rest is told',
      'openid read:messages read:mail',
      'openid read:messages',
    ],
    ['a scope of another API is dropped', 'openid read:contacts write:messages', 'openid write:messages'],
    ['scopes are told apart by case', 'openid READ:messages', 'openid'],
    ['everything granted: nothing is told', 'read:messages openid', undefined],
    ['a repeated scope is one', 'openid read:messages openid', undefined],
  ] as const)
    test(name, async () => expect((await tokens({ scope })).scope).toBe(told))

  test('the token carries what was granted, whatever else was asked for', async () =>
    expect((await accessTokenOf({ scope: 'openid read:messages admin' })).claims.scope).toBe('openid read:messages'))

  test('without a scope the token has none', async () =>
    expect((await accessTokenOf({ response_type: 'token', scope: undefined })).claims).not.toHaveProperty('scope'))
})

describe('audiences of an access token', () => {
  test('openid with an RS256 API: the token is for the API and for /userinfo', async () =>
    expect((await accessTokenOf()).claims.aud).toEqual([apis.messages, `${latchkey.issuer}userinfo`]))

  test('an HS256 API has its own secret and is the only audience; /userinfo refuses its token', async () => {
    const { access_token } = await tokens({ audience: apis.secret, scope: 'openid read:secret' })
    const { header, claims } = verifiedBySecret('0123456789abcdef0123456789abcdef', access_token)
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(claims.aud).toBe(apis.secret)
    expect((await userinfo(access_token)).status).toBe(401)
  })

  test('RFC 9068 §2.2 an API with the RFC 9068 profile and ES256', async () => {
    const { header, claims } = await accessTokenOf({ audience: apis.modern, scope: 'openid read:modern' })
    expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    expect(claims).toMatchObject({ client_id: clients.spa, jti: expect.stringMatching(/^[\w-]{20,}$/) })
    expect(claims).not.toHaveProperty('azp')
  })

  for (const [name, audience] of [
    ['no audience', () => undefined],
    ['the audience /userinfo', () => `${latchkey.issuer}userinfo`],
  ] as const)
    test(`${name}: an opaque token for 7200 s that /userinfo takes`, async () => {
      const { access_token = '', expires_in } = await tokens({ audience: audience(), scope: 'openid email' })
      expect(expires_in).toBe('7200')
      expect(access_token).not.toContain('.')
      expect(access_token.length).toBeGreaterThanOrEqual(43)
      expect(await (await userinfo(access_token)).json()).toMatchObject({ email: person.email })
    })

  test('with a default audience of the tenant the token is a JWT for that API', async () => {
    await latchkey.apply(`tenant: { default_audience: '${apis.messages}' }`)
    const { claims } = await accessTokenOf({ audience: undefined, scope: 'openid read:messages' })
    expect(claims).toMatchObject({ aud: [apis.messages, `${latchkey.issuer}userinfo`], scope: 'openid read:messages' })
    await latchkey.apply(`tenant: { default_audience: '' }`)
  })
})

describe('OpenID Connect Core §2, §3.2.2.10 ID token', () => {
  test('both tokens: nonce, at_hash, session id, times as numbers, aud is the client', async () => {
    const { access_token, id_token } = await tokens()
    const { header, claims } = await verified(latchkey.issuer, id_token)
    expect(header).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
    expect(claims).toMatchObject({
      ...{ iss: latchkey.issuer, aud: clients.spa, nonce: 'n-0S6_WzA2Mj', sid: expect.any(String) },
      at_hash: atHash(access_token),
    })
    expect(claims).not.toHaveProperty('auth_time')
    expect(Number(claims.exp) - Number(claims.iat)).toBe(36_000)
    expect(Math.abs(Number(claims.iat) - Date.now() / 1000)).toBeLessThan(5)
  })

  test('response_type id_token: no access token, no at_hash, no expires_in, no token_type', async () => {
    const { id_token, ...rest } = await tokens({ response_type: 'id_token', audience: undefined, scope: 'openid' })
    expect(rest).toEqual({ state: 'af0ifjsldkj', iss: latchkey.issuer, session_state: expect.any(String) })
    expect((await verified(latchkey.issuer, id_token)).claims).not.toHaveProperty('at_hash')
  })

  test('a client may have its ID tokens signed with ES256; at_hash follows', async () => {
    const { access_token, id_token } = await tokens({
      ...{ client_id: moreClients.elliptic, redirect_uri: 'https://elliptic.example.com/callback' },
    })
    const { header, claims } = await verified(latchkey.issuer, id_token)
    expect([header.alg, claims.at_hash]).toEqual(['ES256', atHash(access_token)])
  })
})

const protocolClaims = ['at_hash', 'aud', 'exp', 'iat', 'iss', 'nonce', 'sid', 'sub']
const profile = ['family_name', 'given_name', 'name', 'nickname', 'updated_at']

describe('OpenID Connect Core §5.4 claims by scope', () => {
  for (const [scope, claims] of [
    ['openid', []],
    ['openid email', ['email', 'email_verified']],
    ['openid profile', profile],
    ['email profile openid', ['email', 'email_verified', ...profile]],
    ['openid address phone', []],
  ] as const)
    test(`${scope}: ${claims.join(', ') || 'no claim about the person'}`, async () => {
      const found = Object.keys((await idTokenOf({ scope })).claims).toSorted()
      expect(found).toEqual([...protocolClaims, ...claims].toSorted())
    })

  test('updated_at is a number of seconds, and no claim is null or empty', async () => {
    const { claims } = await idTokenOf()
    expect(claims.updated_at).toBeTypeOf('number')
    expect(Math.abs(Number(claims.updated_at) - Date.now() / 1000)).toBeLessThan(600)
    expect(Object.values(claims).filter((value) => value === null || value === '')).toEqual([])
  })

  test('a client with standard claims gets them from /userinfo when it has an access token, else in the ID token', async () => {
    const client = { client_id: moreClients.standard, redirect_uri: 'https://standard.example.com/callback' }
    const { access_token, id_token } = await tokens(client)
    expect((await verified(latchkey.issuer, id_token)).claims).not.toHaveProperty('email')
    expect(await (await userinfo(access_token)).json()).toMatchObject({ email: person.email })
    expect((await idTokenOf({ ...client, response_type: 'id_token' })).claims).toMatchObject({ email: person.email })
  })
})

function userinfo(access_token: string | undefined): Promise<Response> {
  return fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
}
