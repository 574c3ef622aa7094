/** Tests the published auth0-spa-js 2 with `useDpop` in Chromium, unmodified, against the real server. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addSpaPages, callSpa } from '../support/auth0_spa_js.ts'
import { allowIfAsked, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { archive, grace, sceneClients } from '../support/scene_tenant.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  // A refused request is an answer here, and a line in the console of every browser.
  const known = /Failed to load resource: the server responded with a status of 40[01]/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(() => scene.close())

async function wholeWay(): Promise<void> {
  const { app, latchkey } = scene
  addSpaPages(app, {
    ...{ domain: latchkey.issuer.slice(0, -1), clientId: sceneClients.app, useDpop: true, useRefreshTokens: true },
    authorizationParams: {
      ...{ redirect_uri: `${app.origin}/callback`, audience: archive },
      scope: 'openid profile email read:messages offline_access',
    },
  })
  const { page } = await scene.openTab()
  await page.goto(`${app.origin}/`)
  await page.evaluate(() => void window.auth0Client.loginWithRedirect())
  await logIn(page, grace)
  await allowIfAsked(page)
  await page.waitForURL(/\/callback\?/)
  expect((await callSpa(page, 'handleRedirectCallback')).error).toBeUndefined()
  await page.context().clearCookies()
  for (let round = 0; round < 2; round++) {
    const renewed = await callSpa(page, 'getTokenSilently', { cacheMode: 'off', detailedResponse: true })
    expect(renewed.error).toBeUndefined()
    expect(renewed.result).toMatchObject({ token_type: 'DPoP' })
  }
  const asked = await page.evaluate(
    async ([issuer, audience]) => {
      const fetcher = window.auth0Client.createFetcher({ dpopNonceId: 'userinfo', baseUrl: issuer })
      const answer = await fetcher.fetchWithAuth('userinfo', undefined, { audience })
      const token = await window.auth0Client.getTokenSilently()
      const plain = await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })
      return { status: answer.status, user: (await answer.json()) as { email?: string }, plain: plain.status }
    },
    [latchkey.issuer, archive] as const,
  )
  expect(asked).toMatchObject({ status: 200, user: { email: grace.email }, plain: 401 })
}

describe('auth0-spa-js 2 with useDpop', () => {
  test('login, refresh tokens, a call with a proof', wholeWay)

  test('the same where the server demands nonces and proofs', async () => {
    await scene.latchkey.apply(`
clients:
  - { name: Notebook, client_id: ${sceneClients.app}, dpop_bound_access_tokens: true, require_dpop_nonce: true }
`)
    await wholeWay()
  })
})
