/** Tests the example programs as a person meets them: opened, clicked through, against the real server. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Development, runDevelopment } from '../support/development.ts'
import { addExample } from '../support/examples.ts'
import { allow, allowIfAsked, deny, logIn, readConsent } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { grace, messages, sceneClients } from '../support/scene_tenant.ts'

let scene: Scene
let development: Development
beforeAll(async () => {
  ;[scene, development] = await Promise.all([openScene(), runDevelopment()])
  const { issuer } = scene.latchkey
  const config = { issuer, audience: messages, api: scene.api.url }
  addExample(scene.app, 'react', { ...config, client_id: sceneClients.app })
  addExample(scene.stranger, 'mobile', { ...config, client_id: sceneClients.pocket })
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => Promise.all([scene.close(), development.close()]))

async function expectGoodPage(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => String(target))])).toEqual([])
}

describe('examples/spa, as npm start serves it', () => {
  const open = async () => {
    const { page } = await scene.openTab()
    await page.goto(development.app)
    await page.waitForSelector('[data-state=signed-out]')
    return page
  }
  const signedIn = (page: Page) => page.waitForSelector('[data-state=signed-in]')
  const signIn = async (page: Page) => {
    await page.click('#sign-in')
    await logIn(page, development.person)
    await allowIfAsked(page)
    await signedIn(page)
  }
  const press = async (page: Page, id: string) => {
    await page.click(`#${id}`)
    await page.waitForSelector('#api-answer:not([aria-busy]) #api-status')
    return page.getAttribute('#api-status', 'data-status')
  }

  test('the whole seed: sign in, agree, see the fragment and the tokens, call the API, ask for more, sign out', async () => {
    const page = await open()
    expect(page.url()).toBe(`${development.app}/`)
    expect(await page.innerText('.parties')).toContain(development.issuer)
    await page.click('#sign-in')
    await logIn(page, development.person)
    const consent = await readConsent(page)
    for (const words of ['Latchkey Demo', development.person.email, 'Messages', 'Contacts'])
      expect(consent).toContain(words)
    const logos = await page.$$eval('.pair img', (all) =>
      all.map((one) => [new URL((one as HTMLImageElement).src).origin, (one as HTMLImageElement).naturalWidth > 0]),
    )
    expect(logos).toEqual(Array(2).fill([new URL(development.issuer).origin, true]))
    await allow(page)
    await signedIn(page)

    expect(page.url()).toBe(`${development.app}/callback.html`)
    expect(await page.innerText('#answer')).toMatch(/callback\.html#access_token=/)
    expect(await page.innerText('#answer')).toContain('at_hash fits the access token')
    const tokens = await page.innerText('#tokens')
    for (const words of [development.person.email, 'at_hash', 'nonce', 'read:messages', 'RS256'])
      expect(tokens).toContain(words)

    expect(await press(page, 'read-messages')).toBe('200')
    expect(await page.innerText('#api-answer')).toContain('Welcome! This message came from the API.')
    expect(await press(page, 'read-contacts')).toBe('200')
    expect(await press(page, 'call-with-id-token')).toBe('401')
    expect(await press(page, 'call-without-token')).toBe('401')
    expect(await press(page, 'post-message')).toBe('403')

    await page.click('#more-permission')
    expect(await readConsent(page)).toMatch(/read and write/i)
    await allow(page)
    await signedIn(page)
    expect(await press(page, 'post-message')).toBe('201')

    await page.click('#renew')
    await page.waitForFunction(() => document.querySelector('#renewal-log')?.textContent?.includes('new tokens in'))
    await page.reload()
    await signedIn(page)
    expect(await page.innerText('#who')).toContain('Dana Demo')

    await page.click('#sign-out')
    await page.waitForURL(`${development.app}/`)
    await page.waitForSelector('[data-state=signed-out]')
    expect(await page.innerText('#renewal-log')).toContain('login_required')
  })

  test('a refusal is shown; a popup signs in all the same', async () => {
    const page = await open()
    await page.selectOption('[name=prompt]', 'consent')
    await page.click('#sign-in')
    await logIn(page, development.person)
    await deny(page)
    await page.waitForSelector('#answer .problem')
    expect(await page.innerText('#answer .problem')).toContain('access_denied')

    await page.selectOption('[name=prompt]', 'login')
    const opened = page.waitForEvent('popup')
    await page.click('#sign-in-popup')
    const popup = await opened
    await logIn(popup, development.person)
    await allowIfAsked(popup)
    await page.waitForFunction(() => document.querySelector('#answer')?.textContent?.includes('popup'))
    await signedIn(page)
  })

  for (const [name, options] of [
    ['a phone in the dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
    ['a desktop', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }],
  ] as const) {
    test(`everybody can use it signed in, on ${name}`, async () => {
      const { page } = await scene.openTab(options)
      await page.goto(development.app)
      await page.waitForSelector('[data-state=signed-out]')
      await signIn(page)
      await press(page, 'read-messages')
      await expectGoodPage(page)
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    })
  }
})

describe('examples/react', () => {
  test('signs in, shows the profile, calls the API, finds the session again, signs out', async () => {
    const { page } = await scene.openTab()
    await page.goto(`${scene.app.origin}/`)
    await page.waitForSelector('[data-state=signed-out]')
    await page.click('text=Sign in')
    await logIn(page, grace)
    await allow(page)
    await page.waitForSelector('[data-state=signed-in]')
    expect(page.url()).toBe(`${scene.app.origin}/`)
    expect(await page.innerText('dl')).toContain(grace.email)
    await page.click('text=Read my messages')
    await page.waitForSelector('li')
    expect(await page.innerText('ul')).toContain('Welcome')
    await expectGoodPage(page)
    await page.reload()
    await page.waitForSelector('[data-state=signed-in]')
    await page.click('text=Sign out')
    await page.waitForURL(`${scene.app.origin}/`)
    await page.waitForSelector('[data-state=signed-out]')
  })
})

describe('examples/mobile', () => {
  /** Plays the app around the page: a web view that is stopped before it goes to the callback, and tells where it was going. */
  async function openMobile(drive: (view: Page) => Promise<void>): Promise<Page> {
    const { page, context } = await scene.openTab({ viewport: { width: 390, height: 844 }, hasTouch: true })
    await page.exposeFunction('openWebView', async (url: string, callback: string) => {
      const view = await context.newPage()
      const caught = new Promise<string>((resolve) => {
        view.on('response', (response) => {
          const { location = '' } = response.headers()
          if (location.startsWith(callback)) resolve(location)
        })
      })
      await view.goto(url)
      await drive(view)
      const address = await caught
      await view.close()
      return address
    })
    await page.addInitScript(() => Object.assign(window, { shell: { signIn: Reflect.get(window, 'openWebView') } }))
    await page.goto(`${scene.stranger.origin}/`)
    return page
  }

  test('RFC 8252 §7.1 signs in through a web view and a callback of its own scheme, and calls the API', async () => {
    const page = await openMobile(async (view) => {
      await logIn(view, grace)
      const consent = await readConsent(view)
      for (const words of ['Pocket', 'com.example.latchkey:']) expect(consent).toContain(words)
      await view.click('#consent-allow', { noWaitAfter: true })
    })
    await page.click('#sign-in')
    await page.waitForSelector('[data-state=signed-in]')
    expect(await page.innerText('#status')).toBe('Hello, Grace Hopper.')
    await page.click('#read')
    await page.waitForSelector('li')
    expect(await page.innerText('#messages')).toContain('Welcome')
    await expectGoodPage(page)
  })

  test('a refusal in the web view is told to the person', async () => {
    const page = await openMobile(async (view) => {
      await logIn(view)
      await view.waitForURL('**/u/consent?*')
      await view.click('#consent-deny', { noWaitAfter: true })
    })
    await page.click('#sign-in')
    await page.waitForFunction(() => document.querySelector('#status')?.textContent?.includes('did not authorize'))
    expect(await page.getAttribute('body', 'data-state')).toBe('signed-out')
  })
})
