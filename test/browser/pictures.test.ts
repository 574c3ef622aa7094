/**
 * Makes the pictures of the README, from what really runs, and only when asked: `UPDATE_PICTURES=1 npx vitest run --project browser
 * pictures`. They show the addresses of `npm start`, so that must not be running.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTab, startChromium } from '../support/chromium.ts'
import { type Development, runDevelopment } from '../support/development.ts'
import { allow, allowIfAsked, logIn } from '../support/person.ts'

const folder = join(import.meta.dirname, '../../docs/images')

const desktop: BrowserContextOptions = { viewport: { width: 1100, height: 840 }, deviceScaleFactor: 1.5 }
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  colorScheme: 'dark',
}

describe.skipIf(process.env.UPDATE_PICTURES !== '1')('pictures', () => {
  let browser: Browser
  let development: Development
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    ;[browser, development] = await Promise.all([startChromium(), runDevelopment('usual_ports')])
  })
  afterAll(() => Promise.all([browser.close(), development.close()]))

  async function openDemo(options: BrowserContextOptions): Promise<Page> {
    const { page } = await openTab(browser, options)
    await page.goto(development.app)
    await page.waitForSelector('[data-state=signed-out]')
    return page
  }

  async function picture(page: Page, name: string): Promise<void> {
    // Without the caret, which blinks.
    const path = join(folder, `${name}.png`)
    const image = await page.screenshot({ path, caret: 'hide', animations: 'disabled' })
    expect(image.length).toBeGreaterThan(10_000)
  }

  for (const [suffix, options] of [
    ['', desktop],
    ['-dark-phone', phone],
  ] as const) {
    test(`login, consent and demo${suffix}`, async () => {
      const page = await openDemo(options)
      await page.selectOption('[name=prompt]', 'consent')
      await page.click('#sign-in')
      await page.waitForURL('**/u/login?*')
      await picture(page, `login${suffix}`)
      await logIn(page, development.person)
      await page.waitForURL('**/u/consent?*')
      await picture(page, `consent${suffix}`)
      await allow(page)
      await page.waitForSelector('[data-state=signed-in]')
      await page.evaluate(() => document.querySelector('#answer')?.scrollIntoView({ behavior: 'instant' }))
      await picture(page, `demo${suffix}`)
    })
  }

  test('login from right to left', async () => {
    const page = await openDemo({ ...desktop, locale: 'ar' })
    await page.click('#sign-in')
    await page.waitForURL('**/u/login?*')
    await picture(page, 'login-arabic')
  })

  test('the API and the renewal of the demo', async () => {
    const page = await openDemo(desktop)
    await page.click('#sign-in')
    await logIn(page, development.person)
    await allowIfAsked(page)
    await page.waitForSelector('[data-state=signed-in]')
    await page.click('#read-messages')
    await page.waitForSelector('#api-answer:not([aria-busy]) #api-status')
    await page.click('#renew')
    await page.waitForFunction(() => document.querySelector('#renewal-log')?.textContent?.includes('new tokens in'))
    await page.evaluate(() => document.querySelector('#api')?.scrollIntoView({ behavior: 'instant' }))
    await picture(page, 'demo-api')
  })

  test('an error that explains itself', async () => {
    const { page } = await openTab(browser, { ...desktop, viewport: { width: 1100, height: 1060 } })
    const query = new URLSearchParams({
      client_id: 'LatchkeyDemoSinglePageApp0000001',
      response_type: 'token',
      redirect_uri: `${development.app}/callback`,
    })
    await page.goto(`${development.issuer}authorize?${query}`)
    await page.waitForSelector('.explanation')
    await picture(page, 'error')
  })
})
