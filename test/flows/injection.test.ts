import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl, signIn, valid } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { sendRaw } from '../support/raw.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const lineBreaks = [
  '\r\nSet-Cookie: evil=1',
  '\nSet-Cookie: evil=1',
  '\r\n\r\n<html>evil',
  '\u2028Set-Cookie: evil=1',
  '\u560a\u560dSet-Cookie: evil=1',
]
const markup = [
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '</script><script>alert(1)</script>',
  '{{7*7}}',
  '{% raw %}',
  '#{7*7}',
  'javascript:alert(1)',
]
const reflected = [
  ...Object.keys(valid),
  'prompt',
  'response_mode',
  'login_hint',
  'ui_locales',
  'screen_hint',
  'connection',
  'max_age',
  'id_token_hint',
  'display',
]

/** No header of the answer was made by the value, and no line of it. */
function expectNoHeader(answer: Answer): void {
  expect([...answer.headers.keys()].filter((name) => name.includes('evil'))).toEqual([])
  expect(answer.headers.getSetCookie().filter((line) => line.includes('evil'))).toEqual([])
  expect(answer.headers.get('location') ?? '').not.toMatch(/[\r\n]/)
}

/** What would run or be evaluated; text that stands there escaped is none of it. */
function expectNoMarkup(answer: Answer): void {
  expect(answer.body).not.toMatch(/<script>alert|<img src=x|href="javascript|action="javascript/)
  expect(answer.body).not.toMatch(/>49</)
  for (const [script] of answer.body.matchAll(/<script[^>]*>/g)) expect(script).toMatch(/nonce="[\w-]{20,}"/)
}

describe('a line break in a parameter makes no header', () => {
  for (const name of reflected)
    test(`${name} at /authorize, on every way the answer can take`, async () => {
      for (const value of lineBreaks)
        for (const change of [{}, { prompt: 'none' }, { prompt: 'none', response_mode: 'form_post' }]) {
          const url = authorizeUrl(latchkey.issuer, {
            ...change,
            [name]: `${name in valid ? valid[name as keyof typeof valid] : ''}${value}`,
          })
          expectNoHeader(await ada.request(url))
          expectNoHeader(await new Agent().request(url))
        }
    })

  test('returnTo and client_id at /v2/logout', async () => {
    for (const value of lineBreaks)
      for (const name of ['returnTo', 'client_id', 'federated']) {
        const query = new URLSearchParams({ [name]: `https://app.example.com/${value}` })
        expectNoHeader(await new Agent().request(`${latchkey.issuer}v2/logout?${query}`))
      }
  })

  test('the Origin of a preflight is not repeated unless it is known', async () => {
    const answer = await new Agent().request(`${latchkey.issuer}dbconnections/signup`, {
      ...{ method: 'OPTIONS', headers: { origin: 'https://evil.example' } },
    })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, null])
  })

  test('a path with an encoded line break', async () => {
    for (const path of ['/%0d%0aSet-Cookie:%20evil=1', '//evil.example/%0d%0a', '/u/login%0d%0aevil:1']) {
      const answer = await sendRaw(latchkey.issuer, `GET ${path} HTTP/1.1`)
      expect([400, 404]).toContain(answer.status)
      expect(JSON.stringify(answer.headers)).not.toContain('evil')
    }
  })
})

describe('markup in a parameter stays text', () => {
  for (const name of reflected)
    test(`${name} at /authorize: error page, form_post, web_message, login page`, async () => {
      for (const value of markup)
        for (const change of [
          {},
          { prompt: 'none', response_mode: 'form_post' },
          { prompt: 'none', response_mode: 'web_message' },
        ]) {
          expectNoMarkup(await ada.visit(authorizeUrl(latchkey.issuer, { ...change, [name]: value })))
          expectNoMarkup(await new Agent().visit(authorizeUrl(latchkey.issuer, { ...change, [name]: value })))
        }
    })

  test('the fields of the login, sign-up and reset forms', async () => {
    for (const value of markup) {
      const agent = new Agent()
      const login = await agent.visit(authorizeUrl(latchkey.issuer))
      expectNoMarkup(await agent.submit(login, { username: value, password: value }))
      const signup = await agent.visit(authorizeUrl(latchkey.issuer, { screen_hint: 'signup' }))
      expectNoMarkup(await agent.submit(signup, { email: value, password: 'x' }))
      const reset = await agent.visit(`${latchkey.issuer}u/reset-password/request?state=${encodeURIComponent(value)}`)
      expectNoMarkup(reset)
      expectNoMarkup(await agent.submit(reset, { email: value }))
    }
  })

  test('tickets in links, and the path of an address that is not there', async () => {
    for (const value of markup)
      for (const path of [
        'u/reset-password?ticket=',
        'u/verify-email?ticket=',
        'u/unblock?ticket=',
        'u/login?state=',
        'v2/logout?returnTo=',
        'nowhere/',
      ])
        expectNoMarkup(
          await new Agent({ accept: 'text/html' }).visit(`${latchkey.issuer}${path}${encodeURIComponent(value)}`),
        )
  })

  test('a name that somebody signs up with, on the consent page and in the mail', async () => {
    const [evil = ''] = markup
    const body = {
      client_id: clients.spa,
      connection,
      email: 'mallory@example.com',
      password: 'Correct-Horse-9',
      name: evil,
      given_name: evil,
    }
    const answer = await fetch(`${latchkey.issuer}dbconnections/signup`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    })
    expect(answer.status).toBe(200)
    const agent = new Agent()
    await signIn(agent, latchkey.issuer, {}, { email: body.email, password: body.password })
    expectNoMarkup(await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'consent' })))
    expectNoMarkup(await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'login' })))
    const mails = await fetch(`${latchkey.issuer}dev/mail.json`).then(
      (response) => response.json() as Promise<{ html: string }[]>,
    )
    expect(mails[0]?.html).toContain('<')
    expect(mails[0]?.html).not.toContain('<script>')
  })
})

describe('what is typed is data to the database too', () => {
  for (const value of [
    "' OR '1'='1",
    "ada@example.com' --",
    '"; DROP TABLE users; --',
    '%',
    '_',
    '*',
    'ada@example.com\\',
  ])
    test(`username ${value}`, async () => {
      const agent = new Agent()
      const page = await agent.submit(await agent.visit(authorizeUrl(latchkey.issuer)), {
        username: value,
        password: person.password,
      })
      expect([page.status, new URL(page.url).pathname]).toEqual([400, '/u/login'])
    })
})
