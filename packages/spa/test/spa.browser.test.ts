/** Tests the SDK where it lives: the built script in Chromium, the app and the server on different origins. */

import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { postScript } from './support/authorization_server.ts'
import { openStage, type Stage } from './support/browser.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())
beforeEach(() => {
  stage.server.script = {}
  stage.server.asked.length = 0
})
afterEach(async () => {
  await Promise.all(stage.browser.contexts().map((context) => context.close()))
})

const login = async (page: Page, request: object = {}) => {
  await page.evaluate((options) => window.client.authorize(options), request)
  await page.waitForURL(/\/callback/)
}
const handle = (page: Page) => page.evaluate(() => window.attempt(window.client.handleCallback()))
const renew = (page: Page, options: object = {}) =>
  page.evaluate((given) => window.attempt(window.client.renew(given)), options)
const frames = (page: Page) => page.evaluate(() => document.querySelectorAll('iframe').length)

describe('RFC 6749 §4.2 the redirect', () => {
  test('goes out and comes back with tokens, user and app_state', async () => {
    const page = await stage.openApp({ audience: 'api' })
    await login(page, { app_state: { page: '/inbox' } })
    const { value } = await handle(page)
    expect(value).toMatchObject({
      app_state: { page: '/inbox' },
      user: { sub: 'auth0|1' },
      tokens: { audience: 'api' },
    })
    expect(await page.evaluate(() => window.client.isAuthenticated())).toBe(true)
  })

  test('the fragment leaves the address bar before anything else happens, and the history too', async () => {
    const page = await stage.openApp({ redirect_uri: `${stage.app.origin}/callback?keep=1` })
    await login(page)
    expect(page.url()).toContain('#access_token=')
    const during = await page.evaluate(() => {
      const before = history.length
      const handling = window.attempt(window.client.handleCallback())
      return handling.then(({ value }) => ({ value, added: history.length - before }))
    })
    expect(during).toMatchObject({ added: 0, value: { user: { sub: 'auth0|1' } } })
    expect(page.url()).toBe(`${stage.app.origin}/callback?keep=1`)
    await page.goBack()
    expect(page.url()).toBe(`${stage.app.origin}/?from=start`)
    await page.goForward()
    expect(page.url()).toBe(`${stage.app.origin}/callback?keep=1`)
  })

  test('it leaves at once, and for a refused answer as well', async () => {
    const page = await stage.openApp()
    stage.server.script = { error: { error: 'access_denied' } }
    await login(page)
    const [address, outcome] = await page.evaluate(async () => {
      const handling = window.attempt(window.client.handleCallback())
      return [location.href, await handling] as const
    })
    expect(address).toBe(`${stage.app.origin}/callback`)
    expect(outcome.code).toBe('access_denied')
  })

  test('nothing of a login stays in storage, and no token ever gets there', async () => {
    const page = await stage.openApp()
    await login(page)
    await handle(page)
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).toBe('{}')
  })

  test('an answer opened in another tab is no_transaction', async () => {
    const page = await stage.openApp()
    await login(page)
    const other = await page.context().newPage()
    await other.goto(page.url())
    expect((await handle(other)).code).toBe('no_transaction')
    expect((await handle(page)).value).toBeDefined()
  })

  test('storage local lets another tab take the answer, once', async () => {
    const page = await stage.openApp({ storage: 'local' })
    await login(page)
    const other = await page.context().newPage()
    await other.goto(page.url())
    expect((await handle(other)).value).toBeDefined()
    expect((await handle(page)).code).toBe('no_transaction')
  })

  test('a page that is not served securely is told so', async () => {
    const page = await stage.openApp()
    await page.goto(stage.app.origin.replace('localhost', 'insecure.test'))
    const options = { issuer: stage.server.issuer, client_id: 'client', redirect_uri: page.url() }
    const { code } = await page.evaluate(
      (given) => window.attempt(Promise.resolve().then(() => window.Latchkey.createClient(given))),
      options,
    )
    expect(code).toBe('insecure_context')
  })
})

describe('OpenID Connect Core §3.1.2.1 silent renewal', () => {
  test('asks with prompt=none in a frame, takes the answer, removes the frame', async () => {
    const page = await stage.openApp({ audience: 'api' })
    const { value } = await renew(page)
    expect(value).toMatchObject({ user: { sub: 'auth0|1' }, tokens: { audience: 'api', expires_in: 7200 } })
    expect(stage.server.asked).toMatchObject([{ prompt: 'none', response_mode: 'web_message' }])
    expect(await frames(page)).toBe(0)
  })

  test('callers alike share one frame; others have their own', async () => {
    const page = await stage.openApp()
    stage.server.script = { delay: 200 }
    const tokens = await page.evaluate(() => {
      const { client } = window
      const asks = [{}, {}, { scope: 'email openid profile' }, { audience: 'second' }]
      return Promise.all(asks.map((options) => client.getToken(options)))
    })
    expect(new Set(tokens).size).toBe(2)
    expect(stage.server.asked).toHaveLength(2)
  })

  test('getToken answers from memory until shortly before the end', async () => {
    const page = await stage.openApp({ renew_before: 100 })
    const getToken = (options: object) => page.evaluate((given) => window.client.getToken(given), options)
    stage.server.script = { lifetime: 101 }
    const first = await getToken({})
    expect(await getToken({ scope: 'email' })).toBe(first)
    const second = await getToken({ min_ttl: 102 })
    expect(second).not.toBe(first)
    stage.server.script = { lifetime: 99 }
    const third = await getToken({ min_ttl: 102 })
    expect(await getToken({})).not.toBe(third)
    expect(stage.server.asked).toHaveLength(4)
  })

  test('login_required signs out here too', async () => {
    const page = await stage.openApp()
    await renew(page)
    stage.server.script = { error: { error: 'login_required' } }
    expect((await renew(page)).code).toBe('login_required')
    expect(await page.evaluate(() => [window.client.isAuthenticated(), window.client.user()])).toEqual([
      false,
      undefined,
    ])
    expect(await frames(page)).toBe(0)
  })

  test('another person at the server is id_token_sub, and the first stays', async () => {
    const page = await stage.openApp()
    await renew(page)
    stage.server.script = { claims: { sub: 'auth0|2' } }
    expect((await renew(page)).code).toBe('id_token_sub')
    expect(await page.evaluate(() => window.client.user()?.sub)).toBe('auth0|1')
  })

  test('less scope at a renewal does not forget the name', async () => {
    const page = await stage.openApp()
    await renew(page)
    stage.server.script = { claims: { name: undefined, email: undefined } }
    await renew(page, { scope: 'openid' })
    expect(await page.evaluate(() => window.client.user())).toMatchObject({ name: 'Ada' })
  })

  test('an answer after logout is dropped', async () => {
    const page = await stage.openApp()
    stage.server.script = { delay: 150, stays: true }
    const { code } = await page.evaluate(() => {
      const renewing = window.attempt(window.client.renew())
      window.client.logout()
      return renewing
    })
    expect(code).toBe('signed_out')
    expect(await page.evaluate(() => window.client.isAuthenticated())).toBe(false)
  })

  test('an answer that would go to another origin is origin_mismatch', async () => {
    const page = await stage.openApp()
    expect((await renew(page, { redirect_uri: 'https://elsewhere.example/' })).code).toBe('origin_mismatch')
    expect(stage.server.asked).toHaveLength(0)
  })
})

describe('whose message counts', () => {
  const forged = (answer: object) => JSON.stringify({ type: 'authorization_response', response: answer })

  for (const [name, html] of [
    ['silence', () => '<p>no'],
    ['another type', (answer: object) => postScript(JSON.stringify({ type: 'other', response: answer }), '*')],
    ['another state', (answer: object) => postScript(forged({ ...answer, state: 'x' }), '*')],
    ['no object', () => postScript('null', '*') + postScript('"authorization_response"', '*')],
    [
      'the right frame on another origin',
      (answer: object) =>
        `<script>location = ${JSON.stringify(`${stage.attacker.origin}/post?message=${encodeURIComponent(forged(answer))}`)}</script>`,
    ],
  ] as const)
    test(`${name} is timeout, and the frame is removed`, async () => {
      const page = await stage.openApp({ timeout: 0.7 })
      stage.server.script = { html }
      expect((await renew(page)).code).toBe('timeout')
      expect(await frames(page)).toBe(0)
    })

  for (const [name, attack] of [
    ['the page itself', (message: string) => window.postMessage(JSON.parse(message), '*')],
    [
      "another frame of the server's origin",
      (message: string) => {
        const frame = document.createElement('iframe')
        const server = document.querySelector('iframe')?.src ?? ''
        frame.src = `${new URL(server).origin}/post?message=${encodeURIComponent(message)}`
        document.body.append(frame)
      },
    ],
  ] as const)
    test(`${name} is not listened to`, async () => {
      const page = await stage.openApp()
      stage.server.script = { delay: 600 }
      const renewing = page.evaluate(() => window.attempt(window.client.renew()))
      await page.waitForSelector('iframe', { state: 'attached' })
      const asked = await page.evaluate(() => new URL(document.querySelector('iframe')?.src ?? '').search)
      const parameters = Object.fromEntries(new URLSearchParams(asked))
      const evil = { ...stage.server.answer(parameters), access_token: 'evil' }
      await page.evaluate(attack, forged(evil))
      const { value, code } = await renewing
      expect(code).toBeUndefined()
      expect(JSON.stringify(value)).not.toContain('evil')
    })
})

describe('popup()', () => {
  test('signs in in a window that closes again', async () => {
    const page = await stage.openApp()
    stage.server.script = { login: true }
    const opened = page.waitForEvent('popup')
    const signing = page.evaluate(() => window.attempt(window.client.popup({ app_state: 7, prompt: 'login' })))
    const popup = await opened
    const closed = popup.waitForEvent('close')
    await popup.click('#on')
    expect((await signing).value).toMatchObject({ user: { sub: 'auth0|1' }, app_state: 7 })
    await closed
    expect(stage.server.asked).toMatchObject([{ response_mode: 'web_message', prompt: 'login' }])
  })

  test('a window the person closes is popup_closed', async () => {
    const page = await stage.openApp()
    stage.server.script = { login: true }
    const opened = page.waitForEvent('popup')
    const signing = page.evaluate(() => window.attempt(window.client.popup()))
    const popup = await opened
    await popup.waitForSelector('#on')
    await popup.close()
    expect((await signing).code).toBe('popup_closed')
  })

  test('a window the browser refuses is popup_blocked', async () => {
    const page = await stage.openApp()
    await page.goto(`${stage.app.origin}/sandboxed`)
    const { code, fix } = await page.evaluate(() => window.attempt(window.client.popup()))
    expect(code).toBe('popup_blocked')
    expect(fix).toContain('click')
  })
})

describe('logout()', () => {
  test('forgets everything and leaves for the server', async () => {
    const page = await stage.openApp()
    await renew(page)
    const returnTo = `${stage.app.origin}/?bye`
    const left = await page.evaluate((to) => {
      window.client.logout({ returnTo: to, federated: true })
      return [window.client.isAuthenticated(), window.client.user(), window.client.idTokenClaims()]
    }, returnTo)
    expect(left).toEqual([false, undefined, undefined])
    await page.waitForURL(returnTo)
    expect(stage.server.logouts.at(-1)?.search).toBe(
      `?client_id=client&returnTo=${encodeURIComponent(returnTo)}&federated`,
    )
  })
})
