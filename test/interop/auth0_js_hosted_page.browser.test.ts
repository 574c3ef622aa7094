/**
 * Tests the published auth0-js 10, unmodified, on a login page of an administrator's own, in Chromium: `login` calls
 * `/usernamepassword/login`, puts the form that comes back into the page and submits it. It does so only where `domain` is the host
 * of the page, without a scheme, and then speaks https: so such a page works over https alone.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { addAuth0Pages, ask } from '../support/auth0_js.ts'
import { allowIfAsked, type Credentials } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { grace, messages, sceneClients } from '../support/scene_tenant.ts'
import { connection } from '../support/tenant.ts'

const library = readFileSync(fileURLToPath(import.meta.resolve('auth0-js/dist/auth0.min.js')), 'utf8')
const hostedPage = `<!doctype html><html lang="{{ lang }}"><title>Acme</title><link rel="icon" href="{{ assets.icon }}">
<script nonce="{{ nonce }}">{% raw %}${library}{% endraw %}</script>
<body><h1>Acme</h1><script nonce="{{ nonce }}">
  const config = JSON.parse(decodeURIComponent(escape(atob('{{ config }}'))))
  window.webAuth = new auth0.WebAuth({
    overrides: { __tenant: config.auth0Tenant, __token_issuer: config.authorizationServer.issuer },
    domain: config.auth0Domain,
    clientID: config.clientID,
    redirectUri: config.callbackURL,
    responseType: 'token',
    ...config.internalOptions,
  })
  window.connection = config.connection
</script></body></html>`

let scene: Scene
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-hosted-page-'))
  writeFileSync(join(folder, 'login.liquid'), hostedPage)
  scene = await openScene({ options: { pages: folder } })
})
afterEach(async () => {
  const known = /Consent can't be skipped on localhost/
  expect((await scene.endTest()).filter((complaint) => !known.test(complaint))).toEqual([])
})
afterAll(async () => {
  await scene.close()
  rmSync(folder, { recursive: true })
})

/** From the app to the login page. */
async function start(): Promise<Page> {
  const app = scene.near
  addAuth0Pages(app, {
    ...{ clientID: sceneClients.app, audience: messages, responseType: 'token id_token' },
    ...{ scope: 'openid profile email read:messages', domain: new URL(scene.latchkey.https_issuer).host },
    redirectUri: `${app.origin}/callback`,
  })
  const { page } = await scene.openTab()
  await page.goto(`${app.origin}/`)
  await page.evaluate(() => window.webAuth.authorize({}))
  await page.waitForURL('**/u/login?*')
  await page.waitForSelector('h1')
  return page
}

/** The error that `login` gives its callback; with the right password there is none, because the page is left. */
const refusal = (page: Page, { email, password }: Credentials) =>
  page.evaluate(
    ([username, given]) =>
      new Promise<Readonly<Record<string, unknown>> | null>((resolve) =>
        window.webAuth.login(
          { realm: (window as unknown as { connection: string }).connection, username, password: given },
          (error) => resolve(error as Readonly<Record<string, unknown>> | null),
        ),
      ),
    [email, password] as const,
  )

async function logIn(page: Page, { email, password }: Credentials): Promise<void> {
  await page.evaluate(
    ([username, given]) => {
      const { connection: realm } = window as unknown as { connection: string }
      window.webAuth.login({ realm, username, password: given }, () => undefined)
    },
    [email, password] as const,
  )
}

async function signedIn(page: Page): Promise<unknown> {
  await page.waitForURL(({ pathname }) => pathname !== '/u/login')
  await allowIfAsked(page)
  await page.waitForURL(/\/callback#/)
  const { error, result } = await ask(page, 'parseHash', {})
  expect(error).toBeNull()
  return result
}

describe('auth0-js 10 on a hosted page', () => {
  test('login: the form takes the person on, through consent, to the app', async () => {
    const page = await start()
    await logIn(page, grace)
    expect(await signedIn(page)).toMatchObject({ idTokenPayload: { email: grace.email }, expiresIn: 7200 })
    expect((await ask(page, 'checkSession', {})).result).toMatchObject({ idTokenPayload: { email: grace.email } })
  })

  test('a wrong password is an error of the callback, and the page can be used again', async () => {
    const page = await start()
    expect(await refusal(page, { ...grace, password: 'Wrong-Horse-7' })).toMatchObject({
      ...{ code: 'invalid_user_password', description: 'Wrong email or password.', statusCode: 401 },
    })
    await logIn(page, grace)
    expect(await signedIn(page)).toMatchObject({ idTokenPayload: { email: grace.email } })
  })

  test('client.getChallenge: nothing to solve', async () => {
    const page = await start()
    expect(await challenge(page)).toEqual({ required: false })
  })

  test('redirect.signupAndLogin: a new account, and on to the app with it', async () => {
    const page = await start()
    const newcomer = { email: 'hosted@example.com', password: 'First-Password-1' }
    await page.evaluate((options) => window.webAuth.redirect.signupAndLogin(options, () => undefined), {
      ...newcomer,
      connection,
    })
    expect(await signedIn(page)).toMatchObject({ idTokenPayload: { email: newcomer.email } })
  })
})

const challenge = (page: Page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const { client } = window.webAuth as unknown as {
          client: { getChallenge(done: (error: unknown, result: unknown) => void): void }
        }
        client.getChallenge((error, result) => resolve(error ?? result))
      }),
  )
