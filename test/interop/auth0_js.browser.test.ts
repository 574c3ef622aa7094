/**
 * Tests the published auth0-js 10 in Chromium, unmodified, against the real server. What an app has to say:
 *
 * - Over https nothing special: `domain: 'localhost:8443'`. The issuer it expects, `https://localhost:8443/`, is the server's.
 * - Over plain http `domain` carries the scheme, `http://localhost:8400`, and is then used as the root of every address; but the
 *   issuer it expects is always `https://${domain}/`, so `overrides: { __token_issuer: 'http://localhost:8400/' }` has to name the
 *   right one. `__jwks_uri` is not needed: the key set is looked for under the `iss` of the token.
 * - App and server are best both on http or both on https: an http page and the https name are two sites to a browser, and one that
 *   blocks cookies across sites then answers `checkSession` and `renewAuth` with `login_required`. Redirects and popups work anyway.
 * - `popup.authorize` needs a callback page on the app's own origin that calls `popup.callback()`.
 * - `renewAuth` is still there in 10; its callback page has to be among the Allowed Callback URLs, and `checkSession` needs the
 *   app's origin among the Allowed Web Origins.
 */
import type { AuthOptions } from 'auth0-js'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addAuth0Pages, ask } from '../support/auth0_js.ts'
import { pkce } from '../support/code_flow.ts'
import { allow, allowIfAsked, type Credentials, deny, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { alan, grace, messages, sceneClients } from '../support/scene_tenant.ts'
import { connection } from '../support/tenant.ts'
import type { WebApp } from '../support/web_app.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  // auth0-js itself says in the console why consent shows on localhost.
  const known = /Consent can't be skipped on localhost/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(() => scene.close())

const settings = {
  clientID: sceneClients.app,
  audience: messages,
  responseType: 'token id_token',
  scope: 'openid profile email read:messages',
}

async function open(app: WebApp, domain: Pick<AuthOptions, 'domain' | 'overrides'>): Promise<Page> {
  addAuth0Pages(app, { ...settings, ...domain, redirectUri: `${app.origin}/callback` })
  const { page } = await scene.openTab()
  await page.goto(`${app.origin}/`)
  return page
}

/** Leaves for the server by `authorize`, and signs in there. */
async function signIn(page: Page, options: object = {}, who: Credentials = grace): Promise<void> {
  await page.evaluate((given) => window.webAuth.authorize(given), options)
  await logIn(page, who)
  await allowIfAsked(page)
  await page.waitForURL(/\/callback/)
}

const callApi = async (token: unknown) =>
  (await fetch(`${scene.api.url}/messages`, { headers: { authorization: `Bearer ${token}` } })).status

const places = {
  http: {
    app: () => scene.app,
    domain: () => {
      const { issuer } = scene.latchkey
      return { domain: issuer.slice(0, -1), overrides: { __token_issuer: issuer } }
    },
  },
  https: { app: () => scene.near, domain: () => ({ domain: new URL(scene.latchkey.https_issuer).host }) },
} as const

for (const [scheme, { app, domain }] of Object.entries(places)) {
  describe(`auth0-js 10 over ${scheme}`, () => {
    test('authorize, parseHash, client.userInfo, an API call, checkSession, logout', async () => {
      const page = await open(app(), domain())
      expect((await ask(page, 'checkSession', {})).error).toMatchObject({ error: 'login_required' })
      await signIn(page, { appState: { page: '/inbox' } })
      const { error, result } = await ask(page, 'parseHash', {})
      expect(error).toBeNull()
      expect(result).toMatchObject({
        appState: { page: '/inbox' },
        expiresIn: 7200,
        tokenType: 'Bearer',
        refreshToken: null,
        scope: null,
        idTokenPayload: { email: grace.email, name: 'Grace Hopper', aud: sceneClients.app },
      })
      expect((await ask(page, 'client.userInfo', result?.accessToken)).result).toMatchObject({
        sub: expect.stringMatching(/^auth0\|/),
        email: grace.email,
        email_verified: true,
      })
      expect(await callApi(result?.accessToken)).toBe(200)

      const again = await ask(page, 'checkSession', {})
      expect(again.error).toBeNull()
      expect(again.result).toMatchObject({ idTokenPayload: { email: grace.email }, expiresIn: 7200 })
      expect(await callApi(again.result?.accessToken)).toBe(200)
      expect((await ask(page, 'checkSession', { scope: 'openid write:messages' })).error).toMatchObject({
        error: 'consent_required',
      })

      await page.evaluate((returnTo) => window.webAuth.logout({ returnTo }), `${app().origin}/`)
      await page.waitForURL(`${app().origin}/`)
      expect((await ask(page, 'checkSession', {})).error).toMatchObject({ error: 'login_required' })
    })

    test('popup.authorize and popup.callback', async () => {
      const page = await open(app(), domain())
      const opened = page.waitForEvent('popup')
      await page.click('button')
      const popup = await opened
      const closed = popup.waitForEvent('close')
      await logIn(popup, grace)
      await allowIfAsked(popup)
      const { error, result } = await page.evaluate(() => window.popupResult)
      expect(error).toBeNull()
      expect(result).toMatchObject({ idTokenPayload: { email: grace.email }, expiresIn: 7200 })
      await closed
      expect(await callApi(result?.accessToken)).toBe(200)
    })

    test('renewAuth, its callback page in a frame, by its address and by a message', async () => {
      const page = await open(app(), domain())
      const { origin } = app()
      const silent = { redirectUri: `${origin}/silent` }
      expect((await ask(page, 'renewAuth', silent)).error).toMatchObject({ error: 'login_required' })
      await signIn(page)
      const loaded = await ask(page, 'renewAuth', silent)
      expect(loaded).toMatchObject({ error: null, result: { idTokenPayload: { email: grace.email } } })
      const posted = { redirectUri: `${origin}/silent_message`, usePostMessage: true, postMessageOrigin: origin }
      const told = await ask(page, 'renewAuth', posted)
      expect(told).toMatchObject({ error: null, result: { idTokenPayload: { email: grace.email } } })
      expect(await callApi(told.result?.accessToken)).toBe(200)
    })
  })
}

describe('auth0-js 10: the rest of it', () => {
  const start = () => open(scene.app, places.http.domain())

  test('over http without the override it refuses the token, and says which issuer it wanted', async () => {
    const { domain } = places.http.domain()
    const page = await open(scene.app, { domain })
    await signIn(page)
    const { error } = await ask(page, 'parseHash', {})
    expect(error).toMatchObject({ error: 'invalid_token' })
    expect(error?.errorDescription).toContain(`expected "https://${domain}/", found "${scene.latchkey.issuer}"`)
  })

  test('an http page with the https name: redirects work, silent renewal is login_required where cookies do not cross', async () => {
    const page = await open(scene.app, places.https.domain())
    await signIn(page)
    expect((await ask(page, 'parseHash', {})).result).toMatchObject({ idTokenPayload: { email: grace.email } })
    expect((await ask(page, 'checkSession', {})).error).toMatchObject({ error: 'login_required' })
  })

  test('OAuth 2.0 Form Post Response Mode §2: responseMode form_post', async () => {
    const page = await start()
    await page.evaluate(
      (redirectUri) => window.webAuth.authorize({ responseMode: 'form_post', redirectUri }),
      `${scene.app.origin}/posted`,
    )
    await logIn(page, grace)
    await allowIfAsked(page)
    await page.waitForURL(`${scene.app.origin}/posted`)
    const hash = await page.innerText('#posted')
    const { error, result } = await ask(page, 'parseHash', { hash })
    expect(error).toBeNull()
    expect(result).toMatchObject({ idTokenPayload: { email: grace.email }, tokenType: 'Bearer' })
    expect(scene.app.requests.filter(({ url }) => url.includes('access_token'))).toEqual([])
  })

  test('RFC 7636 §4.5 the code flow: authorize with a challenge, client.oauthToken with the verifier', async () => {
    const page = await start()
    const { code_verifier, request } = pkce()
    await signIn(page, {
      responseType: 'code',
      codeChallenge: request.code_challenge,
      codeChallengeMethod: request.code_challenge_method,
    })
    const code = new URL(page.url()).searchParams.get('code')
    const { error, result } = await ask(page, 'client.oauthToken', {
      ...{ grantType: 'authorization_code', code, codeVerifier: code_verifier },
      redirectUri: `${scene.app.origin}/callback`,
    })
    expect(error).toBeNull()
    expect(result).toMatchObject({ tokenType: 'Bearer', expiresIn: 86_400, idToken: expect.any(String) })
    expect(await callApi(result?.accessToken)).toBe(200)
  })

  test('the response types one by one', async () => {
    const page = await start()
    await signIn(page)
    await page.goto(`${scene.app.origin}/`)
    const only = await ask(page, 'checkSession', { responseType: 'token' })
    expect(only.result).toMatchObject({ idToken: null, tokenType: 'Bearer' })
    const id = await ask(page, 'checkSession', { responseType: 'id_token' })
    expect(id.result).toMatchObject({ accessToken: null, idTokenPayload: { email: grace.email } })
  })

  test('a granted scope that is less than was asked for is told', async () => {
    const page = await start()
    await signIn(page, { scope: 'openid read:messages read:nothing' })
    const { result } = await ask(page, 'parseHash', {})
    expect(result?.scope).toBe('openid read:messages')
  })

  test('refused consent, a changed state, a changed token and a second reading are errors', async () => {
    const page = await start()
    await page.evaluate(() => window.webAuth.authorize({}))
    await logIn(page, alan)
    await deny(page)
    await page.waitForURL(/\/callback#/)
    expect((await ask(page, 'parseHash', {})).error).toMatchObject({ error: 'access_denied' })

    await page.evaluate(() => window.webAuth.authorize({}))
    await allow(page)
    await page.waitForURL(/\/callback#/)
    const { hash } = new URL(page.url())
    const state = new URLSearchParams(hash.slice(1)).get('state') ?? ''
    const mismatch = { error: 'invalid_token', errorDescription: '`state` does not match.' }
    expect((await ask(page, 'parseHash', { hash: hash.replace(state, 'forged') })).error).toMatchObject(mismatch)
    const broken = hash.replace(/(access_token=[^&]*)/, '$1x')
    expect((await ask(page, 'parseHash', { hash: broken })).error).toMatchObject({ error: 'invalid_token' })
    // The transaction was used up by the attempt before.
    expect((await ask(page, 'parseHash', { hash })).error).toMatchObject(mismatch)
  })

  test('maxAge brings auth_time, login_hint fills in the address, prompt login asks for the password', async () => {
    const page = await start()
    await page.evaluate(
      (login_hint) => window.webAuth.authorize({ login_hint, prompt: 'login', maxAge: 600 } as object),
      grace.email,
    )
    await page.waitForURL('**/u/login?*')
    expect(await page.inputValue('#username')).toBe(grace.email)
    await logIn(page, grace)
    await page.waitForURL(/\/callback#/)
    const { result } = await ask(page, 'parseHash', {})
    expect(result?.idTokenPayload).toMatchObject({ auth_time: expect.any(Number) })
  })

  test('signup, then signing in; changePassword, the mail, the new password', async () => {
    const page = await start()
    const newcomer = { email: 'newcomer@example.com', password: 'First-Password-1' }
    const signup = { ...newcomer, connection, user_metadata: { colour: 'green' } }
    expect(await ask(page, 'signup', signup)).toMatchObject({
      error: null,
      result: { Id: expect.any(String), email: newcomer.email, emailVerified: false },
    })
    expect((await ask(page, 'signup', signup)).error).toMatchObject({ code: 'invalid_signup', statusCode: 400 })
    const weak = await ask(page, 'signup', { ...signup, email: 'weak@example.com', password: 'abc' })
    expect(weak.error).toMatchObject({ code: 'invalid_password', name: 'PasswordStrengthError', statusCode: 400 })
    await signIn(page, {}, newcomer)
    expect((await ask(page, 'parseHash', {})).result).toMatchObject({ idTokenPayload: { email: newcomer.email } })

    const { error, result } = await ask(page, 'changePassword', { connection, email: newcomer.email })
    expect([error, result]).toEqual([null, "We've just sent you an email to reset your password."])
    const mail = (await scene.latchkey.mails()).find(
      ({ kind, to }) => kind === 'reset_password' && to === newcomer.email,
    )
    await page.goto(mail?.links.find((link) => link.includes('reset-password')) ?? '')
    await page.fill('#password', 'Second-Password-2')
    await page.fill('#password-confirm', 'Second-Password-2')
    await page.click('#reset-submit')
    await page.waitForSelector('h1:not(:has-text("Choose"))')
    await page.goto(`${scene.app.origin}/`)
    // A new password ends the session.
    await signIn(page, {}, { ...newcomer, password: 'Second-Password-2' })
    expect((await ask(page, 'parseHash', {})).result).toMatchObject({ idTokenPayload: { email: newcomer.email } })
  })
})
