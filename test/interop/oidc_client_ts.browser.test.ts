/** Tests the published oidc-client-ts 3 in Chromium, unmodified, against the real server: `authority` is the issuer, and nothing else is special. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addManagerPages, callManager } from '../support/oidc_client_ts.ts'
import { allowIfAsked, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { archive, grace, sceneClients } from '../support/scene_tenant.ts'
import type { WebApp } from '../support/web_app.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  const known = /Failed to load resource: the server responded with a status of 40[013]/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(() => scene.close())

const places = {
  http: { app: () => scene.app, issuer: () => scene.latchkey.issuer },
  https: { app: () => scene.near, issuer: () => scene.latchkey.https_issuer },
} as const

async function open(app: WebApp, authority: string, settings: object = {}): Promise<Page> {
  addManagerPages(app, {
    ...{ authority, client_id: sceneClients.app, redirect_uri: `${app.origin}/callback` },
    ...{ silent_redirect_uri: `${app.origin}/silent`, post_logout_redirect_uri: `${app.origin}/` },
    ...{ scope: 'openid profile email', automaticSilentRenew: false, loadUserInfo: true, ...settings },
  })
  const { page } = await scene.openTab()
  await page.goto(`${app.origin}/`)
  return page
}

async function signIn(page: Page): Promise<void> {
  await page.evaluate(() => void window.userManager.signinRedirect({ state: { target: '/inbox' } }))
  await logIn(page, grace)
  await allowIfAsked(page)
  await page.waitForURL(/\/callback\?/)
}

describe.each(Object.entries(places))('oidc-client-ts 3 over %s', (_, { app, issuer }) => {
  test('signinRedirect, the callback, userinfo, signinSilent in a frame, signoutRedirect', async () => {
    const page = await open(app(), issuer())
    await signIn(page)
    const { error, result } = await callManager(page, 'signinCallback')
    expect(error).toBeUndefined()
    expect(result).toMatchObject({
      token_type: 'Bearer',
      profile: { email: grace.email, name: 'Grace Hopper', iss: issuer() },
      state: { target: '/inbox' },
    })
    const renewed = await callManager(page, 'signinSilent')
    expect(renewed.error).toBeUndefined()
    expect(renewed.result?.access_token).not.toBe(result?.access_token)
    await page.evaluate(() => void window.userManager.signoutRedirect())
    await page.waitForURL(`${app().origin}/`)
    expect((await callManager(page, 'signinSilent')).error).toMatchObject({ error: 'login_required' })
  })

  test('with offline_access it renews by refresh tokens, and keeps who the person is', async () => {
    const page = await open(app(), issuer(), {
      scope: 'openid profile email offline_access',
      extraQueryParams: { audience: archive },
    })
    await signIn(page)
    const first = await callManager(page, 'signinCallback')
    expect(first.result?.refresh_token).toEqual(expect.any(String))
    await page.context().clearCookies()
    for (let round = 0; round < 2; round++) {
      const renewed = await callManager(page, 'signinSilent')
      expect(renewed.error).toBeUndefined()
      expect(renewed.result).toMatchObject({ profile: { email: grace.email } })
    }
  })
})
