import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type App, openApp } from './support/app.ts'
import { readPages } from './support/blocks.ts'
import { allow, fillIn, openWebView, startBrowser } from './support/browser.ts'

const pages = readPages()
const opened: App[] = []
let browser: Browser

beforeAll(async () => {
  browser = await startBrowser()
})
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close()
})
afterAll(() => browser.close())

async function open(path: string, folder: string): Promise<App> {
  const app = await openApp(browser, path, folder)
  opened.push(app)
  return app
}

test('every page with an app has its test here', () => {
  const withApp = pages.filter(({ blocks }) => blocks.some(({ kind }) => kind === 'app')).map(({ path }) => path)
  expect(withApp.toSorted()).toEqual(tried.toSorted())
})

const tried = [
  'README.md',
  'docs/implicit_grant.md',
  'docs/quickstart_mobile.md',
  'docs/quickstart_spa.md',
  'docs/silent_authentication.md',
]

describe('README.md', () => {
  test('your own app signs in and calls your own API', async () => {
    const app = await open('README.md', 'my-app')
    const { page, errors } = app
    await page.goto(app.home)
    await page.click('text=Sign in')
    await page.waitForSelector('#username')
    expect(await page.textContent('main')).toContain('My app')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=Hello from the API, auth0|')
    expect(await page.textContent('p')).toMatch(/^Dana Demo: /)
    expect(page.url()).toBe(app.home)
    expect(errors).toEqual([])
  })
})

describe('docs/implicit_grant.md', () => {
  test('the flow by hand ends with the messages of the API', async () => {
    const app = await open('docs/implicit_grant.md', 'by-hand')
    const { page, errors } = app
    await page.goto(app.home)
    await page.click('text=Sign in')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=This message came from the API')
    expect(page.url()).toBe(app.home)
    // The same answer a second time was not asked for.
    await page.goto(`${app.home}#state=x&access_token=y&iss=z`)
    await page.reload()
    await page.waitForSelector('text=This answer was not asked for.')
    expect(errors).toEqual([])
  })

  test('the flow by hand tells a refusal', async () => {
    const app = await open('docs/implicit_grant.md', 'by-hand')
    const { page } = app
    await page.goto(app.home)
    await page.click('text=Sign in')
    await fillIn(page)
    await page.click('#consent-deny')
    await page.waitForSelector('text=access_denied: User did not authorize the request')
  })

  test('the SDK signs in', async () => {
    const app = await open('docs/implicit_grant.md', 'with-sdk')
    const { page, errors } = app
    await page.goto(app.home)
    await page.click('text=Sign in')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=demo@example.com may use openid profile email read:messages')
    expect(errors).toEqual([])
  })
})

describe('docs/quickstart_spa.md', () => {
  test('signs in, reads, survives a reload, signs out', async () => {
    const app = await open('docs/quickstart_spa.md', 'quickstart')
    const { page, errors } = app
    await page.goto(app.home)
    await page.click('#sign-in')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=Signed in as Dana Demo (demo@example.com).')
    await page.click('#read')
    await page.waitForSelector('text=This message came from the API')
    await page.reload()
    await page.waitForSelector('text=Signed in as Dana Demo')
    await page.click('#sign-out')
    await page.waitForSelector('#sign-in:not([hidden])')
    expect(page.url()).toBe(app.home)
    expect(errors).toEqual([])
  })

  test('a refusal is told with what to do', async () => {
    const app = await open('docs/quickstart_spa.md', 'quickstart')
    const { page } = app
    await page.goto(app.home)
    await page.click('#sign-in')
    await fillIn(page)
    await page.click('#consent-deny')
    await page.waitForSelector('text=access_denied: The person or a policy said no.')
  })
})

describe('docs/quickstart_mobile.md', () => {
  test('the app signs in through a web view', async () => {
    const app = await open('docs/quickstart_mobile.md', 'mobile')
    const { page, errors } = app
    const context = page.context()
    await page.exposeFunction('signInWithWebView', (url: string) =>
      openWebView(context, url, 'com.example.latchkey://callback', async (view) => {
        await fillIn(view)
        await allow(view)
      }),
    )
    await page.goto(app.home)
    await page.click('text=Sign in')
    await page.waitForSelector('text=Hello Dana Demo')
    expect(errors).toEqual([])
  })
})

describe('docs/silent_authentication.md', () => {
  test('nobody, then somebody, then the same person without a page', async () => {
    const app = await open('docs/silent_authentication.md', 'silent')
    const { page, errors } = app
    await page.goto(app.home)
    await page.waitForSelector('text=Nobody is signed in')
    await page.click('text=Sign in')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=Signed in as Dana Demo')
    await page.goto('about:blank')
    await page.goto(app.home)
    await page.waitForSelector('text=Signed in as Dana Demo')
    expect(errors).toEqual([])
  })

  test('the same by hand', async () => {
    const app = await open('docs/silent_authentication.md', 'silent')
    const { page, stage } = app
    const ask = (scope: string): Promise<Record<string, unknown>> => {
      const fixed = { client_id: 'silent', response_type: 'token', redirect_uri: app.home }
      const parameters = { ...fixed, scope, audience: stage.toTest('http://localhost:8402/') }
      const call = [stage.latchkey.issuer, parameters].map((one) => JSON.stringify(one)).join()
      return page.evaluate(`import('/by_hand.js').then(({ askSilently }) => askSilently(${call}))`)
    }
    await page.goto(app.home)
    await page.waitForSelector('text=Nobody is signed in')
    expect(await ask('read:messages')).toMatchObject({ error: 'login_required' })
    await page.click('text=Sign in')
    await fillIn(page)
    await allow(page)
    await page.waitForSelector('text=Signed in as Dana Demo')
    expect(await ask('read:messages')).toMatchObject({ token_type: 'Bearer', expires_in: 7200 })
    expect(await ask('write:messages')).toMatchObject({ error: 'consent_required' })
  })
})
