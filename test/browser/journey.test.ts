/** Tests the first journey of a person and an app: signing in, agreeing, refusing, coming back, calling the API. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { arrive, authorize, call, handleCallback, signIn } from '../support/app_steps.ts'
import { allow, deny, logIn, readConsent } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { alan, grace, messages } from '../support/scene_tenant.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

describe('RFC 6749 §4.2 the implicit grant, a first visit', () => {
  test('login, consent that names the permissions, tokens in the fragment, the API called', async () => {
    const { app, latchkey } = scene
    const { page } = await scene.openApp()
    const scope = 'openid profile email read:messages read:contacts'
    await authorize(page, { scope, app_state: { page: '/inbox' } })

    await page.waitForURL(`${latchkey.issuer}u/login?*`)
    expect(await page.innerText('main')).toContain('Notebook')
    await logIn(page)

    const consent = await readConsent(page)
    for (const words of ['Notebook', 'Example', 'ada@example.com', new URL(app.origin).host])
      expect(consent).toContain(words)
    expect(await page.locator('.permissions li').allInnerTexts()).toEqual([
      expect.stringContaining('Profile'),
      expect.stringContaining('Email'),
      expect.stringMatching(/Messages:\s+read your messages/i),
      expect.stringMatching(/Contacts:\s+read your contacts/i),
    ])
    await allow(page)

    const arrived = await arrive(page)
    expect(arrived.search).toBe('')
    const fragment = new URLSearchParams(arrived.hash.slice(1))
    expect([...fragment.keys()].sort()).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'iss',
      'session_state',
      'state',
      'token_type',
    ])

    const { value } = await handleCallback(page)
    expect(value).toMatchObject({
      app_state: { page: '/inbox' },
      user: { email: 'ada@example.com', name: 'Ada Lovelace' },
      tokens: { token_type: 'Bearer', expires_in: 7200, scope },
    })
    expect(await call(page, '/messages', value?.tokens.access_token)).toMatchObject({
      status: 200,
      body: { messages: [{ text: 'Welcome! This message came from the API.' }] },
    })
    expect(await call(page, '/contacts', value?.tokens.access_token)).toMatchObject({ status: 200 })
  })

  test('the tokens leave the address bar and the history; no server but the API ever sees one', async () => {
    const { app, latchkey } = scene
    const { page, context } = await scene.openApp()
    const sent: string[] = []
    context.on('request', (request) => {
      const place = new URL(request.url()).origin
      if (place !== scene.api.url) sent.push(`${request.url()} ${JSON.stringify(request.headers())}`)
    })
    const { value } = await signIn(page)
    const token = value?.tokens.access_token ?? ''
    expect(page.url()).toBe(`${app.origin}/callback`)
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage, ...localStorage }, history.state]))
    expect(kept).not.toContain(token)
    await page.goBack()
    await page.goForward()
    expect(page.url()).toBe(`${app.origin}/callback`)
    await call(page, '/messages', token)
    const atApp = app.requests.map(({ url, headers }) => `${url} ${headers.referer ?? ''}`)
    expect([...sent.map((one) => one.replace(/#\S*/, '')), ...atApp].filter((one) => one.includes(token))).toEqual([])
    expect(latchkey.log.filter((line) => JSON.stringify(line).includes(token))).toEqual([])
  })
})

describe('consent is asked once', () => {
  test('the second visit shows no page at all', async () => {
    const { page, context, visited } = await scene.openApp()
    await signIn(page)
    visited.length = 0
    await authorize(page)
    await arrive(page)
    expect((await handleCallback(page)).value?.user).toMatchObject({ email: 'ada@example.com' })
    expect(visited.filter((address) => address.includes('/u/'))).toEqual([])

    const later = await context.newPage()
    await later.goto(`${scene.app.origin}/`)
    await later.waitForSelector('[data-ready]')
    await authorize(later)
    await arrive(later)
    expect((await handleCallback(later)).value?.tokens.scope).toContain('read:messages')
  })

  test('more scope asks again, and only what was never agreed to needs it', async () => {
    const { page, visited } = await scene.openApp()
    const more = { scope: 'openid profile email read:messages write:messages' }
    await authorize(page, {})
    await logIn(page, grace)
    await allow(page)
    await arrive(page)
    await handleCallback(page)
    await authorize(page, more)
    expect(await readConsent(page)).toMatch(/Messages:\s+read and write/i)
    await allow(page)
    await arrive(page)
    const { value } = await handleCallback(page)
    expect(await call(page, '/messages', value?.tokens.access_token, { text: 'Hello' })).toMatchObject({ status: 201 })

    visited.length = 0
    for (const request of [more, {}]) {
      await authorize(page, request)
      await arrive(page)
      expect((await handleCallback(page)).code).toBeUndefined()
    }
    expect(visited.filter((address) => address.includes('/u/'))).toEqual([])
  })

  test('prompt=consent shows it whatever was agreed to; prompt=login asks for the password', async () => {
    const { page } = await scene.openApp()
    await authorize(page, { prompt: 'login' })
    await logIn(page)
    await arrive(page)
    await handleCallback(page)
    await authorize(page, { prompt: 'consent' })
    await allow(page)
    await arrive(page)
    await handleCallback(page)
    await authorize(page, { prompt: 'login', max_age: 100 })
    await logIn(page)
    await arrive(page)
    expect((await handleCallback(page)).value?.user).toMatchObject({ name: 'Ada Lovelace' })
    const claims = await page.evaluate(() => window.app.client.idTokenClaims())
    expect(claims?.auth_time).toBeGreaterThan(0)
  })
})

describe('RFC 6749 §4.2.2.1 a refused consent', () => {
  test('is access_denied, leaves no grant, and its answer leaves the address too', async () => {
    const { app } = scene
    const { page } = await scene.openApp()
    const scope = 'openid read:messages read:contacts write:messages'
    const asking = { scope, audience: messages, app_state: 'kept', prompt: 'login' }
    await authorize(page, asking)
    await logIn(page, alan)
    await deny(page)
    const fragment = new URLSearchParams((await arrive(page)).hash.slice(1))
    expect([...fragment.keys()].sort()).toEqual(['error', 'error_description', 'iss', 'state'])
    expect((await handleCallback(page)).code).toBe('access_denied')
    expect(page.url()).toBe(`${app.origin}/callback`)
    await authorize(page, { scope })
    expect(await readConsent(page)).toContain('Notebook')
  })
})
