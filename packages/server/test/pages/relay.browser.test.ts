import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formActionSource } from '../../src/pages/index.ts'
import { type App, startApp } from './support/app.ts'
import { startBrowser } from './support/browser.ts'
import { type Preview, startPreview } from './support/preview.ts'

const response = { access_token: 'a</script>b', token_type: 'Bearer', expires_in: 7200, state: 'st&te' }
let preview: Preview
let browser: Browser
let app: App

beforeAll(async () => {
  ;[preview, browser, app] = await Promise.all([startPreview(), startBrowser(), startApp('127.0.0.1')])
})

afterAll(async () => {
  await browser.close()
  await Promise.all([preview.close(), app.close()])
})

async function openApp(): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto(app.origin)
  return page
}

async function received(page: Page): Promise<unknown> {
  return page.evaluate('received')
}

async function frame(page: Page, url: string): Promise<void> {
  await page.evaluate(async (src) => {
    const element = document.createElement('iframe')
    element.hidden = true
    element.src = src
    const loaded = new Promise((resolve) => element.addEventListener('load', resolve))
    document.body.append(element)
    await loaded
    await new Promise((resolve) => setTimeout(resolve, 50))
  }, url)
}

const expected = { type: 'authorization_response', response }

describe('response_mode=web_message (B1.12, B1.13, C16)', () => {
  const relay = (target_origin: string | undefined, ancestors = [app.origin]) =>
    preview.show('web_message', { response, target_origin }, { frame_ancestors: ancestors })

  test('a hidden frame tells the page around it, and only that origin', async () => {
    const page = await openApp()
    await frame(page, relay(app.origin))
    expect(await received(page)).toEqual([{ data: expected, origin: preview.origin, source: 'frame' }])
    await page.context().close()
  })

  test('a popup tells its opener, is named as the source, and closes', async () => {
    const page = await openApp()
    const opened = page.waitForEvent('popup')
    await page.evaluate(
      (url) => Object.assign(window, { popup: window.open(url, 'login', 'width=400,height=600') }),
      relay(app.origin, []),
    )
    const popup = await opened
    if (!popup.isClosed()) await popup.waitForEvent('close')
    expect(await received(page)).toEqual([{ data: expected, origin: preview.origin, source: 'popup' }])
    await page.context().close()
  })

  for (const [name, target] of [
    ['another origin', () => 'http://127.0.0.1:1'],
    ['no origin', () => undefined],
    ['a wildcard', () => '*'],
  ] as const) {
    test(`nothing arrives when the target is ${name}`, async () => {
      const page = await openApp()
      await frame(page, relay(target()))
      expect(await received(page)).toEqual([])
      await page.context().close()
    })
  }

  test('a page of its own tells nobody, itself included', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.addInitScript(`window.received = []; addEventListener('message', (event) => received.push(event.data))`)
    await page.goto(relay(preview.origin))
    await page.waitForTimeout(100)
    expect(await received(page)).toEqual([])
    expect(await page.innerText('h1')).toBe('You can close this window.')
    await page.context().close()
  })

  test('a page that is not listed cannot frame it', async () => {
    const page = await openApp()
    await frame(page, relay(app.origin, []))
    expect(await received(page)).toEqual([])
    await page.context().close()
  })
})

describe('response_mode=form_post (B1.11)', () => {
  const fields = { id_token: '"><script>x</script>', state: "it's & <that>", submit: 'a field of this name' }
  const post = () =>
    preview.show('form_post', { action: `${app.origin}/cb?x=1`, fields }, { form_action: [app.origin] })

  function expectArrival(): void {
    const request = app.requests.at(-1)
    expect(request).toMatchObject({ method: 'POST', url: '/cb?x=1' })
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual(fields)
  }

  test('the form sends itself, values unchanged', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(post())
    await page.waitForURL(`${app.origin}/cb?x=1`)
    expectArrival()
    await page.context().close()
  })

  test('without script there is a button', async () => {
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await page.goto(post())
    await page.click('button')
    await page.waitForURL(`${app.origin}/cb?x=1`)
    expectArrival()
    await page.context().close()
  })

  test('the policy stops a form whose target is not listed', async () => {
    const before = app.requests.length
    const page = await (await browser.newContext()).newPage()
    const violation = page.waitForEvent('console', (message) => message.text().includes('form-action'))
    await page.goto(preview.show('form_post', { action: `${app.origin}/cb`, fields }), { waitUntil: 'commit' })
    await violation
    expect(app.requests.length).toBe(before)
    await page.context().close()
  })
})

describe('form-action and the redirect after a login', () => {
  const login = { state: 's', csrf: 'c', allow_signup: true, allow_reset: true, username: 'ada' }

  for (const host of ['127.0.0.1', '::1']) {
    test(`a login leads to an application on ${host} when it is listed, and not otherwise`, async () => {
      const target = await startApp(host)
      const server = await startPreview(`${target.origin}/cb#access_token=t`)
      const page = await (await browser.newContext()).newPage()
      const source = formActionSource(target.origin)
      await page.goto(server.show('login', login, { form_action: source === undefined ? [] : [source] }))
      await page.fill('#password', 'x')
      await page.click('#login-submit')
      await page.waitForURL(`${target.origin}/cb#access_token=t`)

      await page.goto(server.show('login', login))
      const violation = page.waitForEvent('console', (message) => message.text().includes('form-action'))
      await page.fill('#password', 'x')
      await page.click('#login-submit')
      await violation
      await page.context().close()
      await Promise.all([server.close(), target.close()])
    })
  }

  test('a login page cannot be framed', async () => {
    const page = await openApp()
    const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'))
    await frame(page, preview.show('login', login))
    await refused
    await page.context().close()
  })
})
