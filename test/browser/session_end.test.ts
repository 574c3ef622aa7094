/** Tests the end of sessions and the connecting of devices in the browser: frames that hear of logouts, a frame that is asked, a code that is typed. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { claimsOf, fragmentOf } from '../support/agent.ts'
import { startChromiumWithCookiesAcrossSites } from '../support/chromium.ts'
import { post } from '../support/code_flow.ts'
import { authorizeUrl, type Parameters } from '../support/flow.ts'
import { allow, allowIfAsked, deny, logIn } from '../support/person.ts'
import { openScene, type Scene } from '../support/scene.ts'
import type { WebApp } from '../support/web_app.ts'

const watching = 'WatchingClient000000000000000000'
const watchingFar = 'WatchingFarClient000000000000000'
const tv = 'TelevisionClient0000000000000000'
const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
const head = '<!doctype html><title>App</title><link rel="icon" href="data:,">'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ start_browser: startChromiumWithCookiesAcrossSites })
  const { app, far } = scene
  const client = (name: string, client_id: string, { origin }: WebApp) => `
  - name: ${name}
    client_id: ${client_id}
    app_type: spa
    callbacks: ['${origin}/arrived']
    post_logout_redirect_uris: ['${origin}/bye']
    frontchannel_logout_uri: '${origin}/frontchannel'`
  await scene.latchkey.apply(`clients:${client('Watching', watching, app)}${client('Watching far', watchingFar, far)}
  - name: Television
    client_id: ${tv}
    app_type: native
    grant_types: ['${grant_type}']
`)
  for (const place of [app, far]) {
    for (const path of ['/arrived', '/bye']) place.files.set(path, head)
    place.files.set(
      '/frontchannel',
      '<!doctype html><title>Out</title><script>document.cookie="heard=1;path=/"</script>',
    )
    place.files.set('/watching', ({ url }) => watchingPage(new URL(url, place.origin).searchParams.get('frame') ?? ''))
  }
})
afterEach(async () => {
  expect(await scene.endTest()).toEqual([])
})
afterAll(() => scene.close())

/** A page as OpenID Connect Session Management §3.1 has it: it asks the frame, and keeps the answer. */
const watchingPage = (frame: string) => `${head}<iframe id="op" src="${frame}"></iframe><script>
window.ask = (text) => new Promise((resolve) => {
  const frame = document.getElementById('op')
  addEventListener('message', (event) => {
    if (event.source === frame.contentWindow) resolve(event.data + ' from ' + event.origin)
  }, { once: true })
  frame.contentWindow.postMessage(text, new URL(frame.src).origin)
})
</script>`

interface Watch {
  readonly app: WebApp
  readonly client_id: string
  readonly issuer: string
}
const near = (): Watch => ({ app: scene.app, client_id: watching, issuer: scene.latchkey.issuer })
const far = (): Watch => ({ app: scene.far, client_id: watchingFar, issuer: scene.latchkey.https_issuer })

const request = ({ app, client_id, issuer }: Watch, change: Parameters = {}) =>
  authorizeUrl(issuer, {
    ...{ client_id, redirect_uri: `${app.origin}/arrived`, audience: undefined, scope: 'openid', ...change },
  })

async function signInTo(page: Page, watch: Watch) {
  await page.goto(request(watch))
  await logIn(page)
  await allowIfAsked(page)
  await page.waitForURL(`${watch.app.origin}/arrived*`)
  const { id_token = '', session_state = '' } = fragmentOf(page.url())
  return { id_token, session_state, sid: String(claimsOf(id_token).sid) }
}

async function watchFrom(page: Page, { app, issuer }: Watch) {
  await page.goto(`${app.origin}/watching?frame=${encodeURIComponent(`${issuer}oidc/check_session`)}`)
  return (text: string) =>
    page.evaluate((asked) => (window as unknown as { ask(text: string): Promise<string> }).ask(asked), text)
}

const leaveUrl = ({ app, issuer }: Watch, id_token: string) =>
  `${issuer}oidc/logout?${new URLSearchParams({
    ...{ id_token_hint: id_token, post_logout_redirect_uri: `${app.origin}/bye`, state: 's 1' },
  })}`

describe('OpenID Connect Session Management §3 an app on another origin asks the frame', () => {
  for (const [name, of] of [
    ['of the same site', near],
    ['of another site', far],
  ] as const)
    test(`${name}: unchanged, changed after the logout, changed for anybody else, error for what cannot be read`, async () => {
      const watch = of()
      const { page, context } = await scene.openTab()
      const { id_token, session_state } = await signInTo(page, watch)
      const ask = await watchFrom(page, watch)
      const from = ` from ${new URL(watch.issuer).origin}`
      expect(await ask(`${watch.client_id} ${session_state}`)).toBe(`unchanged${from}`)
      const [hash = '', salt = ''] = session_state.split('.')
      expect(await ask(`${watch.client_id} ${hash}.x${salt.slice(1)}`)).toBe(`changed${from}`)
      expect(await ask(`somebody-else ${session_state}`)).toBe(`changed${from}`)
      for (const odd of ['', 'x', `${watch.client_id} ${hash}`, `${watch.client_id}  ${session_state}`, 'a b c'])
        expect(await ask(odd)).toBe(`error${from}`)
      const other = await context.newPage()
      await other.goto(leaveUrl(watch, id_token))
      await other.waitForURL(`${watch.app.origin}/bye*`)
      expect(await ask(`${watch.client_id} ${session_state}`)).toBe(`changed${from}`)
    })

  test('a silent answer brings a state that is unchanged again; signing in again changes the former one', async () => {
    const { page } = await scene.openTab()
    const first = await signInTo(page, near())
    await page.goto(request(near(), { prompt: 'none' }))
    const { session_state: silent = '' } = fragmentOf(page.url())
    await page.goto(request(near(), { prompt: 'login' }))
    await logIn(page)
    await page.waitForURL(`${scene.app.origin}/arrived*`)
    const { session_state: again = '' } = fragmentOf(page.url())
    const ask = await watchFrom(page, near())
    const answers = []
    for (const state of [first.session_state, silent, again]) answers.push(await ask(`${watching} ${state}`))
    expect(answers.map((answer) => answer.split(' ')[0])).toEqual(['changed', 'changed', 'unchanged'])
  })

  test('the cookie that the frame reads is the only one that a script can read, and holds nothing of the session', async () => {
    const { page, context } = await scene.openTab()
    const { sid } = await signInTo(page, far())
    const readable = (await context.cookies(scene.latchkey.https_issuer)).filter(({ httpOnly }) => !httpOnly)
    expect(readable.map(({ name, sameSite, secure }) => [name, sameSite, secure])).toEqual([
      ['__Host-latchkey_state', 'None', true],
    ])
    expect(readable[0]?.value).not.toContain(sid)
    const answer = await page.request.get(`${scene.latchkey.https_issuer}oidc/check_session`)
    expect(answer.headers()['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^']+';/)
    expect(answer.headers()).not.toHaveProperty('x-frame-options')
  })
})

describe('OpenID Connect Front-Channel Logout §3 in the browser', () => {
  const heard = (app: WebApp) => app.requests.filter(({ url }) => url.startsWith('/frontchannel'))

  test('the frames of every app are loaded, then the browser goes back', async () => {
    for (const { app } of [near(), far()]) app.requests.length = 0
    const { page, context } = await scene.openTab()
    const { id_token, sid } = await signInTo(page, near())
    const began = performance.now()
    await page.goto(leaveUrl(near(), id_token))
    await page.waitForURL(`${scene.app.origin}/bye?state=s%201`)
    // By the script, as soon as the frames are there: the refresh takes five seconds.
    expect(performance.now() - began).toBeLessThan(4500)
    const query = new URLSearchParams({ iss: scene.latchkey.issuer, sid })
    expect(heard(scene.app).map(({ url }) => [...new URL(url, 'http://a').searchParams])).toEqual([[...query]])
    expect((await context.cookies(scene.app.origin)).map(({ name }) => name)).toContain('heard')
    await page.goto(request(near(), { prompt: 'none' }))
    expect(fragmentOf(page.url()).error).toBe('login_required')
  })

  test('without script the page goes on by itself', async () => {
    scene.app.requests.length = 0
    const { page } = await scene.openTab({ javaScriptEnabled: false })
    const { id_token } = await signInTo(page, near())
    await page.goto(leaveUrl(near(), id_token))
    expect(await page.innerText('h1')).toBe('You are logged out')
    await page.waitForURL(`${scene.app.origin}/bye?state=s%201`)
    expect(heard(scene.app)).toHaveLength(1)
  })

  test('an app of another site is framed too', async () => {
    scene.far.requests.length = 0
    const { page } = await scene.openTab()
    const { id_token } = await signInTo(page, far())
    await page.goto(leaveUrl(far(), id_token))
    await page.waitForURL(`${scene.far.origin}/bye?state=s%201`)
    expect(heard(scene.far)).toHaveLength(1)
  })

  test('the person confirms where the app brings no hint, without script as well', async () => {
    const { page } = await scene.openTab({ javaScriptEnabled: false })
    await signInTo(page, near())
    const back = encodeURIComponent(`${scene.app.origin}/bye`)
    await page.goto(`${scene.latchkey.issuer}oidc/logout?client_id=${watching}&post_logout_redirect_uri=${back}`)
    expect(await page.innerText('main')).toContain('Watching asks to end your session')
    await page.click('#logout-confirm')
    await page.waitForURL(`${scene.app.origin}/bye`)
  })
})

describe('RFC 8628 §3.3 a person connects a device', () => {
  const begin = async () =>
    (await post(`${scene.latchkey.issuer}oauth/device/code`, { client_id: tv, scope: 'openid profile' })).json
  const poll = (device_code = '') =>
    post(`${scene.latchkey.issuer}oauth/token`, { grant_type, client_id: tv, device_code })

  test('on a phone, by the address behind the picture, without script: the code is compared, and the device goes on', async () => {
    const { page } = await scene.openTab({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } })
    const { device_code, user_code = '', verification_uri_complete = '' } = await begin()
    await page.goto(verification_uri_complete)
    expect(await page.inputValue('#code')).toBe(user_code)
    await page.click('#activate-submit')
    await logIn(page)
    await page.waitForURL('**/u/consent?*')
    expect(await page.innerText('#user-code')).toBe(user_code)
    expect((await poll(device_code)).json.error).toBe('authorization_pending')
    await allow(page)
    await page.waitForSelector('h1:has-text("Your device is connected")')
    expect((await poll(device_code)).json).toHaveProperty('id_token')
  })

  test('by typing, with a mistake first, and with a no', async () => {
    const { page } = await scene.openTab()
    const { device_code, user_code = '', verification_uri = '' } = await begin()
    await page.goto(verification_uri)
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('code')
    await page.keyboard.type('bcdf bcdf')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role=alert]')
    await page.fill('#code', user_code.toLowerCase())
    await page.keyboard.press('Enter')
    await logIn(page)
    await deny(page)
    await page.waitForSelector('h1:has-text("was not connected")')
    expect((await poll(device_code)).json.error).toBe('access_denied')
  })
})
