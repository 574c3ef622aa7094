import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { type Parameters, signIn, silently } from '../support/flow.ts'
import { tampered, unsigned } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let foreign: Latchkey
const ada = new Agent()
let tokens: Readonly<Record<string, string>>
beforeAll(async () => {
  ;[latchkey, foreign] = await Promise.all([startLatchkey({ tenant }), startLatchkey({ tenant })])
  await latchkey.apply(moreTenant)
  tokens = outcomeOf(await signIn(ada, latchkey.issuer)).parameters
})
afterAll(() => Promise.all([latchkey.close(), foreign.close()]))

const tokenFor = async (change: Parameters) =>
  outcomeOf(await silently(ada, latchkey.issuer, change)).parameters.access_token ?? ''

async function ask(init: RequestInit = {}, query = '') {
  const answer = await fetch(`${latchkey.issuer}userinfo${query}`, init)
  const body = (await answer.json()) as Record<string, unknown>
  return { status: answer.status, headers: answer.headers, body, challenge: answer.headers.get('www-authenticate') }
}

const bearer = (token: string | undefined, init: RequestInit = {}) =>
  ask({ ...init, headers: { authorization: `Bearer ${token}` } })
const form = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  ask({ method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })

describe('OpenID Connect Core §5.3, §5.3.1 UserInfo', () => {
  test('the claims of the granted scopes, for the sub of the ID token', async () => {
    const { status, headers, body } = await bearer(tokens.access_token)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(body).toEqual({
      ...{ sub: claimsOf(tokens.id_token).sub, email: person.email, email_verified: true },
      ...{
        name: 'Ada Lovelace',
        given_name: 'Ada',
        family_name: 'Lovelace',
        nickname: 'ada',
        updated_at: expect.any(Number),
      },
    })
  })

  test('§5.3.1 by GET and by POST, in the header and in the body', async () => {
    const { body } = await bearer(tokens.access_token)
    expect((await bearer(tokens.access_token, { method: 'POST' })).body).toEqual(body)
    expect((await form(`access_token=${tokens.access_token}`)).body).toEqual(body)
    for (const scheme of ['bearer', 'BEARER', 'bEaReR'])
      expect((await ask({ headers: { authorization: `${scheme} ${tokens.access_token}` } })).body).toEqual(body)
  })

  for (const [scope, claims] of [
    ['openid', ['sub']],
    ['openid email', ['email', 'email_verified', 'sub']],
    ['openid profile', ['family_name', 'given_name', 'name', 'nickname', 'sub', 'updated_at']],
    ['openid address phone', ['sub']],
  ] as const)
    for (const audience of [apis.messages, undefined])
      test(`${scope}, ${audience === undefined ? 'opaque' : 'JWT'}: ${claims.join(', ')}`, async () =>
        expect(Object.keys((await bearer(await tokenFor({ scope, audience }))).body).toSorted()).toEqual(claims))

  test('what changes is told at once', async () => {
    await latchkey.apply(`users: [{ email: ${person.email}, connection: ${connection}, given_name: Augusta }]`)
    expect((await bearer(tokens.access_token)).body.given_name).toBe('Augusta')
    await latchkey.apply(`users: [{ email: ${person.email}, connection: ${connection}, given_name: Ada }]`)
  })
})

describe('RFC 6750 §3.1 a token that does not count', () => {
  test('none at all: 401 and a challenge without an error', async () => {
    const { status, challenge, headers } = await ask()
    expect([status, challenge]).toEqual([401, `Bearer realm="${latchkey.issuer}"`])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  for (const [name, token] of [
    ['made up', () => 'nonsense'],
    ['made up, shaped like an opaque one', () => `lk_at_${'A'.repeat(43)}`],
    ['an ID token', () => tokens.id_token],
    ['changed in its signature', () => tampered(tokens.access_token ?? '')],
    ['changed in its claims', () => tampered(tokens.access_token ?? '', 1)],
    ['without a signature', () => unsigned(tokens.access_token ?? '')],
    ['of another issuer', async () => outcomeOf(await signIn(new Agent(), foreign.issuer)).parameters.access_token],
    [
      'an opaque one of another issuer',
      async () => outcomeOf(await signIn(new Agent(), foreign.issuer, { audience: undefined })).parameters.access_token,
    ],
    ['of an HS256 API', () => tokenFor({ audience: apis.secret, scope: 'openid read:secret' })],
    ['for an API alone', () => tokenFor({ response_type: 'token', scope: 'read:messages' })],
    ['an opaque one with a letter more', async () => `${await tokenFor({ audience: undefined, scope: 'openid' })}A`],
    ['an opaque one in capitals', async () => (await tokenFor({ audience: undefined, scope: 'openid' })).toUpperCase()],
  ] as const)
    test(`${name}: 401 invalid_token`, async () => {
      for (const { status, body, challenge } of [
        await bearer(await token()),
        await form(`access_token=${await token()}`),
      ]) {
        expect(status).toBe(401)
        expect(body).toEqual({
          error: 'invalid_token',
          error_description: 'The access token is invalid or has expired',
        })
        expect(challenge).toBe(
          `Bearer realm="${latchkey.issuer}", error="invalid_token", error_description="The access token is invalid or has expired"`,
        )
      }
    })

  test('an opaque token without openid: 403 insufficient_scope, and which scope is wanted', async () => {
    const token = await tokenFor({ audience: undefined, response_type: 'token', scope: 'email' })
    const { status, body, challenge } = await bearer(token)
    expect([status, body.error]).toEqual([403, 'insufficient_scope'])
    expect(challenge).toMatch(/error="insufficient_scope".*scope="openid"/)
  })

  for (const [name, headers] of [
    ['Basic credentials', { authorization: 'Basic YTpi' }],
    ['the token without a scheme', () => ({ authorization: tokens.access_token ?? '' })],
    ['a scheme without a token', { authorization: 'Bearer' }],
    ['two tokens in one header', () => ({ authorization: `Bearer ${tokens.access_token} ${tokens.access_token}` })],
    ['a comma behind it', () => ({ authorization: `Bearer ${tokens.access_token},x` })],
  ] as const)
    test(`${name}: 401`, async () => {
      const { status, body } = await ask({ headers: typeof headers === 'function' ? headers() : headers })
      expect(status).toBe(401)
      expect(body).not.toHaveProperty('sub')
    })

  test('RFC 6750 §2.3 the query is no place for a token; nor is a JSON body, nor the body of a GET', async () => {
    expect((await ask({}, `?access_token=${tokens.access_token}`)).status).toBe(401)
    const json = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ access_token: tokens.access_token }),
    }
    expect((await ask(json)).status).toBe(401)
  })

  test('of a person who is blocked meanwhile: 401', async () => {
    const { access_token } = outcomeOf(await signIn(new Agent(), latchkey.issuer, {}, second)).parameters
    expect((await bearer(access_token)).status).toBe(200)
    await latchkey.apply(`users: [{ email: ${second.email}, connection: ${connection}, blocked: true }]`)
    expect((await bearer(access_token)).status).toBe(401)
  })

  test('expired: 401, the JWT and the opaque one', async () => {
    const opaque = await tokenFor({ audience: undefined, scope: 'openid' })
    const jwt = await tokenFor({})
    latchkey.advance(7190)
    for (const token of [opaque, jwt]) expect((await bearer(token)).status).toBe(200)
    latchkey.advance(11)
    for (const token of [opaque, jwt]) expect((await bearer(token)).status).toBe(401)
  })
})

describe('CORS at /userinfo', () => {
  for (const origin of ['https://app.example.com', 'https://stranger.example', 'null'])
    test(`open to ${origin}: only a bearer token, which no browser adds by itself, opens it`, async () => {
      const before = await fetch(`${latchkey.issuer}userinfo`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
      })
      expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
      expect(before.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS')
      expect(before.headers.get('access-control-allow-headers')).toMatch(/authorization/)
      expect(before.headers.get('access-control-allow-credentials')).toBeNull()
      for (const answer of [await bearer(await tokenFor({})), await bearer('x')]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe('*')
        expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
      }
    })

  test('a session cookie alone opens nothing', async () =>
    expect((await ada.request(`${latchkey.issuer}userinfo`)).status).toBe(401))
})
