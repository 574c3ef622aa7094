/**
 * Tests the published auth0-spa-js 2 in Chromium, unmodified, against the real server. What an app has to say:
 *
 * - `domain: 'http://localhost:8400'` over plain http, `'localhost:8443'` over https; the issuer it expects is that with a slash.
 * - Its origin among the Allowed Web Origins, for silent renewal and popups; its callback among the Allowed Callback URLs.
 * - `useRefreshTokens` needs an API that allows offline access.
 */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addSpaPages, callSpa } from '../support/auth0_spa_js.ts'
import { allowIfAsked, deny, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { alan, archive, grace, messages, sceneClients } from '../support/scene_tenant.ts'
import type { WebApp } from '../support/web_app.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  // A refused token request is an answer here, and a line in the console of every browser.
  const known = /Failed to load resource: the server responded with a status of 40[013]/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(() => scene.close())

const places = {
  http: { app: () => scene.app, domain: () => scene.latchkey.issuer.slice(0, -1) },
  https: { app: () => scene.near, domain: () => new URL(scene.latchkey.https_issuer).host },
} as const

async function open(app: WebApp, domain: string, options: object = {}, parameters: object = {}): Promise<Page> {
  addSpaPages(app, {
    ...{ domain, clientId: sceneClients.app, ...options },
    authorizationParams: {
      ...{ redirect_uri: `${app.origin}/callback`, audience: messages },
      ...{ scope: 'openid profile email read:messages', ...parameters },
    },
  })
  const { page } = await scene.openTab()
  await page.goto(`${app.origin}/`)
  return page
}

async function signIn(page: Page, options: object = {}): Promise<void> {
  await page.evaluate((given) => void window.auth0Client.loginWithRedirect(given), options)
  await logIn(page, grace)
  await allowIfAsked(page)
  await page.waitForURL(/\/callback\?/)
}

const callApi = async (token: unknown) =>
  (await fetch(`${scene.api.url}/messages`, { headers: { authorization: `Bearer ${token}` } })).status

for (const [scheme, { app, domain }] of Object.entries(places)) {
  describe(`auth0-spa-js 2 over ${scheme}`, () => {
    test('loginWithRedirect, getUser, getTokenSilently in a frame, an API call, logout', async () => {
      const page = await open(app(), domain())
      expect((await callSpa(page, 'getTokenSilently')).error).toMatchObject({ error: 'login_required' })
      await signIn(page, { appState: { target: '/inbox' } })
      expect((await callSpa(page, 'handleRedirectCallback')).result).toMatchObject({ appState: { target: '/inbox' } })
      expect((await callSpa(page, 'getUser')).result).toMatchObject({ email: grace.email, name: 'Grace Hopper' })
      expect((await callSpa(page, 'getIdTokenClaims')).result).toMatchObject({ aud: sceneClients.app })
      const kept = await callSpa(page, 'getTokenSilently')
      expect(await callApi(kept.result)).toBe(200)

      const renewed = await callSpa(page, 'getTokenSilently', { cacheMode: 'off' })
      expect(renewed.error).toBeUndefined()
      expect(renewed.result).not.toBe(kept.result)
      expect(await callApi(renewed.result)).toBe(200)

      await page.evaluate(
        (returnTo) => void window.auth0Client.logout({ logoutParams: { returnTo } }),
        `${app().origin}/`,
      )
      await page.waitForURL(`${app().origin}/`)
      expect((await callSpa(page, 'getTokenSilently')).error).toMatchObject({ error: 'login_required' })
    })

    test('loginWithPopup', async () => {
      const page = await open(app(), domain())
      const opened = page.waitForEvent('popup')
      await page.click('button')
      const popup = await opened
      const closed = popup.waitForEvent('close')
      await logIn(popup, grace)
      await allowIfAsked(popup)
      expect((await page.evaluate(() => window.popupCame)).error).toBeUndefined()
      await closed
      expect((await callSpa(page, 'getUser')).result).toMatchObject({ email: grace.email })
    })

    test('useRefreshTokens: renewal without a frame, again and again', async () => {
      const offline = { audience: archive, scope: 'openid profile email read:messages offline_access' }
      const page = await open(app(), domain(), { useRefreshTokens: true }, offline)
      await signIn(page)
      expect((await callSpa(page, 'handleRedirectCallback')).error).toBeUndefined()
      // Without its session the server could not answer a frame: what comes now comes by refresh tokens.
      await page.context().clearCookies()
      const tokens = new Set<unknown>()
      for (let round = 0; round < 3; round++) {
        const { error, result } = await callSpa(page, 'getTokenSilently', { cacheMode: 'off' })
        expect(error).toBeUndefined()
        tokens.add(result)
      }
      expect(tokens.size).toBe(3)
    })
  })
}

describe('auth0-spa-js 2: what is refused', () => {
  test('refused consent and a consent that is missing', async () => {
    const page = await open(scene.app, places.http.domain())
    await page.evaluate(() => void window.auth0Client.loginWithRedirect())
    await logIn(page, alan)
    await deny(page)
    await page.waitForURL(/\/callback\?error=/)
    expect((await callSpa(page, 'handleRedirectCallback')).error).toMatchObject({ error: 'access_denied' })
    expect((await callSpa(page, 'getTokenSilently')).error).toMatchObject({ error: 'consent_required' })
  })
})
