/**
 * Tests `popup.authorize({ owp: true })` of the published auth0-js 10 in Chromium, unmodified: the answer is told by a page of the
 * server, so the app needs no callback page that talks to it. auth0-js checks neither `state` nor the ID token then: that is the
 * app's task, which the note on the decision says.
 */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addAuth0Pages, type Called } from '../support/auth0_js.ts'
import { allowIfAsked, deny, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { alan, grace, messages, sceneClients } from '../support/scene_tenant.ts'
import type { WebApp } from '../support/web_app.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  // What auth0-js says of localhost, and the browser of a message that it keeps from another origin.
  const known = /Consent can't be skipped on localhost|does not match the recipient window's origin/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(() => scene.close())

async function open(app: WebApp, redirect_app = app) {
  const secure = app.origin.startsWith('https:')
  const { issuer, https_issuer } = scene.latchkey
  addAuth0Pages(app, {
    clientID: sceneClients.app,
    audience: messages,
    responseType: 'token id_token',
    scope: 'openid profile email read:messages',
    domain: secure ? new URL(https_issuer).host : issuer.slice(0, -1),
    redirectUri: `${redirect_app.origin}/callback`,
  })
  const tab = await scene.openTab()
  await tab.page.goto(`${app.origin}/`)
  return tab
}

/** Opens the popup. The answer of `popup.authorize` is waited for with `answered`. */
async function openPopup(page: Page, options: object = {}): Promise<Page> {
  const opened = page.waitForEvent('popup')
  await page.evaluate((given) => {
    window.popupResult = window.ask('popup.authorize', { owp: true, ...given })
  }, options)
  return opened
}

const answered = (page: Page): Promise<Called> => page.evaluate(() => window.popupResult)

for (const [scheme, app] of [
  ['http', () => scene.app],
  ['https', () => scene.near],
] as const)
  describe(`auth0-js 10 over ${scheme}: popup.authorize with owp`, () => {
    test('login, consent, the tokens in the callback, the popup closed, the callback page never asked for', async () => {
      const { page } = await open(app())
      app().requests.length = 0
      const popup = await openPopup(page)
      const closed = popup.waitForEvent('close')
      await logIn(popup, grace)
      await allowIfAsked(popup)
      const { error, result } = await answered(page)
      await closed
      expect(error).toBeNull()
      expect(result).toMatchObject({
        ...{ accessToken: expect.stringMatching(/^eyJ/), idToken: expect.stringMatching(/^eyJ/) },
        ...{ access_token: expect.any(String), expiresIn: 7200, tokenType: 'Bearer', state: expect.any(String) },
      })
      const answer = await fetch(`${scene.api.url}/messages`, {
        headers: { authorization: `Bearer ${result?.accessToken}` },
      })
      expect(answer.status).toBe(200)
      expect(
        app()
          .requests.map(({ url }) => url)
          .filter((url) => url.startsWith('/callback')),
      ).toEqual([])

      const again = await openPopup(page)
      if (!again.isClosed()) await again.waitForEvent('close')
      expect((await answered(page)).result).toMatchObject({ expiresIn: 7200 })
    })
  })

describe('auth0-js 10: popup.authorize with owp, the rest of it', () => {
  test('a no on the consent page is an error of the callback', async () => {
    const { page } = await open(scene.app)
    const popup = await openPopup(page)
    await logIn(popup, alan)
    await deny(popup)
    expect((await answered(page)).error).toMatchObject({ code: 'access_denied' })
  })

  test('a popup that is closed is an error of the callback', async () => {
    const { page } = await open(scene.app)
    const popup = await openPopup(page)
    await popup.waitForURL('**/u/login?*')
    await popup.close()
    expect((await answered(page)).error).toMatchObject({ original: 'User closed the popup window' })
  })

  test("a page elsewhere that opens it with the app's client and callback is told nothing", async () => {
    const { page } = await open(scene.stranger, scene.app)
    await page.evaluate(() => {
      const heard: unknown[] = []
      addEventListener('message', (event) => heard.push(event.data))
      Object.assign(window, { heard })
    })
    const popup = await openPopup(page)
    const closed = popup.waitForEvent('close')
    await logIn(popup, grace)
    // The page closes itself when it has told its opener, or tried to.
    await closed
    expect(await page.evaluate('heard')).toEqual([])
    expect((await answered(page)).error).toMatchObject({ original: 'User closed the popup window' })
  })
})
