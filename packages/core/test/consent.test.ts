/** When a person is asked: the matrix of contract D1 to D5 and K11, then the same through the whole decision and real grants. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needsConsent } from '../src/consent.ts'
import { type AuthorizationRequest, decide } from '../src/index.ts'
import { api, callback, client, openWorld, type World } from './support/world.ts'

const redirects: readonly (readonly [string, boolean])[] = [
  ['https://app.example.com/callback', true],
  ['http://app.example.com/callback', true],
  ['com.example.app://callback', false],
  ['com.example.app:/callback', false],
  ['demo://login.example.com/android/com.example.app/callback', false],
  ['http://localhost:3000/callback', false],
  ['https://localhost/callback', false],
  ['http://127.0.0.1/callback', false],
  ['http://127.9.9.9:81/callback', false],
  ['http://[::1]:3000/callback', false],
  ['http://app.localhost/callback', false],
]
/** What was given, what the code answers, what is right. */
const cases: (readonly [string, boolean, boolean])[] = []
const stored = [undefined, [], ['openid'], ['openid', 'read:a'], ['read:a', 'write:a', 'openid']] as const

describe('RFC 8252 §8.6, contract D2 consent is asked for unless a stored yes covers it or it may be skipped', () => {
  for (const is_first_party of [true, false])
    for (const skip of ['no API', true, false] as const)
      for (const [redirect_uri, verifiable] of redirects)
        for (const beside of [[], ['http://localhost:9/other']])
          for (const allowed of stored)
            for (const scope of [[], ['openid'], ['openid', 'read:a']]) {
              const audience = {
                grant_audience: 'a',
                ...(skip === 'no API' ? {} : { api: api({ skip_consent_for_verifiable_first_party_clients: skip }) }),
              }
              const covered =
                allowed !== undefined && scope.filter((word) => !allowed.some((one) => one === word)).length === 0
              const mayBeSkipped = is_first_party && skip !== false && verifiable && beside.length === 0
              const given = `${is_first_party ? 'first' : 'third'}-party, skip ${skip}, ${redirect_uri}${beside.length > 0 ? ' beside localhost' : ''}`
              const question = {
                client: client({ is_first_party, callbacks: [redirect_uri, ...beside] }),
                redirect_uri,
              }
              cases.push([given, needsConsent({ ...question, audience, scope, allowed }), !covered && !mayBeSkipped])
            }
  test(`in all ${2 * 3 * 11 * 2 * 5 * 3} combinations`, () => {
    expect(cases).toHaveLength(2 * 3 * 11 * 2 * 5 * 3)
    expect(cases.filter(([, answer, right]) => answer !== right)).toEqual([])
    for (const answer of [true, false]) expect(cases.filter((one) => one[1] === answer).length).toBeGreaterThan(200)
  })
})
describe('contract M8 consent through the whole decision', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld({
      clients: [
        client(),
        client({ client_id: 'local', callbacks: ['http://localhost:3000/'] }),
        client({ client_id: 'third', is_first_party: false }),
      ],
      apis: [api(), api({ id: 'ask', identifier: 'urn:ask', skip_consent_for_verifiable_first_party_clients: false })],
    })
  })
  afterAll(() => world.close())

  const request = (change: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
    ...{ client_id: 'spa', redirect_uri: callback, response_mode: 'fragment', response_type: 'token' },
    ...{ scope: ['openid', 'read:a'], prompt: [], audience: 'https://api.example.com/', ...change },
  })

  test('first-party with skipping on: none; elsewhere: once, and again for more or when revoked', async () => {
    const signed_in = await world.signIn()
    const next = async (change: Partial<AuthorizationRequest> = {}) => {
      const { step } = await decide(world.ctx, request(change), { signed_in })
      return step.kind === 'page' ? step.page : step.kind
    }
    const local = { client_id: 'local', redirect_uri: 'http://localhost:3000/' }
    const asked = [{ client_id: 'third' }, { audience: 'urn:ask' }, local]
    expect(await next()).toBe('issue')
    for (const change of asked) {
      const { grant_audience } = (await decide(world.ctx, request(change), {})).audience
      const { client_id } = request(change)
      expect([change, await next(change)]).toEqual([change, 'consent'])
      const grant = { grant_id: `${client_id} ${grant_audience}`, user_id: signed_in.user.user_id, client_id }
      await world.store.grants.allow(
        { ...grant, audience: grant_audience, scope: ['openid', 'read:a'] },
        world.ctx.now(),
      )
      expect([change, await next(change)]).toEqual([change, 'issue'])
      expect(await next({ ...change, scope: ['read:a'] })).toBe('issue')
      expect(await next({ ...change, scope: ['openid', 'read:a', 'write:a'] })).toBe('consent')
      expect(await next({ ...change, prompt: ['none'], scope: ['write:a'] })).toBe('fail')
      // A scope that the API does not define is not granted, so nobody is asked about it.
      expect(await next({ ...change, scope: ['openid', 'unknown'] })).toBe('issue')
      expect(await next({ ...change, prompt: ['consent'] })).toBe('consent')
      await world.store.grants.revoke(grant.grant_id)
      expect([change, await next(change)]).toEqual([change, 'consent'])
    }
  })

  test('the yes of one person is nobody else’s', async () => {
    const [one, two] = [await world.signIn(), await world.signIn()]
    const grant = { grant_id: 'g', user_id: one.user.user_id, client_id: 'third', audience: 'https://api.example.com/' }
    await world.store.grants.allow({ ...grant, scope: ['openid', 'read:a'] }, world.ctx.now())
    const next = async (signed_in: typeof one) =>
      (await decide(world.ctx, request({ client_id: 'third' }), { signed_in })).step.kind
    expect([await next(one), await next(two)]).toEqual(['issue', 'page'])
  })

  test('a step counts only for the session that took it', async () => {
    const signed_in = await world.signIn()
    const { session_id } = signed_in.session
    const step = async (progress: object, prompt: AuthorizationRequest['prompt']) => {
      const { step: next } = await decide(world.ctx, request({ prompt }), { signed_in, ...progress })
      return next.kind === 'page' ? next.page : next.kind
    }
    expect(await step({ consented: session_id }, ['consent'])).toBe('issue')
    expect(await step({ consented: 'another' }, ['consent'])).toBe('consent')
    expect(await step({ authenticated: session_id }, ['login'])).toBe('issue')
    expect(await step({ authenticated: 'another' }, ['login'])).toBe('login')
    expect(await step({ account_chosen: session_id }, ['select_account'])).toBe('issue')
    expect(await step({ account_chosen: 'another' }, ['select_account'])).toBe('account')
  })

  test('a person of a connection that the client may not use has to sign in', async () => {
    const stranger = await world.signIn({ connection: 'elsewhere' })
    expect((await decide(world.ctx, request(), { signed_in: stranger })).step).toEqual({ kind: 'page', page: 'login' })
    const known = await world.signIn()
    expect((await decide(world.ctx, request({ connection: 'db' }), { signed_in: known })).step.kind).toBe('issue')
    expect((await decide(world.ctx, request({ connection: 'x' }), { signed_in: known })).step.kind).toBe('page')
  })
})
