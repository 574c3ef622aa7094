/** Tests the example programs in Chromium: built, served, and calling the demo API with tokens it verifies. */

import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ScriptedServer, startAuthorizationServer } from './support/authorization_server.ts'
import { startBrowser } from './support/browser.ts'
import { buildExample, type DemoApi, type Example, serve, startDemoApi } from './support/examples.ts'
import type { TestServer } from './support/http.ts'
import { openWebView } from './support/web_view.ts'

const audience = 'http://localhost:8402/'
const names = ['spa', 'react', 'mobile'] as const
const signedOut = { error: { error: 'login_required', error_description: 'Login required' } }

let server: ScriptedServer
let api: DemoApi
let browser: Browser
const built: Example[] = []
const apps: Partial<Record<(typeof names)[number], TestServer>> = {}

const origin = (name: (typeof names)[number]) => apps[name]?.origin ?? ''
const config = () => ({ issuer: server.issuer, client_id: 'client', audience, api: api.url })

beforeAll(async () => {
  server = await startAuthorizationServer()
  for (const name of names) {
    const example = buildExample(name)
    built.push(example)
    apps[name] = await serve(example.directory, config)
  }
  api = await startDemoApi(server.issuer, audience, names.map(origin))
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
  api.stop()
  await Promise.all([server.close(), ...Object.values(apps).map((app) => app.close())])
  for (const example of built) example.remove()
})
beforeEach(() => {
  server.script = signedOut
  server.asked.length = 0
})
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
})

async function open(name: (typeof names)[number], options = {}): Promise<Page> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(`${origin(name)}/`)
  return page
}

/** Nothing that axe finds, and nothing wider than the screen. */
async function expectGoodPage(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => String(target))])).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
}

describe('examples/spa', () => {
  const status = (page: Page) => page.getAttribute('#api-status', 'data-status')
  const press = async (page: Page, id: string) => {
    await page.click(`#${id}`)
    await page.waitForSelector('#api-answer:not([aria-busy]) #api-status')
    return status(page)
  }
  const signIn = async (page: Page) => {
    await page.waitForSelector('[data-state=signed-out]')
    server.script = {}
    await page.click('#sign-in')
    await page.waitForSelector('[data-state=signed-in]')
  }

  test('sends the request it shows, and shows the answer it took out of the address', async () => {
    const page = await open('spa')
    await page.waitForSelector('[data-state=signed-out]')
    await page.uncheck('[value="read:contacts"]')
    await page.selectOption('[name=prompt]', 'consent')
    const shown = await page.textContent('#request-url')
    await signIn(page)
    expect(server.asked.at(-1)).toEqual(Object.fromEntries(new URL(shown ?? '').searchParams))
    expect(server.asked.at(-1)).toMatchObject({ scope: 'openid profile email read:messages', prompt: 'consent' })
    expect(page.url()).toBe(`${origin('spa')}/callback.html`)
    const answer = (await page.textContent('#answer')) ?? ''
    for (const word of ['access_token', 'id_token', 'expires_in', 'state', 'iss']) expect(answer).toContain(word)
    const tokens = (await page.textContent('#tokens')) ?? ''
    for (const word of ['at_hash', 'ada@example.com', audience]) expect(tokens).toContain(word)
  })

  test('calls the API: allowed, refused, and allowed after asking for more', async () => {
    const page = await open('spa')
    await signIn(page)
    expect(await press(page, 'read-messages')).toBe('200')
    expect(await press(page, 'call-with-id-token')).toBe('401')
    expect(await press(page, 'call-without-token')).toBe('401')
    expect(await press(page, 'post-message')).toBe('403')
    expect(await page.textContent('#api-answer')).toContain('insufficient_scope')
    await page.click('#more-permission')
    await page.waitForURL(/callback/)
    await page.waitForSelector('[data-state=signed-in]')
    expect(server.asked.at(-1)?.scope).toContain('write:messages')
    expect(await press(page, 'post-message')).toBe('201')
  })

  test('renews silently by the button, and by itself before the end', async () => {
    const page = await open('spa')
    await signIn(page)
    server.script = { lifetime: 3 }
    await page.click('#renew')
    // Half of so short a life is left when it renews by itself.
    await page.waitForFunction(() => (document.querySelector('#renewal-log')?.textContent ?? '').includes('by itself'))
    expect(server.asked.slice(-2)).toMatchObject([{ prompt: 'none' }, { prompt: 'none' }])
    expect(await page.textContent('#renewal-log')).toMatch(/by itself: new tokens in \d+ ms/)
  })

  test('is signed in again after a reload, and signed out after signing out', async () => {
    const page = await open('spa')
    await signIn(page)
    await page.reload()
    await page.waitForSelector('[data-state=signed-in]')
    server.script = signedOut
    await page.click('#sign-out')
    await page.waitForURL(`${origin('spa')}/`)
    await page.waitForSelector('[data-state=signed-out]')
    expect(await page.textContent('#renewal-log')).toContain('login_required')
  })

  test('signs in in a popup', async () => {
    const page = await open('spa')
    await page.waitForSelector('[data-state=signed-out]')
    server.script = {}
    await page.click('#sign-in-popup')
    await page.waitForSelector('[data-state=signed-in]')
    expect(await page.textContent('#answer')).toContain('popup')
  })

  test('a refusal is shown, and its answer leaves the address too', async () => {
    const page = await open('spa')
    await signIn(page)
    server.script = { error: { error: 'access_denied', error_description: 'The user said no' } }
    await page.click('#sign-in')
    await page.waitForSelector('#answer .problem')
    expect(await page.textContent('#answer .problem')).toContain('access_denied')
    expect(page.url()).toBe(`${origin('spa')}/callback.html`)
  })

  test('says what is missing where nobody configured it', async () => {
    const { directory } = built[names.indexOf('spa')] ?? { directory: '' }
    const bare = await serve(directory, () => ({ client_id: '' }))
    const page = await browser.newPage()
    await page.goto(bare.origin)
    await page.waitForSelector('[data-state=broken]')
    expect(await page.textContent('#setup')).toContain('npm start')
    await bare.close()
  })

  for (const colorScheme of ['light', 'dark'] as const)
    for (const [name, viewport] of [
      ['a phone', { width: 390, height: 844 }],
      ['a desktop', { width: 1280, height: 800 }],
    ] as const)
      test(`everybody can use it on ${name} in ${colorScheme}`, async () => {
        const page = await open('spa', { colorScheme, viewport })
        await page.waitForSelector('[data-state=signed-out]')
        await expectGoodPage(page)
        await signIn(page)
        await press(page, 'post-message')
        await expectGoodPage(page)
      })
})

describe('examples/react', () => {
  test('signs in, shows the profile, calls the API, signs out', async () => {
    const page = await open('react')
    await page.waitForSelector('[data-state=signed-out]')
    server.script = { error: { error: 'access_denied', error_description: 'The user said no' } }
    await page.click('text=Sign in')
    await page.waitForSelector('[role=alert]')
    expect(await page.textContent('[role=alert]')).toContain('access_denied')
    server.script = {}
    await page.click('text=Sign in')
    await page.waitForSelector('[data-state=signed-in]')
    expect(page.url()).toBe(`${origin('react')}/`)
    expect(await page.textContent('dl')).toContain('ada@example.com')
    await page.click('text=Read my messages')
    await page.waitForSelector('li')
    expect(await page.textContent('ul')).toContain('Welcome')
    await expectGoodPage(page)
    server.script = signedOut
    await page.click('text=Sign out')
    await page.waitForSelector('[data-state=signed-out]')
    expect(server.logouts.at(-1)?.searchParams.get('returnTo')).toBe(`${origin('react')}/`)
    await expectGoodPage(page)
  })

  test('finds a session by itself', async () => {
    server.script = {}
    const page = await open('react')
    await page.waitForSelector('[data-state=signed-in]')
    expect(server.asked).toHaveLength(1)
  })
})

describe('examples/mobile', () => {
  async function openMobile(): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } })
    const page = await context.newPage()
    await page.exposeFunction('signInShell', (url: string, callback: string) =>
      openWebView(context, url, callback, (view) => view.click('#on', { noWaitAfter: true })),
    )
    await page.addInitScript(() => {
      Object.assign(window, { shell: { signIn: Reflect.get(window, 'signInShell') } })
    })
    await page.goto(`${origin('mobile')}/`)
    return page
  }

  test('RFC 8252 §7.1 the callback of an own scheme is caught, checked, and the API called', async () => {
    server.script = { login: true }
    const page = await openMobile()
    await page.click('#sign-in')
    await page.waitForSelector('[data-state=signed-in]')
    expect(await page.textContent('#status')).toBe('Hello, Ada.')
    expect(server.asked).toMatchObject([{ redirect_uri: 'com.example.latchkey://callback' }])
    await page.click('#read')
    await page.waitForSelector('li')
    expect(await page.textContent('#messages')).toContain('Welcome')
    await expectGoodPage(page)
  })

  test('a callback with a changed state is refused', async () => {
    server.script = { login: true, answer: { state: 'forged' } }
    const page = await openMobile()
    await page.click('#sign-in')
    await page.waitForFunction(() => document.querySelector('#status')?.textContent?.includes('No login'))
    expect(await page.getAttribute('body', 'data-state')).toBe('signed-out')
  })
})
