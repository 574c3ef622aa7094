/** Tests the hosted pages where they live: in the real server, on a real trip, for people with and without a mouse, a script, or English. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fragmentOf } from '../support/agent.ts'
import { authorizeUrl } from '../support/flow.ts'
import { allow, allowIfAsked, deny, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { alan, grace, messages, sceneClients } from '../support/scene_tenant.ts'
import { person } from '../support/tenant.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  for (const path of ['/callback', '/posted'])
    scene.app.files.set(path, '<!doctype html><title>App</title><link rel="icon" href="data:,">')
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

const request = (change: Readonly<Record<string, string | undefined>> = {}) =>
  authorizeUrl(scene.latchkey.issuer, {
    client_id: sceneClients.app,
    redirect_uri: `${scene.app.origin}/callback`,
    audience: messages,
    ...change,
  })

const arrived = async (page: Page) => {
  await page.waitForURL(/\/callback#/)
  return fragmentOf(page.url())
}
const focused = (page: Page) => page.evaluate(() => document.activeElement?.id)
const heading = (page: Page) => page.innerText('h1')
const mailTo = async (to: string, kind: string) =>
  (await scene.latchkey.mails()).find((mail) => mail.to === to && mail.kind === kind)

describe('with the keyboard alone', () => {
  test('from the request through login and consent to the tokens', async () => {
    const { page } = await scene.openTab()
    await page.goto(request())
    expect(await focused(page)).toBe('username')
    await page.keyboard.type(alan.email)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('password')
    await page.keyboard.type(alan.password)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/u/consent?*')
    const order: (string | undefined)[] = []
    do {
      await page.keyboard.press('Tab')
      order.push(await focused(page))
    } while (order.at(-1) !== 'consent-allow' && order.length < 12)
    expect(order).toEqual(['consent-allow'])
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('consent-deny')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    expect((await arrived(page)).access_token).toBeDefined()
  })

  test('a wrong password: the trouble is said, and typing goes on where it helps', async () => {
    const { page } = await scene.openTab()
    await page.goto(request())
    await logIn(page, { email: alan.email, password: 'wrong' })
    await page.waitForSelector('.problems')
    expect(await focused(page)).toBe('password')
    expect(await page.inputValue('#username')).toBe(alan.email)
    expect(await page.inputValue('#password')).toBe('')
    await page.keyboard.type(alan.password)
    await page.keyboard.press('Enter')
    await allowIfAsked(page)
    expect((await arrived(page)).id_token).toBeDefined()
  })
})

describe('without script', () => {
  const open = async (url: string) => {
    const { page } = await scene.openTab({ javaScriptEnabled: false })
    await page.goto(url)
    return page
  }

  test('login, consent, the tokens; a second visit with another account', async () => {
    const page = await open(request({ prompt: 'consent' }))
    await logIn(page)
    await allow(page)
    expect((await arrived(page)).access_token).toBeDefined()
    await page.goto(request({ prompt: 'select_account consent' }))
    await page.click('#other-account')
    await logIn(page, grace)
    await deny(page)
    expect(await arrived(page)).toMatchObject({ error: 'access_denied' })
  })

  test('a sign-up with a weak password, then a good one, and the address verified', async () => {
    const page = await open(request())
    await page.click('text=Sign up')
    await page.fill('#email', 'quiet@example.com')
    await page.fill('#password', 'abc')
    await page.click('#signup-submit')
    await page.waitForSelector('.problems')
    expect(await page.inputValue('#email')).toBe('quiet@example.com')
    await page.fill('#password', 'Better-Password-1')
    await page.click('#signup-submit')
    await allowIfAsked(page)
    expect((await arrived(page)).id_token).toBeDefined()
    await page.goto((await mailTo('quiet@example.com', 'verify_email'))?.links[0] ?? '')
    await page.click('#verify-email-submit')
    await page.waitForSelector('h1')
    expect(await heading(page)).toMatch(/verified|confirmed/i)
  })

  test('a forgotten password, from the login page to the tokens', async () => {
    const page = await open(request())
    await page.click('text=Forgot your password?')
    await page.fill('#email', grace.email)
    await page.click('#reset-submit')
    await page.waitForURL(/reset-password/)
    await page.goto((await mailTo(grace.email, 'reset_password'))?.links[0] ?? '')
    await page.fill('#password', 'Fresh-Password-9')
    await page.fill('#password-confirm', 'Fresh-Password-9')
    await page.click('#reset-submit')
    await page.waitForSelector('h1')
    await page.goto(request())
    await logIn(page, { email: grace.email, password: 'Fresh-Password-9' })
    await allowIfAsked(page)
    expect((await arrived(page)).id_token).toBeDefined()
  })

  test('OAuth 2.0 Form Post Response Mode §2: a button sends the answer', async () => {
    const page = await open(
      request({ response_mode: 'form_post', redirect_uri: `${scene.app.origin}/posted`, response_type: 'id_token' }),
    )
    await logIn(page)
    await allowIfAsked(page)
    await page.click('form#response button')
    await page.waitForURL(`${scene.app.origin}/posted`)
    const { method, body } = scene.app.requests.findLast(({ url }) => url === '/posted') ?? {}
    expect(method).toBe('POST')
    expect([...new URLSearchParams(body).keys()].sort()).toEqual(['id_token', 'iss', 'session_state', 'state'])
  })
})

describe('OpenID Connect Core §3.1.2.1 ui_locales', () => {
  test('ar turns the whole trip to Arabic, from right to left', async () => {
    const { page } = await scene.openTab()
    await page.goto(request({ ui_locales: 'ar', prompt: 'consent' }))
    const arabic = async () => {
      expect(await page.getAttribute('html', 'dir')).toBe('rtl')
      expect(await page.getAttribute('html', 'lang')).toBe('ar')
      expect(await heading(page)).toMatch(/[\u0600-\u06ff]/)
      expect(await page.evaluate(() => getComputedStyle(document.body).direction)).toBe('rtl')
    }
    await arabic()
    // What is typed stays from left to right.
    expect(
      await page.evaluate(() => getComputedStyle(document.querySelector('#username') ?? document.body).direction),
    ).toBe('ltr')
    await logIn(page, { ...person, password: 'wrong' })
    await page.waitForSelector('.problems')
    await arabic()
    expect(await page.innerText('.problems')).toMatch(/[\u0600-\u06ff]/)
    await logIn(page)
    await page.waitForURL('**/u/consent?*')
    await arabic()
    await allow(page)
    await arrived(page)
  })

  test('without it the language of the browser counts; a language nobody wrote is English', async () => {
    for (const [locale, dir] of [
      ['ar', 'rtl'],
      ['fi-FI', 'ltr'],
    ] as const) {
      const { page } = await scene.openTab({ locale })
      await page.goto(request())
      expect(await page.getAttribute('html', 'dir')).toBe(dir)
      await page.goto(request({ redirect_uri: 'https://evil.example.com/' }))
      expect(await page.getAttribute('html', 'dir')).toBe(dir)
    }
  })
})

describe('password managers find what they look for', () => {
  const attributes = (page: Page, selector: string) =>
    page.$eval(selector, (input) =>
      input instanceof HTMLInputElement
        ? {
            id: input.id,
            name: input.name,
            type: input.type,
            autocomplete: input.autocomplete,
            label: input.labels?.length,
          }
        : undefined,
    )

  test('login, sign-up and new password say what they are', async () => {
    const { page } = await scene.openTab()
    await page.goto(request())
    expect(await attributes(page, '#username')).toEqual({
      ...{ id: 'username', name: 'username', type: 'text', autocomplete: 'username', label: 1 },
    })
    const password = { id: 'password', name: 'password', type: 'password', label: 1 }
    expect(await attributes(page, '#password')).toEqual({ ...password, autocomplete: 'current-password' })
    expect(await page.locator('#login-submit').getAttribute('name')).toBe('action')
    expect(await page.locator('#login-submit').getAttribute('value')).toBe('default')
    expect(await page.innerText('#login-submit')).toBe('Continue')
    await page.click('text=Sign up')
    expect(await attributes(page, '#email')).toMatchObject({ name: 'email', type: 'email', autocomplete: 'email' })
    expect(await attributes(page, '#password')).toEqual({ ...password, autocomplete: 'new-password' })
    await page.click('text=Log in')
    await page.click('text=Forgot your password?')
    await page.fill('#email', person.email)
    await page.click('#reset-submit')
    await page.goto((await mailTo(person.email, 'reset_password'))?.links[0] ?? '')
    expect(await attributes(page, '#password')).toEqual({ ...password, autocomplete: 'new-password' })
    const own = await page.$eval('input[autocomplete=username]', (input) => input.getAttribute('value'))
    expect(own).toBe(person.email)
  })
})
