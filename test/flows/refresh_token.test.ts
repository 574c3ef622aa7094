/** Refresh tokens over HTTP: what they are bound to, when they end, and that an honest retry never logs anybody out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  refresh,
  refreshable,
  requestToken,
  webRequest,
  webSecret,
} from '../support/code_flow.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const again = (token: string | undefined, change: Parameters = {}) => refresh(issuer, token, change)
const userinfo = async (access_token: string | undefined) =>
  (await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })).status
const steady = { client_id: codeClients.steady, redirect_uri: 'https://steady.example.com/callback' }

describe('OpenID Connect Core §11 offline access', () => {
  test('a refresh token comes with a code, where the API allows it and the scope was asked for', async () => {
    expect((await refreshable(ada, issuer)).refresh_token).toMatch(/^rt\./)
    const cases: Parameters[] = [{ scope: 'openid read:offline' }, { audience: apis.messages }]
    for (const change of cases) {
      const asked = { audience: offlineApi, scope: 'openid offline_access read:offline', ...change }
      const { json } = await requestToken(issuer, { ...(await codeOf(ada, issuer, asked)) })
      expect(json.access_token).toBeDefined()
      expect(json).not.toHaveProperty('refresh_token')
    }
    const { json } = await requestToken(issuer, {
      ...(await codeOf(ada, issuer, { audience: undefined, scope: 'openid offline_access' })),
    })
    expect(json.refresh_token).toBeDefined()
  })

  test('clients.md C10 a client that takes it for a JWT reads its dates', async () => {
    const { refresh_token } = await refreshable(ada, issuer)
    const { iat, exp } = claimsOf(refresh_token)
    expect(Number(exp) - Number(iat)).toBe(2_592_000)
  })
})

describe('RFC 6749 §6 refreshing', () => {
  test('new tokens, with the same person, client and time of signing in, and a later iat', async () => {
    const first = await refreshable(ada, issuer, { max_age: '1000' })
    latchkey.advance(2)
    const { status, headers, json } = await again(first.refresh_token)
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(json.access_token).not.toBe(first.access_token)
    expect(json.refresh_token).not.toBe(first.refresh_token)
    expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 3600 })
    const [before, after] = [await verified(issuer, first.id_token), await verified(issuer, json.id_token)]
    for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time', 'sid'])
      expect(after.claims[name]).toEqual(before.claims[name])
    expect(Number(after.claims.iat)).toBeGreaterThan(Number(before.claims.iat))
    expect(await userinfo(json.access_token)).toBe(200)
  })

  test('the scope may be narrowed, and the next refresh has all of it again', async () => {
    const first = await refreshable(ada, issuer)
    const narrow = await again(first.refresh_token, { scope: 'read:offline' })
    expect(claimsOf(narrow.json.access_token).scope).toBe('read:offline')
    expect(narrow.json).not.toHaveProperty('id_token')
    const wide = await again(narrow.json.refresh_token)
    expect(claimsOf(wide.json.access_token).scope).toBe('openid offline_access read:offline write:offline')
    const more = await again(wide.json.refresh_token, { scope: 'openid read:messages' })
    expect([more.status, more.json.error]).toEqual([400, 'invalid_scope'])
    expect((await again(wide.json.refresh_token)).status).toBe(200)
  })

  test.each<[string, (token: string) => Promise<{ status: number; json: Readonly<Record<string, unknown>> }>, string]>([
    ['another client', (token) => again(token, steady), 'invalid_grant'],
    ['a confidential client', (token) => again(token, webSecret), 'invalid_grant'],
    ['no token', () => again(undefined), 'invalid_request'],
    ['an invented token', () => again('rt.e30.invented'), 'invalid_grant'],
    ['an access token', (token) => again(`lk_at_${token.slice(-43)}`), 'invalid_grant'],
    ['a token with one character changed', (token) => again(`${token.slice(0, -1)}!`), 'invalid_grant'],
    ['a token of the same family with another secret', (token) => again(forged(token)), 'invalid_grant'],
  ])('%s is refused, and ends nothing', async (_, attempt, error) => {
    const { refresh_token = '' } = await refreshable(ada, issuer)
    const answer = await attempt(refresh_token)
    expect([answer.status, answer.json.error]).toEqual([400, error])
    expect((await again(refresh_token)).status).toBe(200)
  })

  /** Keeps dates and family, as somebody could who saw an old token in a log. */
  function forged(token: string): string {
    const [rt, dates, rest = ''] = token.split('.')
    return [rt, dates, `${rest.slice(0, 22)}${'A'.repeat(43)}${rest.slice(65)}`].join('.')
  }

  test('a confidential client keeps its token, and may use it again and again', async () => {
    const asked = { ...webRequest, audience: offlineApi, scope: 'openid offline_access read:offline' }
    const { json } = await requestToken(issuer, { ...(await codeOf(ada, issuer, asked)), ...webSecret })
    for (let round = 0; round < 3; round++) {
      const next = await again(json.refresh_token, webSecret)
      expect([next.status, next.json.refresh_token]).toEqual([200, json.refresh_token])
    }
    expect((await again(json.refresh_token, { client_id: codeClients.web })).json.error).toBe('invalid_client')
  })
})

describe('RFC 9700 §4.14.2 rotation', () => {
  test('an answer that was lost is given again: the same successor, as often as it is asked for', async () => {
    const { refresh_token } = await refreshable(ada, issuer)
    const lost = await again(refresh_token)
    for (let round = 0; round < 3; round++) {
      const retry = await again(refresh_token)
      expect(retry.json.refresh_token).toBe(lost.json.refresh_token)
      expect(await userinfo(retry.json.access_token)).toBe(200)
    }
    expect((await again(lost.json.refresh_token)).status).toBe(200)
  })

  test('twenty tabs at once all go on, with one successor', async () => {
    const { refresh_token } = await refreshable(ada, issuer)
    const answers = await Promise.all(Array.from({ length: 20 }, () => again(refresh_token)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const successors = new Set(answers.map(({ json }) => json.refresh_token))
    expect(successors.size).toBe(1)
    expect((await again([...successors][0])).status).toBe(200)
  })

  test('once the successor was used, the token before it ends the family and all its tokens', async () => {
    const first = await refreshable(ada, issuer)
    const second = await again(first.refresh_token)
    const third = await again(second.json.refresh_token)
    expect(await userinfo(third.json.access_token)).toBe(200)
    const theft = await again(first.refresh_token)
    expect([theft.status, theft.json.error]).toEqual([400, 'invalid_grant'])
    expect(theft.json.error_description).toBe('Unknown or invalid refresh token.')
    expect((await again(third.json.refresh_token)).json.error).toBe('invalid_grant')
    for (const { access_token } of [first, second.json, third.json]) expect(await userinfo(access_token)).toBe(401)
    expect(latchkey.log.some(({ msg }) => String(msg).includes('a used refresh token was presented'))).toBe(true)
  })

  test('when its time is over a used token is no retry any more', async () => {
    const first = await refreshable(ada, issuer)
    const second = await again(first.refresh_token)
    latchkey.advance(31)
    expect((await again(first.refresh_token)).status).toBe(400)
    expect((await again(second.json.refresh_token)).status).toBe(400)
  })

  test('a client can have no such window at all', async () => {
    const one = await startLatchkey({ tenant })
    await one.apply(
      codeTenant.replace('rotation_type: non-rotating', 'rotation_type: rotating, leeway: 0, token_lifetime: 100'),
    )
    const { refresh_token } = await refreshable(new Agent(), one.issuer, steady)
    const next = await refresh(one.issuer, refresh_token, steady)
    expect(next.status).toBe(200)
    expect((await refresh(one.issuer, refresh_token, steady)).status).toBe(400)
    expect((await refresh(one.issuer, next.json.refresh_token, steady)).status).toBe(400)
    await one.close()
  })
})

describe('security rule 7 a family ends', () => {
  test('after its idle time, and after its whole time however much it is used', async () => {
    const idle = await refreshable(ada, issuer)
    const busy = await refreshable(ada, issuer)
    let newest = busy.refresh_token
    for (let day = 0; day < 3; day++) {
      latchkey.advance(9 * 86_400)
      newest = (await again(newest)).json.refresh_token
      expect(newest).toBeDefined()
    }
    expect((await again(idle.refresh_token)).json.error).toBe('invalid_grant')
    latchkey.advance(4 * 86_400)
    expect((await again(newest)).json.error).toBe('invalid_grant')
  })

  test('with a password reset, a block, and a used-twice code', async () => {
    const agent = new Agent()
    const exchange = await codeOf(agent, issuer, { audience: offlineApi, scope: 'openid offline_access' })
    const { json } = await requestToken(issuer, { ...exchange })
    expect((await requestToken(issuer, { ...exchange })).status).toBe(400)
    expect((await again(json.refresh_token)).status).toBe(400)
    const other = await refreshable(agent, issuer)
    await latchkey.apply(
      tenant.replace('password: Correct-Horse-7\n    email_verified', 'password: Correct-Horse-9\n    email_verified'),
    )
    expect((await again(other.refresh_token)).status).toBe(400)
    await latchkey.apply(tenant)
    const blocked = await refreshable(new Agent(), issuer)
    await latchkey.apply(tenant.replace('name: Ada Lovelace', 'name: Ada Lovelace\n    blocked: true'))
    expect((await again(blocked.refresh_token)).json.error).toBe('invalid_grant')
  })

  test('the client’s own logout leaves it: it was given for the time without the person', async () => {
    await latchkey.apply(tenant.replace('name: Ada Lovelace', 'name: Ada Lovelace\n    blocked: false'))
    const agent = new Agent()
    const { refresh_token } = await refreshable(agent, issuer)
    await agent.request(`${issuer}v2/logout`)
    expect((await again(refresh_token, { client_id: clients.spa })).status).toBe(200)
  })
})
