/** Auth0's grants by password over HTTP: off unless a client lists them, and braked like the login page. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimsOf } from '../support/agent.ts'
import { offlineApi, refresh, requestToken, secret } from '../support/code_flow.ts'
import type { Parameters } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, blocked, clients, connection, person, tenant } from '../support/tenant.ts'

const realmType = 'http://auth0.com/oauth/grant-type/password-realm'
const ids = { native: 'PasswordNative', web: 'PasswordWeb', trusting: 'PasswordTrusting' } as const
const grants = `grant_types: [password, '${realmType}', refresh_token]`

let latchkey: Latchkey
let issuer: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] }, development: false })
  issuer = latchkey.issuer
  await latchkey.apply(`
tenant: { default_directory: ${connection} }
clients:
  - { name: N, client_id: ${ids.native}, app_type: native, ${grants} }
  - { name: W, client_id: ${ids.web}, client_secret: '${secret}', app_type: regular_web, ${grants} }
  - { name: T, client_id: ${ids.trusting}, client_secret: '${secret}', app_type: regular_web, ${grants}, is_token_endpoint_ip_header_trusted: true }
resourceServers:
  - name: Offline
    identifier: ${offlineApi}
    allow_offline_access: true
    scopes: [{ value: 'read:offline' }, { value: 'write:offline' }]
`)
})
afterAll(() => latchkey.close())

let addresses = 0
const somewhere = () => `203.0.113.${++addresses}`
const ask = (change: Parameters = {}, headers: Record<string, string> = {}) =>
  requestToken(
    issuer,
    {
      ...{ grant_type: 'password', client_id: ids.native, username: person.email, password: person.password },
      ...{ audience: apis.messages, scope: 'openid read:messages', ...change },
    },
    { 'x-forwarded-for': somewhere(), ...headers },
  )

describe('RFC 6749 §4.3.3 RFC 6749 §4.5 the password grants', () => {
  test('tokens without a session, with gty', async () => {
    const { status, headers, json } = await ask()
    expect([status, headers.get('cache-control'), headers.get('set-cookie')]).toEqual([200, 'no-store', null])
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'token_type'])
    expect(claimsOf(json.access_token)).toMatchObject({
      gty: 'password',
      azp: ids.native,
      scope: 'openid read:messages',
    })
    const id = claimsOf(json.id_token)
    expect(id).toMatchObject({ aud: ids.native, sub: claimsOf(json.access_token).sub })
    for (const absent of ['sid', 'nonce', 'auth_time']) expect(id).not.toHaveProperty(absent)
  })

  test('contract B3.2 no scope of the API asked for means all of them, openid alone every one of the profile', async () => {
    const all = await ask({ scope: undefined })
    expect(all.json.scope).toBe('read:messages write:messages delete:messages')
    expect(all.json).not.toHaveProperty('id_token')
    const open = await ask({ scope: 'openid' })
    expect(open.json.scope).toBe('openid profile email address phone read:messages write:messages delete:messages')
    const bare = await ask({ scope: undefined, audience: undefined })
    expect(bare.json.scope).toBe('openid profile email address phone')
    expect((await ask({ scope: 'read:messages nonsense' })).json.scope).toBe('read:messages')
  })

  test('a refresh token where the API allows it', async () => {
    const asked = { scope: 'openid offline_access read:offline', audience: offlineApi }
    const { json } = await ask(asked)
    expect(json.refresh_token).toBeDefined()
    const again = await refresh(issuer, json.refresh_token, { client_id: ids.native })
    expect(again.status).toBe(200)
    expect(claimsOf(again.json.id_token).sub).toBe(claimsOf(json.id_token).sub)
    expect((await ask({ scope: 'openid offline_access' })).json).not.toHaveProperty('refresh_token')
  })

  test('password-realm names the connection', async () => {
    expect((await ask({ grant_type: realmType, realm: connection })).status).toBe(200)
    expect((await ask({ grant_type: realmType })).json.error).toBe('invalid_request')
    expect((await ask({ grant_type: realmType, realm: 'elsewhere' })).json.error).toBe('invalid_request')
  })

  test('a confidential client proves itself as well', async () => {
    expect((await ask({ client_id: ids.web })).status).toBe(401)
    expect((await ask({ client_id: ids.web, client_secret: secret })).status).toBe(200)
  })
})

describe('RFC 6749 §4.3.2 what is refused', () => {
  test.each<[string, Parameters, number, string]>([
    ['a wrong password', { password: 'Wrong-Horse-7' }, 400, 'invalid_grant'],
    ['an unknown person', { username: 'nobody@example.com' }, 400, 'invalid_grant'],
    ['a client that does not list the grant', { client_id: clients.spa }, 400, 'unauthorized_client'],
    ['no username', { username: undefined }, 400, 'invalid_request'],
    ['no password', { password: undefined }, 400, 'invalid_request'],
    ['an unknown API', { audience: 'https://nobody.example.com/' }, 403, 'access_denied'],
  ])('%s', async (_, change, status, error) => {
    const answer = await ask(change)
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  test('in Auth0’s words, the same for both', async () => {
    const wrong = (await ask({ password: 'x' })).json
    expect(wrong).toEqual({ error: 'invalid_grant', error_description: 'Wrong email or password.' })
    expect((await ask({ username: 'nobody@example.com' })).json).toEqual(wrong)
  })

  test('a blocked person is told so, with the right password alone', async () => {
    const right = await ask({ username: blocked.email })
    expect([right.status, right.json.error_description]).toEqual([400, 'user is blocked'])
    expect((await ask({ username: blocked.email, password: 'x' })).json.error_description).toBe(
      'Wrong email or password.',
    )
  })

  test('a tenant without a default directory, and a third-party client', async () => {
    const one = await startLatchkey({ tenant })
    await one.apply(`clients: [{ name: N, client_id: ${ids.native}, app_type: native, ${grants} }]`)
    const answer = await requestToken(one.issuer, {
      ...{ grant_type: 'password', client_id: ids.native, username: person.email, password: person.password },
    })
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request'])
    const third = `clients: [{ name: X, client_id: X, app_type: native, is_first_party: false, ${grants} }]`
    await expect(one.apply(third)).rejects.toThrow('third-party')
    await one.close()
  })
})

describe('RFC 6819 §5.1.4.2.3 guessing', () => {
  test('ten wrong ones, then 429 for the right one too; another address is free', async () => {
    const from = { 'x-forwarded-for': somewhere() }
    const username = 'grace@example.com'
    const statuses = await Promise.all(Array.from({ length: 40 }, () => ask({ username, password: 'x' }, from)))
    expect(statuses.filter(({ status }) => status === 400).length).toBeLessThanOrEqual(10)
    latchkey.advance(61)
    const held = await ask({ username }, from)
    expect([held.status, held.json.error, held.headers.get('retry-after')]).toEqual([429, 'too_many_attempts', '60'])
    expect((await ask({ username, password: 'x' })).status).toBe(400)
  })

  test('auth0-forwarded-for counts from a client that is trusted with it, and from no other', async () => {
    const backend = { 'x-forwarded-for': somewhere() }
    const guess = async (client_id: string, username: string, password = 'x') =>
      (
        await ask(
          { client_id, client_secret: secret, username, password },
          { ...backend, 'auth0-forwarded-for': somewhere() },
        )
      ).status
    for (const [client_id, after] of [
      [ids.trusting, 400],
      [ids.web, 429],
    ] as const) {
      const username = `${client_id.toLowerCase()}@example.com`
      for (let count = 0; count < 10; count++) await guess(client_id, username)
      latchkey.advance(61)
      expect(await guess(client_id, username)).toBe(after)
    }
  })
})

describe('contract M19 the rules of the tenant', () => {
  test('run here as well: they refuse, narrow and add', async () => {
    const one = await startLatchkey({ tenant })
    const rule = `function (user, context, callback) {
      if (context.protocol !== 'oauth2-password') return callback(new UnauthorizedError('which protocol?'));
      if (user.email !== '${person.email}') return callback(new UnauthorizedError('not you'));
      if (context.request.query.password || context.request.body.password) return callback(new Error('a password'));
      context.accessToken['https://app.example.com/plan'] = 'gold';
      context.accessToken.scope = ['read:messages'];
      return callback(null, user, context);
    }`
    await one.apply(
      `${JSON.stringify({
        tenant: { default_directory: connection },
        clients: [{ name: 'N', client_id: ids.native, app_type: 'native', grant_types: ['password'] }],
        users: [{ email: 'other@example.com', password: person.password, connection }],
        rules: [{ name: 'judge', script: rule }],
      })}`,
    )
    const fields = { grant_type: 'password', client_id: ids.native, audience: apis.messages, password: person.password }
    const { json } = await requestToken(one.issuer, { ...fields, username: person.email })
    expect(claimsOf(json.access_token)).toMatchObject({
      'https://app.example.com/plan': 'gold',
      scope: 'read:messages',
    })
    const refused = await requestToken(one.issuer, { ...fields, username: 'other@example.com' })
    expect([refused.status, refused.json]).toEqual([403, { error: 'access_denied', error_description: 'not you' }])
    await one.close()
  })
})

test('RFC 8414 §2 discovery tells of the grants only where a client has them', async () => {
  const told = async (address: string) => {
    const document = await (await fetch(`${address}.well-known/openid-configuration`)).json()
    return (document as { grant_types_supported: string[] }).grant_types_supported
  }
  expect(await told(issuer)).toEqual(expect.arrayContaining(['password', realmType]))
  const plain = await startLatchkey({ tenant })
  expect(await told(plain.issuer)).not.toContain('password')
  expect(await told(plain.issuer)).toContain('authorization_code')
  await plain.close()
})
