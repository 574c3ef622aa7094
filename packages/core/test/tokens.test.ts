/** What is in the tokens: every claim, every lifetime, each algorithm as an independent library reads it. */
import { createHash, createSecretKey } from 'node:crypto'
import type { ResourceServer, SignedIn } from '@latchkey/store'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { acrValues, type Context, type PersonalAuthorization } from '../src/index.ts'
import { issueAccessToken } from '../src/tokens/access_token.ts'
import { issueIdToken } from '../src/tokens/id_token.ts'
import { api, client, decode, issuer, openWorld, otherIssuer, start, type World } from './support/world.ts'

const algs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const iat = start / 1000
const secret = 'a secret of an API, 32 characters'

let world: World
let ctx: Context
let signed_in: SignedIn
beforeAll(async () => {
  world = await openWorld({
    apis: algs.map((signing_alg) => api({ id: signing_alg, identifier: `urn:${signing_alg}`, signing_alg })),
  })
  ctx = world.ctx
  signed_in = await world.signIn()
}, 60_000)
afterAll(() => world.close())

function authorization(change: Partial<PersonalAuthorization> = {}): PersonalAuthorization {
  return {
    ...{ client: client(), ...signed_in, audience: { grant_audience: 'u' }, scope: ['openid'], tell_auth_time: false },
    response_type: ['id_token', 'token'],
    ...change,
  }
}
const at = (change: Partial<ResourceServer>, rest: Partial<PersonalAuthorization> = {}) =>
  authorization({ audience: { api: api(change), grant_audience: 'a' }, ...rest })

/** Checked by jose against the published keys, at the time of the test. */
async function verified(jwt: string, alg: string, audience: string, from: Context = ctx): Promise<JWTPayload> {
  const keys = createLocalJWKSet(JSON.parse(from.keys.jwks.toString()))
  const options = { algorithms: [alg], issuer: from.issuer, audience, currentDate: new Date(start) }
  return (await jwtVerify(jwt, keys, options)).payload
}

describe('RFC 6749 §4.2.2 contract C1 access tokens for an API', () => {
  test.each(algs)('signed with %s', async (signing_alg) => {
    const { access_token, ...rest } = await issueAccessToken(ctx, at({ signing_alg }, { scope: ['read:a'] }))
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 7200 })
    expect(await verified(access_token, signing_alg, 'https://api.example.com/')).toEqual({
      ...{ iss: issuer, sub: signed_in.user.user_id, aud: 'https://api.example.com/', azp: 'spa' },
      ...{ jti: expect.stringMatching(/^[\w-]{22}$/), iat, exp: iat + 7200, scope: 'read:a' },
    })
    const { kid } = ctx.keys.current(signing_alg)
    expect(decode(access_token).header).toEqual({ alg: signing_alg, typ: 'JWT', kid })
  })

  test('with openid the token serves /userinfo too; the name asked for is the issuer', async () => {
    const { access_token } = await issueAccessToken(ctx, at({}, { scope: ['openid', 'read:a'] }))
    expect(decode(access_token).claims).toMatchObject({
      aud: ['https://api.example.com/', `${issuer}userinfo`],
      scope: 'openid read:a',
    })
    const there = { ...ctx, issuer: otherIssuer }
    const other = await issueAccessToken(there, at({}, { scope: ['openid'] }))
    expect(decode(other.access_token).claims).toMatchObject({
      iss: otherIssuer,
      aud: ['https://api.example.com/', `${otherIssuer}userinfo`],
    })
  })

  test('no scope granted: no scope claim', async () => {
    const { access_token } = await issueAccessToken(ctx, at({}, { scope: [] }))
    expect(Object.keys(decode(access_token).claims)).not.toContain('scope')
  })

  test.each([
    [7200, 86_400, 7200],
    [86_400, 7200, 7200],
    [1, 1, 1],
    [2_592_000, 2_592_000, 2_592_000],
  ])(
    'for the web %i, at most %i: lives %i seconds, and says so',
    async (token_lifetime_for_web, token_lifetime, lives) => {
      const { access_token, expires_in } = await issueAccessToken(ctx, at({ token_lifetime_for_web, token_lifetime }))
      const { claims } = decode(access_token)
      expect([expires_in, Number(claims.exp) - Number(claims.iat)]).toEqual([lives, lives])
    },
  )

  test('HS256: the secret of the API, one audience even with openid, no kid, and no key of ours', async () => {
    const hs = { signing_alg: 'HS256', signing_secret: secret }
    const { access_token } = await issueAccessToken(ctx, at(hs, { scope: ['openid', 'read:a'] }))
    const key = createSecretKey(Buffer.from(secret))
    const { payload, protectedHeader } = await jwtVerify(access_token, key, { currentDate: new Date(start) })
    expect(payload).toMatchObject({ aud: 'https://api.example.com/', scope: 'openid read:a', iss: issuer })
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
    await expect(verified(access_token, 'HS256', 'https://api.example.com/')).rejects.toThrow()
    const other = await issueAccessToken(ctx, at({ ...hs, signing_secret: `${secret}!` }))
    await expect(jwtVerify(other.access_token, key)).rejects.toThrow()
  })

  test('HS256 without a secret fails, and does not sign with nothing', async () => {
    await expect(issueAccessToken(ctx, at({ signing_alg: 'HS256' }))).rejects.toThrow(/has no signing_secret/)
  })
})

describe('RFC 9068 §2.2 the dialect of RFC 9068', () => {
  test.each(['rfc9068_profile', 'rfc9068_profile_authz'])('%s', async (token_dialect) => {
    const { access_token } = await issueAccessToken(ctx, at({ token_dialect }, { scope: ['read:a'] }))
    const { header, claims } = decode(access_token)
    expect(header).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
    expect(claims).toEqual({
      ...{ iss: issuer, sub: signed_in.user.user_id, aud: 'https://api.example.com/', client_id: 'spa' },
      ...{ iat, exp: iat + 7200, scope: 'read:a', jti: expect.stringMatching(/^[\w-]{22}$/) },
      ...{ auth_time: iat, acr: acrValues[0], amr: ['pwd'] },
    })
    const again = await issueAccessToken(ctx, at({ token_dialect }, { scope: ['read:a'] }))
    expect(decode(again.access_token).claims.jti).not.toBe(claims.jti)
  })

  test('the other dialect has none of it', async () => {
    const { access_token } = await issueAccessToken(ctx, at({ token_dialect: 'access_token_authz' }))
    const { header, claims } = decode(access_token)
    expect(header.typ).toBe('JWT')
    for (const name of ['client_id', 'acr', 'amr', 'auth_time', 'userinfo_claims'])
      expect(claims).not.toHaveProperty(name)
  })

  test('RFC 9470 §6.1 where the request asked for a class, the other dialect says it too', async () => {
    const { access_token } = await issueAccessToken(ctx, at({}, { tell_acr: true }))
    expect(decode(access_token).claims).toMatchObject({ auth_time: iat, acr: acrValues[0], amr: ['pwd'] })
  })
})

describe('contract C1 opaque access tokens', () => {
  test('without an API: 256 random bits that only the store can tell apart, for 7200 seconds', async () => {
    const one = await issueAccessToken(ctx, authorization({ scope: ['openid', 'email'] }))
    const two = await issueAccessToken(ctx, authorization())
    expect(one).toMatchObject({ token_type: 'Bearer', expires_in: 7200 })
    expect(one.access_token).toMatch(/^lk_at_[\w-]{43}$/)
    expect(one.access_token).not.toBe(two.access_token)
    const stored = await ctx.store.accessTokens.find(one.access_token, start)
    expect(stored).toEqual({
      ...{ client_id: 'spa', user_id: signed_in.user.user_id, session_id: signed_in.session.session_id },
      ...{ audience: [`${issuer}userinfo`], scope: 'openid email', issued_at: start, ends_at: start + 7_200_000 },
    })
  })
})

describe('OpenID Connect Core §2 ID tokens', () => {
  test('hold these claims and no others', async () => {
    const idToken = await issueIdToken(ctx, authorization(), {})
    expect(await verified(idToken, 'ES256', 'spa')).toEqual({
      ...{ iss: issuer, sub: signed_in.user.user_id, aud: 'spa', iat, exp: iat + 36_000 },
      sid: signed_in.session.session_id,
    })
    expect(decode(idToken).header).toEqual({ alg: 'ES256', typ: 'JWT', kid: ctx.keys.current('ES256').kid })
  })

  test('nonce as it was sent, auth_time where it was asked for, the lifetime of the client', async () => {
    const nonce = '"\\ é🔑\n'
    const jwt_configuration = { lifetime_in_seconds: 60, alg: 'ES256' }
    const told = authorization({ nonce, tell_auth_time: true, client: client({ jwt_configuration }) })
    expect(decode(await issueIdToken(ctx, told, {})).claims).toMatchObject({
      ...{ nonce, auth_time: signed_in.session.auth_time, exp: iat + 60 },
    })
  })

  test('profile claims: always where the client says so, else only where no access token could fetch them', async () => {
    const scope = ['openid', 'profile', 'email']
    const names = async (id_token_profile_claims: 'always' | 'standard', ...response_type: readonly string[]) => {
      const settings = client({ id_token_profile_claims })
      const jwt = await issueIdToken(ctx, authorization({ scope, client: settings, response_type }), {})
      return Object.keys(decode(jwt).claims).filter((name) => ['name', 'email'].includes(name))
    }
    for (const response_type of [['id_token'], ['id_token', 'token'], ['code'], ['code', 'id_token'], []])
      expect(await names('always', ...response_type)).toHaveLength(2)
    expect(await names('standard', 'id_token')).toHaveLength(2)
    for (const response_type of [['id_token', 'token'], ['code'], ['code', 'id_token'], []])
      expect(await names('standard', ...response_type)).toEqual([])
  })

  test('a person cannot have a claim of the protocol in the profile', async () => {
    const profile = JSON.parse('{"sub":"x","iss":"x","aud":"x","exp":1,"nonce":"x","name":"N"}')
    const user = { ...signed_in.user, profile }
    const { claims } = decode(await issueIdToken(ctx, authorization({ user, scope: ['openid', 'profile'] }), {}))
    expect(claims).toMatchObject({ sub: user.user_id, iss: issuer, aud: 'spa', exp: iat + 36_000, name: 'N' })
    expect(Object.keys(claims)).not.toContain('nonce')
  })

  test('a client that asks for HS256 without a secret to share gets RS256', async () => {
    const hs = client({ jwt_configuration: { lifetime_in_seconds: 60, alg: 'HS256' } })
    expect(decode(await issueIdToken(ctx, authorization({ client: hs }), {})).header.alg).toBe('RS256')
  })
})

describe('OpenID Connect Core §3.2.2.10 OpenID Connect Core §3.1.3.6 at_hash', () => {
  /** The left half of the hash that the name of the algorithm ends with; Ed25519 hashes with SHA-512. */
  const expected = (alg: string, text: string) => {
    const digest = createHash(alg === 'EdDSA' ? 'sha512' : `sha${alg.slice(-3)}`)
      .update(text)
      .digest()
    return digest.subarray(0, digest.length / 2).toString('base64url')
  }
  test.each(algs)('%s', async (alg) => {
    const settings = client({ jwt_configuration: { lifetime_in_seconds: 60, alg } })
    const { access_token } = await issueAccessToken(ctx, authorization())
    const idToken = await issueIdToken(ctx, authorization({ client: settings }), { access_token })
    const { at_hash } = await verified(idToken, alg, 'spa')
    expect(at_hash).toBe(expected(alg, access_token))
    expect(Buffer.from(String(at_hash), 'base64url')).toHaveLength(alg === 'EdDSA' ? 32 : 16)
  })

  test('the example of the specification', async () => {
    // OpenID Connect Core appendix A.3: RS256 over this access token.
    const access_token = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y'
    const settings = client({ jwt_configuration: { lifetime_in_seconds: 60, alg: 'RS256' } })
    const idToken = await issueIdToken(ctx, authorization({ client: settings }), { access_token })
    expect(decode(idToken).claims.at_hash).toBe('77QmUPtjPfzWtF2AnpK9RQ')
  })

  test('without an access token beside it there is none', async () => {
    expect(Object.keys(decode(await issueIdToken(ctx, authorization(), {})).claims)).not.toContain('at_hash')
  })
})
