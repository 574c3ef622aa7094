import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { closedConnection, moreClients, moreTenant } from '../support/more_tenant.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
})
afterAll(() => latchkey.close())

const open = (change: Parameters, headers: HeadersInit = {}): Promise<Answer> =>
  new Agent(headers).visit(authorizeUrl(latchkey.issuer, change))
const inputOf = ({ body }: Answer, id: string) => new RegExp(`<input[^>]*\\sid="${id}"[^>]*>`).exec(body)?.[0] ?? ''

describe('the names of the elements, which programs fill in', () => {
  test('login: username, password, and the one button', async () => {
    const page = await open({})
    expect(inputOf(page, 'username')).toContain('name="username"')
    expect(inputOf(page, 'password')).toMatch(/name="password".*type="password"|type="password".*name="password"/)
    const button = /<button[^>]*id="login-submit"[^>]*>([^<]*)</.exec(page.body)
    expect(button?.[1]).toBe('Continue')
    for (const attribute of ['type="submit"', 'name="action"', 'value="default"'])
      expect(button?.[0]).toContain(attribute)
  })

  test('sign-up and consent', async () => {
    expect((await open({ screen_hint: 'signup' })).body).toContain('id="signup-submit"')
    const consent = await signIn(new Agent(), latchkey.issuer, { prompt: 'consent', response_mode: 'fragment' })
    expect(consent.status).toBe(302)
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    const { body } = await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'consent' }))
    for (const id of ['consent-allow', 'consent-deny']) expect(body).toContain(`id="${id}"`)
  })
})

describe('OpenID Connect Core §3.1.2.1 login_hint', () => {
  for (const login_hint of [
    'ada@example.com',
    '"><script>alert(1)</script>',
    "o'hara@example.com",
    'ユーザー@example.jp',
  ])
    test(`${login_hint} stands in the field, and nowhere else`, async () => {
      const page = await open({ login_hint })
      expect(shownIn(inputOf(page, 'username'))).toBe(login_hint)
      expect(page.body).not.toContain('<script>alert')
    })

  test('on the sign-up page too', async () =>
    expect(shownIn(inputOf(await open({ login_hint: 'new@example.com', screen_hint: 'signup' }), 'email'))).toBe(
      'new@example.com',
    ))
})

describe('OpenID Connect Core §3.1.2.1 ui_locales', () => {
  for (const [ui_locales, accept, html] of [
    ['ar', undefined, '<html lang="ar" dir="rtl">'],
    ['ar-EG', undefined, '<html lang="ar" dir="rtl">'],
    ['se ar en', undefined, '<html lang="ar" dir="rtl">'],
    ['se', undefined, '<html lang="en" dir="ltr">'],
    ['"><script>', undefined, '<html lang="en" dir="ltr">'],
    [undefined, 'ar;q=0.9, en;q=0.1', '<html lang="ar" dir="rtl">'],
    ['en', 'ar', '<html lang="en" dir="ltr">'],
  ] as const)
    test(`ui_locales=${ui_locales} and Accept-Language: ${accept}`, async () => {
      const { body } = await open({ ui_locales }, accept === undefined ? {} : { 'accept-language': accept })
      expect(body).toContain(html)
    })
})

describe('screen_hint', () => {
  test('signup opens the sign-up page; anything else the login page', async () => {
    expect(isPage(await open({ screen_hint: 'signup' }), '/u/signup')).toBe(true)
    expect(isPage(await open({ screen_hint: 'login' }), '/u/login')).toBe(true)
    expect(isPage(await open({ screen_hint: '../../evil' }), '/u/login')).toBe(true)
  })
})

describe('connection', () => {
  for (const [name, change, description] of [
    ['unknown', { connection: 'nowhere' }, 'the connection was not found'],
    ['not enabled for this client', { connection: closedConnection }, 'the connection is not enabled for this client'],
  ] as const)
    test(`${name}: invalid_request to the client`, async () => {
      const { via, parameters } = outcomeOf(await open(change))
      expect([via, parameters.error, parameters.error_description]).toEqual([
        'fragment',
        'invalid_request',
        description,
      ])
    })

  test('one that the client may use: the people of another connection are not known there', async () => {
    const single = { client_id: moreClients.single, redirect_uri: 'https://single.example.com/callback' }
    const agent = new Agent()
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { ...single, connection: closedConnection }))
    const answer = await agent.submit(page, { username: person.email, password: person.password })
    expect([answer.status, new URL(answer.url).pathname]).toEqual([400, '/u/login'])
    const known = await signIn(agent, latchkey.issuer, { ...single, connection })
    expect(outcomeOf(known).parameters).toHaveProperty('access_token')
  })

  test('a session of another connection than the one asked for is not used', async () => {
    const agent = new Agent()
    const single = { client_id: moreClients.single, redirect_uri: 'https://single.example.com/callback' }
    await signIn(agent, latchkey.issuer, { ...single, connection })
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { ...single, connection: closedConnection }))
    expect(isPage(page, '/u/login')).toBe(true)
  })
})

describe('a page of a trip on its own', () => {
  for (const path of ['login', 'u/login', 'u/signup', 'u/consent', 'u/account', 'authorize/resume', 'u/login?state=x'])
    test(`/${path} explains, and signs nobody in`, async () => {
      const page = await new Agent().visit(`${latchkey.issuer}${path}`)
      expect(errorPageOf(page)).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(() => formOf(page)).toThrow()
    })
})

function shownIn(input: string): string {
  const value = /\svalue="([^"]*)"/.exec(input)?.[1] ?? ''
  return value.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>')
}
