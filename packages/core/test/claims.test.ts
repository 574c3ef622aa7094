/** Which claims a scope lets out, in ID tokens and at /userinfo; nothing empty, nothing of nobody's asking. */
import { OAuthError, scopeClaims } from '@latchkey/oauth'
import type { SignedIn, User } from '@latchkey/store'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Context, type PersonalAuthorization, userClaims, userinfo } from '../src/index.ts'
import { issueAccessToken } from '../src/tokens/access_token.ts'
import { issueIdToken } from '../src/tokens/id_token.ts'
import { signJwt } from '../src/tokens/sign.ts'
import { api, client, codeOf, openWorld, otherIssuer, start, type World } from './support/world.ts'

const everything = {
  ...{ name: 'Ada Lovelace', given_name: 'Ada', family_name: 'Lovelace', middle_name: 'K', nickname: 'ada' },
  ...{ preferred_username: 'ada', profile: 'https://a/', picture: 'https://p/', website: 'https://w/', gender: 'f' },
  ...{ birthdate: '1815-12-10', zoneinfo: 'Europe/London', locale: 'en', address: { country: 'UK' } },
  ...{ phone_number: '+441', phone_number_verified: true, user_metadata: { a: 1 }, app_metadata: { plan: 'x' } },
}
const user: User = {
  ...{ user_id: 'auth0|1', connection: 'db', email: 'ada@example.com', email_verified: true, blocked: false },
  ...{ profile: everything, logins_count: 3, created_at: 1, updated_at: 1_700_000_000_999, password_hash: 'h' },
}

describe('OpenID Connect Core §5.4 claims by scope', () => {
  test('each scope lets out its claims and no others', () => {
    for (const [scope, names] of Object.entries(scopeClaims))
      expect([scope, Object.keys(userClaims(user, [scope])).toSorted()]).toEqual([scope, [...names].toSorted()])
    expect(userClaims(user, ['openid'])).toEqual({})
    expect(userClaims(user, [])).toEqual({})
    const all = Object.values(scopeClaims).flat().toSorted()
    expect(Object.keys(userClaims(user, ['openid', ...Object.keys(scopeClaims)])).toSorted()).toEqual(all)
  })

  test('§5.1 updated_at is a number of seconds, address an object, verified a boolean', () => {
    expect(userClaims(user, ['profile', 'address', 'email', 'phone'])).toMatchObject({
      ...{ updated_at: 1_700_000_000, address: { country: 'UK' }, email_verified: true, phone_number_verified: true },
    })
  })

  test('a bare person has the names that Auth0 makes up, and nothing empty', () => {
    const bare: User = { ...user, profile: {} }
    expect(userClaims(bare, ['profile', 'email', 'phone', 'address'])).toEqual({
      ...{ name: 'ada@example.com', nickname: 'ada', updated_at: 1_700_000_000 },
      ...{ email: 'ada@example.com', email_verified: true },
    })
    const { email: _, ...nameless } = { ...bare, username: 'ada.l', email_verified: false }
    expect(userClaims(nameless, ['profile', 'email'])).toEqual({
      ...{ name: 'ada.l', nickname: 'ada.l', preferred_username: 'ada.l', updated_at: 1_700_000_000 },
    })
  })

  test('whatever the profile holds: no null, no empty text, no metadata, no hash, no name of an object', () => {
    const scopes = fc.subarray([
      ...Object.keys(scopeClaims),
      'openid',
      'toString',
      'constructor',
      '__proto__',
      'read:a',
    ])
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(everything)), fc.constantFrom('', 'x')),
        scopes,
        (profile, scope) => {
          const claims = userClaims({ ...user, profile }, scope)
          const allowed = Object.entries(scopeClaims).flatMap(([name, list]) => (scope.includes(name) ? list : []))
          for (const [name, value] of Object.entries(claims)) {
            expect(allowed.some((one) => one === name)).toBe(true)
            expect([null, undefined, '']).not.toContain(value)
          }
        },
      ),
    )
  })
})

describe('OpenID Connect Core §5.3 userinfo', () => {
  let world: World
  let signed_in: SignedIn
  beforeAll(async () => {
    world = await openWorld()
    signed_in = await world.signIn({ profile: everything })
  })
  afterAll(() => world.close())

  const authorization = (change: Partial<PersonalAuthorization> = {}): PersonalAuthorization => ({
    ...{ client: client(), ...signed_in, audience: { grant_audience: 'u' }, tell_auth_time: false },
    response_type: ['id_token', 'token'],
    ...{ scope: ['openid', 'email'], ...change },
  })
  const token = async (change: Partial<PersonalAuthorization> = {}, ctx: Context = world.ctx) =>
    (await issueAccessToken(ctx, authorization(change))).access_token
  const forApi = { audience: { api: api(), grant_audience: 'a' } }
  const told = (text: string, ctx: Context = world.ctx) => codeOf(() => userinfo(ctx, text))

  test.each([
    ['an opaque token', {}],
    ['a token for an API', forApi],
  ])('%s: sub, and what its scopes let out', async (_, change) => {
    const { user_id, email } = signed_in.user
    expect(await userinfo(world.ctx, await token(change))).toEqual({ sub: user_id, email, email_verified: true })
    const { sub, ...rest } = await userinfo(world.ctx, await token({ ...change, scope: ['openid'] }))
    expect([sub, rest]).toEqual([user_id, {}])
  })

  test('tells what is so now', async () => {
    const person = await world.signIn()
    const access_token = await token({ ...person, scope: ['openid', 'profile'] })
    await world.store.users.update(person.user.user_id, { profile: { name: 'Countess' } }, start + 5000)
    expect(await userinfo(world.ctx, access_token)).toMatchObject({ name: 'Countess', updated_at: start / 1000 + 5 })
  })

  test('by any of our names', async () => {
    const other = await world.reread({ issuer: otherIssuer })
    expect(await told(await token(forApi, other))).toBe('none')
    expect(await told(await token(forApi), other)).toBe('none')
    const elsewhere = await world.reread({ issuer: 'https://x.example/', issuers: ['https://x.example/'] })
    expect(await told(await token(forApi), elsewhere)).toBe('invalid_token')
  })

  test('RFC 6750 §3.1 a token without openid is not enough', async () => {
    expect(await told(await token({ scope: ['email'] }))).toBe('insufficient_scope')
    // A token for the API alone was never meant for this endpoint.
    expect(await told(await token({ ...forApi, scope: ['read:a'] }))).toBe('invalid_token')
  })

  test('RFC 6750 §3.1 what is no access token for this endpoint', async () => {
    const { access_token } = await issueAccessToken(world.ctx, authorization())
    const hs = { api: api({ signing_alg: 'HS256', signing_secret: 'x'.repeat(32) }), grant_audience: 'a' }
    const wrong = [
      ...[await issueIdToken(world.ctx, authorization({ nonce: 'n' }), {}), await token({ audience: hs })],
      ...['', 'x', `${access_token}x`, access_token.slice(0, -1), 'lk_at_', access_token.toUpperCase()],
      await signJwt(world.ctx.keys, 'ES256', 'JWT', {
        iss: 'https://login.example.com/',
        sub: 'x',
        exp: start,
        aud: ['a'],
      }),
    ]
    for (const text of wrong)
      expect([text.slice(0, 30), await told(text)]).toEqual([text.slice(0, 30), 'invalid_token'])
  })

  test('blocked, gone, over, revoked: the token is worth nothing', async () => {
    const [blocked, gone, revoked] = [await world.signIn(), await world.signIn(), await world.signIn()]
    const tokens = async (person: SignedIn) => [await token(person), await token({ ...person, ...forApi })]
    const ofBlocked = await tokens(blocked)
    await world.store.users.update(blocked.user.user_id, { blocked: true }, start)
    const ofGone = await tokens(gone)
    await world.db.deleteFrom('users').where('user_id', '=', gone.user.user_id).execute()
    for (const text of [...ofBlocked, ...ofGone]) expect(await told(text)).toBe('invalid_token')
    const [opaque = ''] = await tokens(revoked)
    await world.store.accessTokens.revokeAllOf(revoked.user.user_id)
    expect(await told(opaque)).toBe('invalid_token')
    const late = await openWorld()
    const person = await late.signIn()
    const texts = [await token(person, late.ctx), await token({ ...person, ...forApi }, late.ctx)]
    late.advance(7199)
    for (const text of texts) expect(await told(text, late.ctx)).toBe('none')
    late.advance(1)
    for (const text of texts) expect(await told(text, late.ctx)).toBe('invalid_token')
    await late.close()
  })

  test('the error carries its code alone', async () => {
    const error = await userinfo(world.ctx, 'x').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OAuthError)
    expect(error).toMatchObject({ status: 401, description: 'The access token is invalid or has expired' })
  })
})
