/** `/oidc/logout`: whose session ends, who is asked first, and where the browser goes. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import {
  after,
  appRequest,
  apps,
  confirm,
  idTokenOf,
  isSignedIn,
  type LogoutScene,
  leave,
  startLogoutScene,
} from '../support/logout_scene.ts'
import { errorPageOf } from '../support/outcome.ts'
import { person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
let scene: LogoutScene
beforeAll(async () => {
  scene = await startLogoutScene()
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(scene.tenant)
})
afterAll(async () => {
  await latchkey.close()
  await scene.listener.close()
})

let agent: Agent
let hint: Awaited<ReturnType<typeof idTokenOf>>
beforeEach(async () => {
  agent = new Agent()
  hint = await idTokenOf(agent, issuer, appRequest('plain', scene.listener))
})

const state = `${'x'.repeat(120)}-._~&=+`
const tampered = (token: string, change: Parameters, header: object = { alg: 'none' }) => {
  const [, body = ''] = token.split('.')
  const claims = { ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object), ...change }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode(header)}.${encode(claims)}.${Buffer.from('signature').toString('base64url')}`
}

describe('OpenID Connect RP-Initiated Logout §2 a hint of this very session ends it unasked', () => {
  for (const method of ['GET', 'POST'] as const)
    test(`${method}: the browser goes back with exactly the state`, async () => {
      const query = new URLSearchParams({
        id_token_hint: hint.id_token,
        post_logout_redirect_uri: after.plain,
        state,
      })
      const answer =
        method === 'GET'
          ? await leave(agent, issuer, query.toString())
          : await agent.visit(`${issuer}oidc/logout`, { method, body: query })
      const location = new URL(answer.location ?? '')
      expect(`${location.origin}${location.pathname}`).toBe(after.plain)
      expect([...location.searchParams]).toEqual([['state', state]])
      expect(await isSignedIn(agent, issuer)).toBe(false)
      expect(agent.cookies.map(({ name }) => name)).toEqual(['latchkey_browser'])
    })

  for (const [name, change, target] of [
    ['no state comes back where none was sent', { post_logout_redirect_uri: after.plain }, after.plain],
    ['a query of its own stays', { post_logout_redirect_uri: after.query, state: 's t' }, `${after.query}&state=s%20t`],
    ['an app of its own scheme', { post_logout_redirect_uri: 'com.example.app://bye' }, 'com.example.app://bye'],
    ['client_id beside the hint', { client_id: apps.plain, post_logout_redirect_uri: after.plain }, after.plain],
    ['what says nothing here', { post_logout_redirect_uri: after.plain, federated: '', foo: '1' }, after.plain],
  ] as const)
    test(name, async () => {
      const answer = await leave(agent, issuer, { id_token_hint: hint.id_token, ...change })
      expect([answer.status, answer.headers.get('location')]).toEqual([302, target])
      expect(await isSignedIn(agent, issuer)).toBe(false)
    })

  test('an expired hint counts', async () => {
    const other = new Agent()
    const { id_token } = await idTokenOf(other, issuer, appRequest('plain', scene.listener))
    latchkey.advance(36_001)
    const answer = await leave(other, issuer, { id_token_hint: id_token, post_logout_redirect_uri: after.plain })
    expect(answer.location).toBe(after.plain)
    expect(await isSignedIn(other, issuer)).toBe(false)
  })

  test('the id of the session as logout_hint counts, with the client', async () => {
    const answer = await leave(agent, issuer, {
      ...{ logout_hint: hint.claims.sid, client_id: apps.plain, post_logout_redirect_uri: after.plain },
    })
    expect(answer.location).toBe(after.plain)
    expect(await isSignedIn(agent, issuer)).toBe(false)
  })

  for (const [name, of] of [
    ['the session', () => hint.claims.sid],
    ['the user id', () => hint.claims.sub],
    ['the e-mail address', () => person.email],
  ] as const)
    test(`logout_hint may be ${name} beside the hint`, async () => {
      const asked = { id_token_hint: hint.id_token, logout_hint: of(), post_logout_redirect_uri: after.plain }
      expect((await leave(agent, issuer, asked)).location).toBe(after.plain)
    })

  test('without an address: our own page', async () => {
    const answer = await leave(agent, issuer, { id_token_hint: hint.id_token })
    expect([answer.status, answer.location]).toEqual([200, undefined])
    expect(answer.body).toContain('You are logged out')
    expect(await isSignedIn(agent, issuer)).toBe(false)
  })

  test('the session as the app knew it before its person signed in again', async () => {
    const direct = await idTokenOf(agent, issuer, appRequest('direct', scene.listener))
    await signIn(agent, issuer, { ...appRequest('plain', scene.listener), prompt: 'login' })
    expect((await idTokenOf(agent, issuer, appRequest('plain', scene.listener))).claims.sid).not.toBe(direct.claims.sid)
    const back = `${scene.listener.origin}/bye`
    const answer = await leave(agent, issuer, { id_token_hint: direct.id_token, post_logout_redirect_uri: back })
    expect(answer.location).toBe(back)
    expect(await isSignedIn(agent, issuer)).toBe(false)
  })

  test('who is not signed in goes on at once', async () => {
    const asked = { id_token_hint: hint.id_token, post_logout_redirect_uri: after.plain, state: 's' }
    expect((await leave(new Agent(), issuer, asked)).location).toBe(`${after.plain}?state=s`)
    expect((await leave(new Agent(), issuer)).body).toContain('You are logged out')
  })
})

describe('OpenID Connect RP-Initiated Logout §6 without such a hint the person is asked', () => {
  for (const [name, asked, target] of [
    ['nothing at all', {}, undefined],
    ['a state alone', { state }, undefined],
    ['a client alone', { client_id: apps.plain }, undefined],
    ['a client and its address', { client_id: apps.plain, post_logout_redirect_uri: after.plain }, after.plain],
    [
      'a name that anyone may know',
      { client_id: apps.plain, logout_hint: person.email, post_logout_redirect_uri: after.plain, state: 's' },
      `${after.plain}?state=s`,
    ],
    [
      'an address of the tenant',
      { post_logout_redirect_uri: 'https://tenant.example.com/bye' },
      'https://tenant.example.com/bye',
    ],
  ] as const)
    test(name, async () => {
      const page = await leave(agent, issuer, asked)
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(page.body).toContain('Ada Lovelace')
      expect(await isSignedIn(agent, issuer)).toBe(true)
      const answer = await confirm(agent, page)
      expect(answer.location).toBe(target)
      if (target === undefined) expect(answer.body).toContain('You are logged out')
      expect(await isSignedIn(agent, issuer)).toBe(false)
    })

  test('a hint of another session, even of the same person', async () => {
    const other = new Agent()
    const { id_token } = await idTokenOf(other, issuer, appRequest('plain', scene.listener))
    const page = await leave(agent, issuer, { id_token_hint: id_token, post_logout_redirect_uri: after.plain })
    expect(await isSignedIn(agent, issuer)).toBe(true)
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://plain.example.com;")
    expect((await confirm(agent, page)).location).toBe(after.plain)
    expect([await isSignedIn(agent, issuer), await isSignedIn(other, issuer)]).toEqual([false, true])
  })

  test('in the language that the app asks for', async () => {
    expect((await leave(agent, issuer, { ui_locales: 'ar' })).body).toContain('lang="ar"')
  })

  test('the page of its own works as well', async () => {
    await confirm(agent, await agent.visit(`${issuer}u/logout`))
    expect(await isSignedIn(agent, issuer)).toBe(false)
  })

  test('a form of another browser, of another site, of another question, or made up, ends nothing', async () => {
    const page = await leave(agent, issuer, {})
    const other = new Agent()
    await signIn(other, issuer)
    const theirs = await leave(other, issuer, {})
    const field = (answer: typeof page, name: string) =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(answer.body)?.[1] ?? ''
    for (const [fields, headers] of [
      [{}, { 'sec-fetch-site': 'cross-site' }],
      [{}, { origin: 'https://evil.example' }],
      [{ csrf: 'x' }, {}],
      [{ csrf: '' }, {}],
      [{ state: '' }, {}],
      [{ state: field(theirs, 'state') }, {}],
      [{ state: field(theirs, 'state'), csrf: field(theirs, 'csrf') }, {}],
    ] as const)
      expect(errorPageOf(await agent.submit(page, fields, headers))).toMatchObject({ status: 403 })
    expect(await isSignedIn(agent, issuer)).toBe(true)
    expect((await agent.submit(page, {})).body).toContain('You are logged out')
  })

  test('who signed in meanwhile in another tab is asked anew', async () => {
    const page = await leave(agent, issuer, { client_id: apps.plain, post_logout_redirect_uri: after.plain })
    await signIn(agent, issuer, { prompt: 'login' })
    const again = await agent.submit(page, {})
    expect(await isSignedIn(agent, issuer)).toBe(true)
    expect((await confirm(agent, again)).location).toBe(after.plain)
  })
})

describe('OpenID Connect RP-Initiated Logout §3 nobody is sent where no app may send people', () => {
  const bad: readonly (readonly [string, () => Parameters])[] = [
    ['an address that is not registered', () => ({ post_logout_redirect_uri: 'https://evil.example/' })],
    ['a query that was added', () => ({ post_logout_redirect_uri: `${after.plain}?foo=bar` })],
    ['a slash that was added', () => ({ post_logout_redirect_uri: `${after.plain}/` })],
    ['another case', () => ({ post_logout_redirect_uri: 'https://PLAIN.example.com/bye' })],
    ['a fragment', () => ({ post_logout_redirect_uri: `${after.plain}#x` })],
    [
      'an address of /v2/logout, where the app has others',
      () => ({ post_logout_redirect_uri: 'https://plain.example.com/other' }),
    ],
    ['another app', () => ({ id_token_hint: undefined, client_id: apps.older, post_logout_redirect_uri: after.plain })],
    ['no app', () => ({ id_token_hint: undefined, post_logout_redirect_uri: after.plain })],
    [
      'an unknown app',
      () => ({ id_token_hint: undefined, client_id: 'nobody', post_logout_redirect_uri: after.plain }),
    ],
    ['a hint of another app than client_id', () => ({ client_id: apps.older })],
    ['a logout_hint that contradicts', () => ({ logout_hint: 'somebody@else.example' })],
    ['an endless state', () => ({ state: 'x'.repeat(8193) })],
  ]
  for (const [name, change] of bad)
    test(`${name} is refused, and nothing ends`, async () => {
      const asked = { id_token_hint: hint.id_token, post_logout_redirect_uri: after.plain, ...change() }
      expect(errorPageOf(await leave(agent, issuer, asked))).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(await isSignedIn(agent, issuer)).toBe(true)
    })

  test('an app without its own list has the exact ones of its logout URLs', async () => {
    const older = new Agent()
    const { id_token } = await idTokenOf(older, issuer, appRequest('older', scene.listener))
    for (const uri of [
      'https://a.older.example.com/bye',
      'https://*.older.example.com/bye',
      'https://older.example.com/bye?x',
    ])
      expect(
        errorPageOf(await leave(older, issuer, { id_token_hint: id_token, post_logout_redirect_uri: uri })).status,
      ).toBe(400)
    const asked = { id_token_hint: id_token, post_logout_redirect_uri: 'https://older.example.com/bye' }
    expect((await leave(older, issuer, asked)).location).toBe('https://older.example.com/bye')
  })
})

describe('OpenID Connect RP-Initiated Logout §4 a hint counts only as this server signed it', () => {
  const hints: readonly (readonly [string, () => string])[] = [
    ['alg none', () => tampered(hint.id_token, {})],
    ['another issuer', () => tampered(hint.id_token, { iss: 'https://evil.example/' }, { alg: 'RS256', kid: 'x' })],
    ['no signature', () => `${hint.id_token.split('.').slice(0, 2).join('.')}.`],
    ['half a token', () => hint.id_token.slice(0, 60)],
    ['no token', () => 'x'],
  ]
  for (const [name, make] of hints)
    test(name, async () => {
      const asked = { id_token_hint: make(), post_logout_redirect_uri: after.plain }
      expect(errorPageOf(await leave(agent, issuer, asked))).toMatchObject({ error: 'invalid_request' })
      expect(await isSignedIn(agent, issuer)).toBe(true)
    })

  test('a logout token and an access token are none', async () => {
    const direct = await signIn(agent, issuer, appRequest('direct', scene.listener))
    const access_token = new URLSearchParams(new URL(direct.location ?? '').hash.slice(1)).get('access_token') ?? ''
    await agent.request(`${issuer}v2/logout`)
    const logout_token = scene.heard().at(-1)
    expect(logout_token).toBeDefined()
    for (const token of [access_token, logout_token])
      expect(errorPageOf(await leave(agent, issuer, { id_token_hint: token })).error).toBe('invalid_request')
  })
})

describe('OpenID Connect Discovery §3', () => {
  test('says what ends sessions, and who hears of it', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as object
    expect(document).toMatchObject({
      end_session_endpoint: `${issuer}oidc/logout`,
      check_session_iframe: `${issuer}oidc/check_session`,
      ...{ frontchannel_logout_supported: true, frontchannel_logout_session_supported: true },
      ...{ backchannel_logout_supported: true, backchannel_logout_session_supported: true },
    })
  })

  test('a POST must be a form', async () => {
    const answer = await agent.request(`${issuer}oidc/logout`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    })
    expect(answer.status).toBe(415)
  })
})
