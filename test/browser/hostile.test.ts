/** Tests hostile pages: those that frame, open or listen, and what they get. */
import type { BrowserContext, Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { renew, signIn } from '../support/app_steps.ts'
import { type Tab, takeComplaints } from '../support/chromium.ts'
import { authorizeUrl } from '../support/flow.ts'
import { allow, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { messages, sceneClients } from '../support/scene_tenant.ts'

let scene: Scene
let session: Awaited<ReturnType<BrowserContext['storageState']>>
beforeAll(async () => {
  scene = await openScene()
  const { page, context } = await scene.openApp()
  await signIn(page)
  session = await context.storageState()
  await scene.endTest()
  for (const place of [scene.stranger, scene.app]) place.files.set('/hostile', hostile)
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

declare global {
  interface Window {
    /** What arrived at the hostile page. */
    heard: unknown[]
    victim: Window | null
  }
}

const hostile = `<!doctype html><html lang="en"><title>Hostile</title><link rel="icon" href="data:,">
<script>window.heard = []; addEventListener('message', ({ data }) => heard.push(data))</script></html>`

/** The app's own request for tokens, as anybody can copy it. */
const request = (change: Readonly<Record<string, string | undefined>> = {}) =>
  authorizeUrl(scene.latchkey.issuer, {
    client_id: sceneClients.app,
    redirect_uri: `${scene.app.origin}/callback`,
    audience: messages,
    ...change,
  })
const silent = (change = {}) => request({ prompt: 'none', response_mode: 'web_message', ...change })

/** A browser in which somebody is signed in at the server, and has said yes to the app. */
function signedIn(): Promise<Tab> {
  return scene.openApp(scene.app, { storageState: session })
}

async function openHostile({ page }: Tab, place = scene.stranger): Promise<void> {
  await page.goto(`${place.origin}/hostile`)
}

/** Frames an address and waits until the frame has loaded something, if only the browser's refusal. */
async function frame(page: Page, url: string, attributes = ''): Promise<Frame> {
  const [element] = await page.$$('iframe')
  await element?.evaluate((old) => old.remove())
  await page.evaluate(
    async ([src, more]) => {
      document.body.insertAdjacentHTML('beforeend', `<iframe ${more}></iframe>`)
      const made = document.querySelector('iframe')
      if (made === null) throw new Error('no frame')
      const loaded = new Promise((resolve) => made.addEventListener('load', resolve))
      made.src = src
      await loaded
    },
    [url, attributes] as const,
  )
  const found = await (await page.waitForSelector('iframe')).contentFrame()
  if (found === null) throw new Error('no frame')
  return found
}

/** Opens an address in a window that the page keeps hold of. */
async function openWindow({ page }: Tab, url: string): Promise<Page> {
  const opened = page.waitForEvent('popup')
  await page.evaluate((address) => {
    window.victim = window.open(address)
  }, url)
  return opened
}

const heard = (page: Page) => page.evaluate(() => window.heard)
const refusedByBrowser = [expect.stringMatching(/frame-ancestors|X-Frame-Options/)]

describe('clickjacking: the pages of a login cannot be framed', () => {
  for (const [name, address, session] of [
    ['login', () => request(), false],
    ['consent', () => request({ scope: 'openid read:contacts' }), true],
    ['select account', () => request({ prompt: 'select_account' }), true],
    ['error', () => request({ redirect_uri: 'https://evil.example.com/' }), false],
    ['logged out', () => `${scene.latchkey.issuer}v2/logout`, false],
  ] as const) {
    test(`a hostile page that frames the ${name} page sees nothing, nor does the person`, async () => {
      const tab = session ? await signedIn() : await scene.openTab()
      await openHostile(tab)
      const framed = await frame(tab.page, address())
      expect(
        await framed.evaluate(() => [location.href, document.querySelectorAll('form, #error-code').length]),
      ).toEqual(['chrome-error://chromewebdata/', 0])
      expect(await heard(tab.page)).toEqual([])
      expect(takeComplaints(tab)).toEqual(refusedByBrowser)
    })
  }

  test('nor can the app itself, whose origin may frame the silent answer', async () => {
    const tab = await scene.openTab()
    await openHostile(tab, scene.app)
    const framed = await frame(tab.page, request({ response_mode: 'web_message' }))
    expect(framed.url()).toBe('chrome-error://chromewebdata/')
    expect(takeComplaints(tab)).toEqual(refusedByBrowser)
  })
})

describe('web_message goes to one origin', () => {
  test('a hostile page that frames the silent answer gets nothing', async () => {
    const tab = await signedIn()
    await openHostile(tab)
    for (const attributes of ['', 'sandbox="allow-scripts"']) {
      await frame(tab.page, silent(), attributes)
      expect(takeComplaints(tab)).toEqual(refusedByBrowser)
    }
    expect(await heard(tab.page)).toEqual([])
  })

  test('a hostile page that opens the silent answer in a window gets nothing; a page of the app would', async () => {
    const [victim, nobody] = [await signedIn(), await scene.openTab()]
    for (const tab of [victim, nobody]) {
      await openHostile(tab)
      const popup = await openWindow(tab, silent())
      // It closes itself, once it has told its opener.
      if (!popup.isClosed()) await popup.waitForEvent('close')
      expect(await heard(tab.page)).toEqual([])
    }
    await openHostile(victim, scene.app)
    await openWindow(victim, silent())
    await victim.page.waitForFunction(() => window.heard.length > 0)
    expect(await heard(victim.page)).toMatchObject([{ type: 'authorization_response' }])
  })

  test('a hostile opener hears nothing of a login that the person completes in its window', async () => {
    const tab = await scene.openTab()
    await openHostile(tab)
    const popup = await openWindow(tab, request({ response_mode: 'web_message', prompt: 'consent' }))
    await logIn(popup)
    const closed = popup.waitForEvent('close')
    await allow(popup)
    await closed
    expect(await heard(tab.page)).toEqual([])
  })

  test('nor can it read the fragment of the window it opened', async () => {
    const tab = await signedIn()
    await openHostile(tab)
    await (await openWindow(tab, request())).waitForURL(/callback#access_token/)
    const seen = await tab.page.evaluate(() => {
      try {
        return window.victim?.location.href
      } catch (error) {
        return error instanceof DOMException ? error.name : 'other'
      }
    })
    expect(seen).toBe('SecurityError')
  })

  test('an origin that is not listed gets nothing, though the callback is its own and the person agreed', async () => {
    const { stranger } = scene
    const tab = await scene.openApp(stranger)
    await signIn(tab.page)
    await tab.page.goto(`${stranger.origin}/`)
    await tab.page.waitForSelector('[data-ready]')
    const { code } = await tab.page.evaluate(() => window.app.attempt(window.app.make({ timeout: 1 }).renew()))
    expect(code).toBe('timeout')
    expect(takeComplaints(tab)).toEqual(refusedByBrowser)

    // In a window of its own the page says in development what is missing.
    const opened = tab.page.waitForEvent('popup')
    await tab.page.click('#popup')
    const popup = await opened
    await popup.waitForSelector('.explanation')
    expect(await popup.innerText('.explanation')).toContain('clients[].web_origins')
    expect(await popup.content()).not.toContain('access_token')
  })

  test('a redirect URI of the hostile page itself is refused before anything is answered', async () => {
    const tab = await signedIn()
    await openHostile(tab)
    await frame(tab.page, silent({ redirect_uri: `${scene.stranger.origin}/hostile` }))
    expect(await heard(tab.page)).toEqual([])
    expect(takeComplaints(tab)).toEqual(refusedByBrowser)
  })
})

describe('forged messages', () => {
  test('a page that answers in the place of the server is not believed, even with the right state', async () => {
    const { app, latchkey } = scene
    const tab = await signedIn()
    await openHostile(tab)
    const victim = await openWindow(tab, `${app.origin}/`)
    await victim.waitForSelector('[data-ready]')
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await tab.context.route(`${latchkey.issuer}authorize?*`, async (route) => {
      await held
      await route.continue()
    })
    const asked = tab.context.waitForEvent('request', (one) => one.url().includes('/authorize?'))
    const renewing = renew(victim)
    const state = new URL((await asked).url()).searchParams.get('state')
    await tab.page.evaluate(
      ([iss, right]) => {
        const response = { error: 'server_error', state: right, iss }
        window.victim?.postMessage({ type: 'authorization_response', response }, '*')
      },
      [latchkey.issuer, state] as const,
    )
    release()
    expect((await renewing).value?.user).toMatchObject({ email: 'ada@example.com' })
  })
})

describe('cross-site request forgery', () => {
  test('a hostile page cannot say yes for a person, though it knows everything in the form', async () => {
    const victim = await signedIn()
    await victim.page.goto(request({ scope: 'openid read:contacts' }))
    await victim.page.waitForURL('**/u/consent?*')
    const address = victim.page.url()
    const csrf = await victim.page.inputValue('input[name=csrf]')
    const sent = await victim.context.newPage()
    scene.stranger.files.set(
      '/forge',
      `<!doctype html><title>Forge</title><form method="post" action="${address}">
<input name="csrf" value="${csrf}"><input name="state" value="${new URL(address).searchParams.get('state')}">
<input name="action" value="accept"></form><script>document.forms[0].submit()</script>`,
    )
    await sent.goto(`${scene.stranger.origin}/forge`)
    await sent.waitForSelector('#error-code')
    expect(await sent.innerText('#error-code')).toBe('access_denied')
    await victim.page.reload()
    expect(await victim.page.innerText('main')).toContain('Notebook')
    expect(victim.page.url()).toBe(address)
  })
})
