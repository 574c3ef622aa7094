/** Tests how a session at the server lives on: silent renewal in a hidden frame, the popup, signing out. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { arrive, authorize, call, handleCallback, renew, signIn } from '../support/app_steps.ts'
import { allow, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { archive, grace } from '../support/scene_tenant.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

const frames = (page: Page) => page.locator('iframe').count()
const reload = async (page: Page) => {
  await page.goto(`${scene.app.origin}/`)
  await page.waitForSelector('[data-ready]')
}

describe('OpenID Connect Core §3.1.2.1 prompt=none in a frame, from another origin', () => {
  test('a hidden frame brings new tokens; the page stays where it is, and nothing is left', async () => {
    const { page, visited } = await scene.openApp()
    const first = await signIn(page)
    await reload(page)
    visited.length = 0
    // Tokens of one second are alike to the letter.
    scene.latchkey.advance(2)
    const { value } = await renew(page)
    expect(value?.user).toEqual(first.value?.user)
    expect(value?.tokens.access_token).not.toBe(first.value?.tokens.access_token)
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({ status: 200 })
    expect([visited, await frames(page)]).toEqual([[], 0])
  })

  test('getToken renews by itself, once for all who wait', async () => {
    const { page, context } = await scene.openApp()
    await signIn(page)
    await reload(page)
    const asked: string[] = []
    context.on('request', (request) => {
      if (request.url().includes('/authorize?')) asked.push(request.url())
    })
    const tokens = await page.evaluate(() => Promise.all([1, 2, 3].map(() => window.app.client.getToken())))
    expect([new Set(tokens).size, asked.length]).toEqual([1, 1])
    expect(await call(page, '/messages', tokens[0])).toMatchObject({ status: 200 })
  })

  test('more than was agreed to is consent_required, and yes in a popup is enough', async () => {
    const { page } = await scene.openApp()
    await signIn(page)
    const more = { scope: 'openid read:messages read:contacts' }
    expect((await renew(page, more)).code).toBe('consent_required')
    const opened = page.waitForEvent('popup')
    const signing = page.evaluate((request) => window.app.attempt(window.app.client.popup(request)), more)
    await allow(await opened)
    expect((await signing).value?.tokens.scope).toBe('openid read:messages read:contacts')
    expect((await renew(page, more)).code).toBeUndefined()
  })

  test('max_age that has passed, nobody signed in, and an ended session are login_required', async () => {
    const { page, context } = await scene.openApp()
    expect((await renew(page)).code).toBe('login_required')
    await signIn(page)
    expect((await renew(page, { max_age: 0 })).code).toBe('login_required')
    expect((await renew(page)).code).toBeUndefined()
    await context.clearCookies()
    expect((await renew(page)).code).toBe('login_required')
  })
})

describe('web_message to the window that opened the popup', () => {
  test('goes through login and consent, gives its opener the tokens, and closes', async () => {
    const { page } = await scene.openApp()
    const opened = page.waitForEvent('popup')
    await page.click('#popup')
    const popup = await opened
    const closed = popup.waitForEvent('close')
    await logIn(popup, grace)
    await allow(popup)
    const { value } = await page.evaluate(() => Reflect.get(window, 'opened') as ReturnType<typeof window.app.attempt>)
    expect(value?.user).toMatchObject({ email: grace.email })
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({ status: 200 })
    await closed
    expect(page.url()).toBe(`${scene.app.origin}/`)
  })

  test('with a live session it closes without a question', async () => {
    const { page } = await scene.openApp()
    await signIn(page, {}, grace)
    const opened = page.waitForEvent('popup')
    await page.click('#popup')
    const popup = await opened
    if (!popup.isClosed()) await popup.waitForEvent('close')
    const { value } = await page.evaluate(() => Reflect.get(window, 'opened') as ReturnType<typeof window.app.attempt>)
    expect(value?.user).toMatchObject({ email: grace.email })
  })

  test('closed by the person it is popup_closed, and nothing has changed', async () => {
    const { page } = await scene.openApp()
    const opened = page.waitForEvent('popup')
    await page.click('#popup')
    const popup = await opened
    await popup.waitForURL('**/u/login?*')
    await popup.close()
    const { code } = await page.evaluate(() => Reflect.get(window, 'opened') as ReturnType<typeof window.app.attempt>)
    expect(code).toBe('popup_closed')
    expect((await renew(page)).code).toBe('login_required')
  })
})

describe('signing out at /v2/logout', () => {
  test('ends the session of every app: renewal says login_required, the next visit asks for the password', async () => {
    const { app, latchkey } = scene
    const { page, context } = await scene.openApp()
    const { value } = await signIn(page)
    const other = await context.newPage()
    await other.goto(`${app.origin}/`)
    await other.waitForSelector('[data-ready]')
    expect((await renew(other)).code).toBeUndefined()

    await page.evaluate((returnTo) => window.app.client.logout({ returnTo }), `${app.origin}/`)
    await page.waitForURL(`${app.origin}/`)
    await page.waitForSelector('[data-ready]')
    expect((await renew(page)).code).toBe('login_required')
    expect((await renew(other)).code).toBe('login_required')
    expect(await other.evaluate(() => window.app.client.isAuthenticated())).toBe(false)
    // A token that is out stays good until its end: the API asks nobody.
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({ status: 200 })

    await authorize(page)
    await page.waitForURL(`${latchkey.issuer}u/login?*`)
    await logIn(page)
    await arrive(page)
    expect((await handleCallback(page)).code).toBeUndefined()
  })

  test('an address to return to that is not listed is not gone to, and the session is over all the same', async () => {
    const { stranger, app } = scene
    const { page } = await scene.openApp()
    await signIn(page)
    await page.evaluate((returnTo) => window.app.client.logout({ returnTo }), `${stranger.origin}/`)
    await page.waitForSelector('#error-code')
    expect(page.url()).toContain('/v2/logout')
    await page.goto(`${app.origin}/`)
    await page.waitForSelector('[data-ready]')
    expect((await renew(page)).code).toBe('login_required')
  })
})

describe('a token is for one API', () => {
  test('each audience has its own consent and its own token', async () => {
    const { page } = await scene.openApp()
    await signIn(page)
    expect((await renew(page, { audience: archive })).code).toBe('consent_required')
    await authorize(page, { audience: archive })
    await allow(page)
    await arrive(page)
    const { value } = await handleCallback(page)
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('invalid_token'),
    })
    const [own, other] = await page.evaluate(
      async (audience) => [await window.app.client.getToken(), await window.app.client.getToken({ audience })],
      archive,
    )
    expect(other).toBe(value?.tokens.access_token)
    expect(await call(page, '/messages', own)).toMatchObject({ status: 200 })
  })
})
