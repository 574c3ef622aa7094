/** Tests that everybody can use the hosted pages of a real trip: axe on each, on a desktop and on a phone, in light and dark. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { authorizeUrl } from '../support/flow.ts'
import { allow, allowIfAsked, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { messages, sceneClients } from '../support/scene_tenant.ts'
import { person } from '../support/tenant.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
  scene.app.files.set('/callback', '<!doctype html><title>App</title><link rel="icon" href="data:,">')
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

const arrived = (page: Page) => page.waitForURL(/\/callback#/)
const heading = (page: Page) => page.innerText('h1')
const mailTo = async (to: string, kind: string) =>
  (await scene.latchkey.mails()).find((mail) => mail.to === to && mail.kind === kind)

describe('WCAG 2.2 AA on every page of a real trip, on a desktop and on a phone', () => {
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

  async function inspect(page: Page): Promise<void> {
    const where = `${page.url()} ${await heading(page)}`
    const axe = async () => {
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).withTags(rules).analyze()
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        where,
      ).toEqual([])
    }
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })
    await axe()
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await axe()
    expect(await page.evaluate(() => document.documentElement.scrollWidth), where).toBe(390)
  }

  test('signing in: login, a wrong password, consent, another account, logged out, error', async () => {
    const { page } = await scene.openTab()
    await page.goto(request({ prompt: 'consent' }))
    await inspect(page)
    await logIn(page, { ...person, password: 'wrong' })
    await page.waitForSelector('.problems')
    await inspect(page)
    await logIn(page)
    await page.waitForURL('**/u/consent?*')
    await inspect(page)
    await allow(page)
    await arrived(page)
    await page.goto(request({ prompt: 'select_account' }))
    await inspect(page)
    await page.goto(request({ prompt: 'login' }))
    await inspect(page)
    await page.goto(`${scene.latchkey.issuer}v2/logout`)
    await inspect(page)
    await page.goto(request({ redirect_uri: `${scene.app.origin}/Callback` }))
    expect(await page.locator('.difference mark').allInnerTexts()).toEqual([
      expect.stringContaining('c'),
      expect.stringContaining('C'),
    ])
    await inspect(page)
    await page.goto(`${scene.latchkey.issuer}u/login`)
    await inspect(page)
  })

  test('accounts: sign-up, the mailbox, verifying, a forgotten and a new password', async () => {
    const { page } = await scene.openTab()
    const address = 'visible@example.com'
    await page.goto(request())
    await page.click('text=Sign up')
    await inspect(page)
    await page.fill('#email', address)
    await page.fill('#password', 'abc')
    await page.click('#signup-submit')
    await page.waitForSelector('.problems')
    await inspect(page)
    await page.fill('#password', 'Better-Password-1')
    await page.click('#signup-submit')
    await allowIfAsked(page)
    await arrived(page)

    await page.goto(`${scene.latchkey.issuer}dev/mail`)
    await inspect(page)
    await page.click('.mails a')
    await inspect(page)
    await page.click('.mail-link')
    await inspect(page)
    await page.click('#verify-email-submit')
    await page.waitForSelector('h1')
    await inspect(page)

    await page.context().clearCookies()
    await page.goto(request())
    await page.click('text=Forgot your password?')
    await inspect(page)
    await page.fill('#email', address)
    await page.click('#reset-submit')
    await page.waitForSelector('h1')
    await inspect(page)
    const link = (await mailTo(address, 'reset_password'))?.links[0] ?? ''
    await page.goto(link)
    await inspect(page)
    await page.fill('#password', 'Fresh-Password-9')
    await page.fill('#password-confirm', 'Fresh-Password-9')
    await page.click('#reset-submit')
    await page.waitForURL(/reset-password/)
    await inspect(page)
    await page.goto(link)
    await inspect(page)
  })
})
