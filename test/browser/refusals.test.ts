/** Tests what is not taken: by the SDK in the app, by the API, by the server itself. */
import { createHmac } from 'node:crypto'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { claimsOf } from '../support/agent.ts'
import { arrive, authorize, call, handleCallback, renew, signIn } from '../support/app_steps.ts'
import { openTab, type Tab, takeComplaints } from '../support/chromium.ts'
import { allow } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { archive } from '../support/scene_tenant.ts'

let scene: Scene
/** A tab of somebody who is signed in; what is refused there leaves nothing behind. */
let shared: Tab
let tokens: Readonly<Record<'access_token' | 'id_token', string>>

beforeAll(async () => {
  scene = await openScene()
  shared = await openTab(scene.browser)
  await openShared()
  tokens = (await signIn(shared.page)).value?.tokens ?? { access_token: '', id_token: '' }
})
afterEach(async () => {
  expect([...(await scene.endTest()), ...takeComplaints(shared)]).toEqual([])
})
afterAll(() => scene.close())

async function openShared(): Promise<Page> {
  await shared.page.goto(`${scene.app.origin}/`)
  await shared.page.waitForSelector('[data-ready]')
  return shared.page
}

/** Goes to the server and back to the callback page, and gives the answer in its address. */
async function arriveSignedIn(page: Page): Promise<URLSearchParams> {
  await authorize(page)
  return new URLSearchParams((await arrive(page)).hash.slice(1))
}

/** Puts a changed answer into the address of the callback page, as whoever can lead a browser somewhere can. */
async function answerWith(page: Page, changed: URLSearchParams): Promise<void> {
  await page.goto(`${scene.app.origin}/`)
  await page.goto(`${scene.app.origin}/callback#${changed}`)
  await page.waitForSelector('[data-ready]')
}

/** A JWT with one claim changed and the old signature. */
function tamper(jwt: string, change: object): string {
  const [header, , signature] = jwt.split('.')
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(jwt), ...change })).toString('base64url')
  return [header, payload, signature].join('.')
}

describe('RFC 6749 §10.12 the answer belongs to the request', () => {
  test('a changed state is refused, and the login stays open for the right one', async () => {
    const page = await openShared()
    const answer = await arriveSignedIn(page)
    const changed = new URLSearchParams(answer)
    changed.set('state', 'forged')
    await answerWith(page, changed)
    expect((await handleCallback(page)).code).toBe('no_transaction')
    await answerWith(page, answer)
    expect((await handleCallback(page)).code).toBeUndefined()
  })

  test('an answer counts once', async () => {
    const page = await openShared()
    const answer = await arriveSignedIn(page)
    expect((await handleCallback(page)).code).toBeUndefined()
    await answerWith(page, answer)
    expect((await handleCallback(page)).code).toBe('no_transaction')
    expect(page.url()).toBe(`${scene.app.origin}/callback`)
  })

  test('an answer that another browser asked for is refused: nobody can sign a person in as himself', async () => {
    const answer = await arriveSignedIn(await openShared())
    const { page } = await scene.openApp()
    await answerWith(page, answer)
    expect((await handleCallback(page)).code).toBe('no_transaction')
    expect(await page.evaluate(() => window.app.client.isAuthenticated())).toBe(false)
  })
})

describe('OpenID Connect Core §3.2.2.11 the ID token is checked in the browser', () => {
  test('a replayed nonce: tokens of an earlier login under the state of the next', async () => {
    const page = await openShared()
    const first = await arriveSignedIn(page)
    expect((await handleCallback(page)).code).toBeUndefined()
    await authorize(page)
    const second = new URLSearchParams((await arrive(page)).hash.slice(1))
    for (const name of ['id_token', 'access_token']) second.set(name, first.get(name) ?? '')
    await answerWith(page, second)
    expect((await handleCallback(page)).code).toBe('id_token_nonce')
  })

  const cases: readonly (readonly [string, (answer: URLSearchParams) => void, string])[] = [
    [
      'a changed ID token',
      (answer) => answer.set('id_token', tamper(answer.get('id_token') ?? '', { email: 'eve@example.com' })),
      'id_token_signature',
    ],
    [
      'an ID token without a signature',
      (answer) => {
        const [, payload] = answer.get('id_token')?.split('.') ?? []
        answer.set('id_token', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`)
      },
      'id_token_malformed',
    ],
    [
      'an access token that is not the one of the ID token',
      (answer) => answer.set('access_token', tamper(answer.get('access_token') ?? '', { scope: 'write:messages' })),
      'id_token_at_hash',
    ],
    [
      'an access token in the place of the ID token',
      (answer) => answer.set('id_token', answer.get('access_token') ?? ''),
      'id_token_aud',
    ],
    ['no ID token', (answer) => answer.delete('id_token'), 'invalid_response'],
    ['another issuer', (answer) => answer.set('iss', 'https://evil.example.com/'), 'issuer_mismatch'],
    ['no issuer', (answer) => answer.delete('iss'), 'issuer_mismatch'],
    ['two states', (answer) => answer.append('state', 'second'), 'invalid_response'],
  ]
  for (const [name, change, code] of cases) {
    test(`${name} is ${code}`, async () => {
      const page = await openShared()
      const answer = await arriveSignedIn(page)
      change(answer)
      await answerWith(page, answer)
      expect((await handleCallback(page)).code).toBe(code)
      expect(await page.evaluate(() => [window.app.client.isAuthenticated(), window.app.client.user()])).toEqual([
        false,
        undefined,
      ])
    })
  }
})

describe('RFC 6750 §3.1 what the API refuses', () => {
  const refusals: readonly (readonly [string, () => string | undefined | Promise<string | undefined>, string])[] = [
    ['no token', () => undefined, 'Bearer'],
    ['an ID token as bearer', () => tokens.id_token, 'invalid_token'],
    ['a token with a changed scope', () => tamper(tokens.access_token, { scope: 'write:messages' }), 'invalid_token'],
    ['a token signed with the public keys as if they were a shared secret', signedWithPublicKeys, 'invalid_token'],
    ['a token of another audience', tokenOfTheArchive, 'invalid_token'],
  ]
  for (const [name, find, challenge] of refusals) {
    test(`${name} is 401`, async () => {
      const page = await openShared()
      const answer = await call(page, '/messages', await find())
      expect(answer).toMatchObject({ status: 401, challenge: expect.stringContaining(challenge) })
      expect(JSON.stringify(answer.body)).not.toContain('Welcome')
    })
  }

  test('a missing scope is 403 and named, and nothing was written', async () => {
    const page = await openShared()
    expect(await call(page, '/messages', tokens.access_token, { text: 'Not allowed' })).toMatchObject({
      status: 403,
      challenge: expect.stringMatching(/error="insufficient_scope".*scope="write:messages"/),
    })
    const { body } = await call(page, '/messages', tokens.access_token)
    expect(JSON.stringify(body)).toContain('Welcome')
    expect(JSON.stringify(body)).not.toContain('Not allowed')
  })
})

async function signedWithPublicKeys(): Promise<string> {
  const jwks = await (await fetch(`${scene.latchkey.issuer}.well-known/jwks.json`)).text()
  const [header = '', payload] = tokens.access_token.split('.')
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid })).toString('base64url')
  const signature = createHmac('sha256', jwks).update(`${head}.${payload}`).digest('base64url')
  return `${head}.${payload}.${signature}`
}

async function tokenOfTheArchive(): Promise<string | undefined> {
  const page = await openShared()
  await authorize(page, { audience: archive })
  await allow(page)
  await arrive(page)
  return (await handleCallback(page)).value?.tokens.access_token
}

describe('OpenID Connect Core §5.3.3 what /userinfo refuses', () => {
  test('an ID token, a changed token, and one for an API without openid; the right one is answered', async () => {
    const page = await openShared()
    const ask = (token: string | undefined) =>
      page.evaluate(
        async ([url, bearer]) => {
          const answer = await fetch(`${url}userinfo`, { headers: { authorization: `Bearer ${bearer}` } })
          return [answer.status, answer.headers.get('www-authenticate')]
        },
        [scene.latchkey.issuer, token] as const,
      )
    expect(await ask(tokens.access_token)).toEqual([200, null])
    const bare = await page.evaluate(async () => {
      const client = window.app.make({ response_type: 'token', scope: 'read:messages' })
      return (await client.renew()).tokens.access_token
    })
    expect(await call(page, '/messages', bare)).toMatchObject({ status: 200 })
    for (const token of [tokens.id_token, tamper(tokens.access_token, { sub: 'auth0|somebody' }), bare])
      expect(await ask(token)).toEqual([401, expect.stringContaining('error="invalid_token"')])
  })
})

describe('OpenID Connect Core §3.1.2.6 where /authorize says no', () => {
  for (const [name, request, code] of [
    ['an unknown audience', { audience: 'https://nowhere.example.com/' }, 'access_denied'],
    ['an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
    ['tokens in the query', { authorization_parameters: { response_mode: 'query' } }, 'invalid_request'],
  ] as const) {
    test(`${name} is ${code}, told to the app behind the #`, async () => {
      const page = await openShared()
      await authorize(page, request)
      expect((await arrive(page)).search).toBe('')
      expect((await handleCallback(page)).code).toBe(code)
    })
  }

  test('a hidden frame hears of an error too', async () => {
    const page = await openShared()
    expect((await renew(page, { audience: 'https://nowhere.example.com/' })).code).toBe('access_denied')
  })

  test('a redirect URI that is not registered is never gone to', async () => {
    const page = await openShared()
    await authorize(page, { redirect_uri: `${scene.app.origin}/callback/` })
    await page.waitForSelector('#error-code')
    expect(page.url()).toContain(scene.latchkey.issuer)
    expect(await page.innerText('#error-code')).toBe('invalid_request')
    expect(await page.innerText('main')).toContain(`${scene.app.origin}/callback`)
  })
})
