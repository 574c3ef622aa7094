/** Tests an app on another site than the server, both on https: which cookies cross, and what they open. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { call, renew, signIn } from '../support/app_steps.ts'
import { startChromiumWithCookiesAcrossSites } from '../support/chromium.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ start_browser: startChromiumWithCookiesAcrossSites })
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

const reload = async (page: Page) => {
  await page.goto(`${scene.far.origin}/`)
  await page.waitForSelector('[data-ready]')
}

const cookies = async (context: BrowserContext) =>
  (await context.cookies(scene.latchkey.https_issuer)).map(({ name, sameSite, secure, httpOnly, path }) => ({
    ...{ name, sameSite, secure, httpOnly, path },
  }))

describe('silent renewal across sites', () => {
  test('the twin cookie crosses, the session cookie does not, and the tokens come', async () => {
    const { page, context } = await scene.openApp(scene.far)
    await signIn(page)
    const safe = { secure: true, httpOnly: true, path: '/' }
    expect(await cookies(context)).toEqual(
      expect.arrayContaining([
        { name: '__Host-latchkey_session', sameSite: 'Lax', ...safe },
        { name: '__Host-latchkey_silent', sameSite: 'None', ...safe },
      ]),
    )
    await reload(page)
    const asked = context.waitForEvent('request', (request) => request.url().includes('prompt=none'))
    const { value } = await renew(page)
    const { cookie = '' } = await (await asked).allHeaders()
    // Beside the twin only the value that the session's frame compares, which opens nothing.
    const names = cookie.split('; ').map((pair) => pair.split('=')[0])
    expect(names.toSorted()).toEqual(['__Host-latchkey_silent', '__Host-latchkey_state'])
    expect(value?.user).toMatchObject({ email: 'ada@example.com' })
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({ status: 200 })
  })

  test('the twin alone signs nobody in: a page that is shown asks for the password', async () => {
    const { page, context } = await scene.openApp(scene.far)
    await signIn(page)
    await context.clearCookies({ name: '__Host-latchkey_session' })
    await reload(page)
    expect((await renew(page)).code).toBeUndefined()
    await page.evaluate(() => window.app.client.authorize())
    await page.waitForURL(`${scene.latchkey.https_issuer}u/login?*`)
    expect(await page.inputValue('#username')).toBe('')
  })

  test('signing out ends what the twin opens too', async () => {
    const { page, context } = await scene.openApp(scene.far)
    await signIn(page)
    const before = await context.cookies(scene.latchkey.https_issuer)
    await page.evaluate((returnTo) => window.app.client.logout({ returnTo }), `${scene.far.origin}/`)
    await page.waitForURL(`${scene.far.origin}/`)
    await page.waitForSelector('[data-ready]')
    expect((await cookies(context)).map(({ name }) => name)).not.toContain('__Host-latchkey_silent')
    expect((await renew(page)).code).toBe('login_required')
    // A copy that somebody kept opens nothing either.
    await context.addCookies(before)
    expect((await renew(page)).code).toBe('login_required')
  })

  test('a browser that blocks cookies across sites gives login_required; a redirect still works without a question', async () => {
    const { page, context, visited } = await scene.openApp(scene.far)
    await signIn(page)
    const control = await context.newCDPSession(page)
    await control.send('Network.enable')
    await control.send('Network.setCookieControls', { enableThirdPartyCookieRestriction: true })
    await reload(page)
    expect((await renew(page)).code).toBe('login_required')
    visited.length = 0
    await page.evaluate(() => window.app.client.authorize({ prompt: 'none' }))
    await page.waitForURL(`${scene.far.origin}/callback#*`)
    await page.waitForSelector('[data-ready]')
    const { value } = await page.evaluate(() => window.app.attempt(window.app.client.handleCallback()))
    expect(value?.user).toMatchObject({ email: 'ada@example.com' })
  })
})
