/** What the rules of a tenant said, on its way through a decision and into the tokens: it counts for one session alone. */
import type { SignedIn } from '@latchkey/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuthorizationRequest, type Context, decide, issue, type RulesOutcome, userinfo } from '../src/index.ts'
import { issueAccessToken } from '../src/tokens/access_token.ts'
import { api, callback, client, decode, openWorld, type World } from './support/world.ts'

let world: World
let signed_in: SignedIn
let ctx: Context
beforeAll(async () => {
  world = await openWorld()
  signed_in = await world.signIn()
  ctx = { ...world.ctx, rules: async () => ({ kind: 'passed', output: {} }) }
})
afterAll(() => world.close())

const request: AuthorizationRequest = {
  ...{ client_id: 'spa', redirect_uri: callback, response_mode: 'fragment', response_type: 'token id_token' },
  ...{ scope: ['openid', 'read:a'], prompt: [], audience: 'https://api.example.com/', nonce: 'n' },
}
const custom = { id_token: { 'https://x.example/colour': 'red' }, access_token: { 'https://x.example/plan': 'gold' } }
const outcome = (change: Partial<RulesOutcome> = {}): RulesOutcome => ({
  ...{ session_id: signed_in.session.session_id, claims: custom, ...change },
})
const next = async (rules: RulesOutcome | undefined, from = ctx) => {
  const { step, scope } = await decide(from, request, { signed_in, ...(rules === undefined ? {} : { rules }) })
  return [step.kind, scope.join(' ')]
}

describe('the outcome of rules', () => {
  test('is asked for where the tenant has rules, and counts for the session it is about', async () => {
    expect(await next(undefined)).toEqual(['rules', 'openid read:a'])
    expect(await next(outcome())).toEqual(['issue', 'openid read:a'])
    expect(await next(outcome({ session_id: 'another' }))).toEqual(['rules', 'openid read:a'])
    expect(await next(undefined, world.ctx)).toEqual(['issue', 'openid read:a'])
  })

  test('decides what is granted', async () => {
    expect(await next(outcome({ scope: ['openid'] }))).toEqual(['issue', 'openid'])
    expect(await next(outcome({ scope: [] }))).toEqual(['issue', ''])
    expect(await next(outcome({ scope: ['openid'], session_id: 'another' }))).toEqual(['rules', 'openid read:a'])
    expect(await next(outcome({ redirect: 'https://x.example/' }))).toEqual(['redirect', 'openid read:a'])
  })

  test('OpenID Connect Core §5.5 single claims of a scope that a rule left out are not delivered, and not asked about', async () => {
    const claims = { id_token: ['name', 'acr'], userinfo: ['email'] }
    const decide_with = (rules: RulesOutcome) => decide(ctx, { ...request, claims }, { signed_in, rules })
    expect(await decide_with(outcome())).toMatchObject({
      requested_claims: claims,
      asked_scope: expect.arrayContaining(['profile', 'email']),
    })
    const narrowed = await decide_with(outcome({ scope: ['openid', 'email'] }))
    expect(narrowed.requested_claims).toEqual({ id_token: ['acr'], userinfo: ['email'] })
    expect(narrowed.asked_scope).toEqual(['openid', 'email'])
  })

  test('its claims go into the tokens, beside those of the protocol and never over them', async () => {
    const over = { iss: 'x', sub: 'x', aud: 'x', exp: 1, iat: 1, azp: 'x', scope: 'x', sid: 'x', at_hash: 'x' }
    const claims = { id_token: { ...over, ...custom.id_token }, access_token: { ...over, ...custom.access_token } }
    const decision = await decide(ctx, request, { signed_in, rules: outcome({ claims }) })
    const response = await issue(ctx, request, decision, signed_in)
    const sent = new URLSearchParams(response.kind === 'redirect' ? new URL(response.location).hash.slice(1) : '')
    const tokens = ['access_token', 'id_token'].map((name) => decode(sent.get(name) ?? '').claims)
    expect(tokens).toMatchObject([
      { ...custom.access_token, iss: ctx.issuer, sub: signed_in.user.user_id, azp: 'spa', scope: 'openid read:a' },
      { ...custom.id_token, iss: ctx.issuer, sub: signed_in.user.user_id, aud: 'spa', nonce: 'n' },
    ])
    for (const name of ['iss', 'sub', 'aud', 'exp', 'iat'] as const)
      for (const token of tokens) expect([name, token[name]]).not.toEqual([name, over[name]])
    const told = await userinfo(ctx, sent.get('access_token') ?? '')
    expect(told).toMatchObject({ sub: signed_in.user.user_id, ...custom.id_token })
  })

  test('is kept for /userinfo where the token may ask there, and read where the tenant has rules', async () => {
    const issued = async (change: object) => {
      const audience = { grant_audience: 'u' }
      const base = {
        client: client(),
        ...signed_in,
        audience,
        scope: ['openid'],
        response_type: ['id_token', 'token'],
        tell_auth_time: false,
        claims: custom,
      }
      const { access_token } = await issueAccessToken(ctx, { ...base, ...change })
      return [access_token, await ctx.store.tokenClaims.find(access_token, ctx.now())] as const
    }
    const hs = { api: api({ signing_alg: 'HS256', signing_secret: 'x'.repeat(32) }), grant_audience: 'a' }
    const [opaque, kept] = await issued({})
    expect(kept).toEqual(custom.id_token)
    expect((await issued({ audience: { api: api(), grant_audience: 'a' } }))[1]).toEqual(custom.id_token)
    expect((await issued({ audience: hs }))[1]).toEqual({})
    expect((await issued({ scope: ['email'] }))[1]).toEqual({})
    expect((await issued({ claims: { id_token: {}, access_token: {} } }))[1]).toEqual({})
    expect(await userinfo(ctx, opaque)).toEqual({ sub: signed_in.user.user_id, ...custom.id_token })
    expect(await userinfo(world.ctx, opaque)).toEqual({ sub: signed_in.user.user_id })
  })
})
