import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf, formOf } from '../support/agent.ts'
import { authorizeUrl, signIn, valid } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { sendRaw } from '../support/raw.ts'
import { tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const query = (change: Readonly<Record<string, string>> = {}) =>
  new URL(authorizeUrl(latchkey.issuer, { prompt: 'none', ...change })).search.slice(1)
/** The request as GET, and as the body of a POST. */
const bothWays = (text: string) =>
  Promise.all([
    ada.request(`${latchkey.issuer}authorize?${text}`),
    ada.request(`${latchkey.issuer}authorize`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: text,
    }),
  ])

const names = [...Object.keys(valid), 'prompt', 'response_mode', 'max_age', 'login_hint', 'connection', 'foo'] as const

describe('RFC 6749 §3.1 a parameter must not come twice', () => {
  for (const name of names)
    for (const [how, first, again] of [
      ['with another value', 'a', 'b'],
      ['with the same value', 'a', 'a'],
      ['once empty', 'a', ''],
      ['twice empty', '', ''],
    ] as const)
      test(`${name} ${how}: a page`, async () => {
        const others = new URLSearchParams(query())
        others.delete(name)
        for (const answer of await bothWays(`${name}=${first}&${others}&${name}=${again}`))
          expect(errorPageOf(answer)).toMatchObject({
            ...{ status: 400, error: 'invalid_request', description: `The parameter ${name} is repeated` },
          })
      })

  test('a name that is only encoded differently is the same name', async () => {
    for (const again of ['%73tate=x', 's%74ate=x', 'state'])
      for (const answer of await bothWays(`${query()}&${again}`)) expect(errorPageOf(answer).status).toBe(400)
  })
})

describe('array-shaped parameters are other parameters, which mean nothing', () => {
  for (const shape of ['[]', '[0]', '[x]', '.0', '%5B%5D', '[__proto__]', '[constructor][prototype][x]'])
    test(`scope${shape} adds no scope, redirect_uri${shape} no address, prompt${shape} no prompt`, async () => {
      const more = `scope${shape}=write:messages&redirect_uri${shape}=https://evil.example/&prompt${shape}=login&__proto__${shape}=1`
      for (const text of [`${query()}&${more}`, `${more}&${query()}`]) {
        const { target, parameters } = outcomeOf(await ada.request(`${latchkey.issuer}authorize?${text}`))
        expect(target).toBe(valid.redirect_uri)
        expect(claimsOf(parameters.access_token).scope).toBe(valid.scope)
      }
    })

  test('in the place of the parameter they leave it missing', async () => {
    const without = (name: string) => query().replace(`${name}=`, `${name}[]=`)
    const ask = (text: string) => ada.request(`${latchkey.issuer}authorize?${text}`)
    expect(outcomeOf(await ask(without('nonce'))).parameters.error).toBe('invalid_request')
    for (const name of ['client_id', 'redirect_uri']) expect(errorPageOf(await ask(without(name))).status).toBe(400)
  })

  test('semicolons and commas separate nothing', async () => {
    const { parameters } = outcomeOf(
      await ada.request(`${latchkey.issuer}authorize?${query({ state: 'a;scope=x,b' })}`),
    )
    expect(parameters.state).toBe('a;scope=x,b')
  })
})

describe('what cannot be decoded is refused, and never guessed', () => {
  for (const [name, bad] of [
    ['a lone %', '%'],
    ['half an escape', '%4'],
    ['no hexadecimal', '%zz'],
    ['a continuation without a start', '%80'],
    ['a start without a continuation', '%C3%28'],
    ['an overlong slash', '%C0%AF'],
    ['a high surrogate', '%ED%A0%80'],
    ['a low surrogate', '%ED%BF%BF'],
    ['a pair of surrogates', '%ED%A0%BD%ED%B8%80'],
    ['beyond Unicode', '%F4%90%80%80'],
    ['Latin-1', 'caf%E9'],
    ['the old %u', '%u0041'],
    ['a NUL', 'a%00b'],
  ] as const)
    for (const [where, text] of [
      ['in state', `state=${bad}`],
      ['in a parameter nobody knows', `foo=${bad}`],
      ['in a name', `${bad}=1`],
    ] as const)
      test(`${name} ${where}: a page`, async () => {
        const others = new URLSearchParams(query())
        others.delete('state')
        for (const answer of await bothWays(`${others}&${text}`))
          expect(errorPageOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
      })

  test('bytes outside ASCII that nobody encoded are not passed on as something else', async () => {
    const answer = await sendRaw(
      latchkey.issuer,
      `GET /authorize?${query({ state: 'X' }).replace('=X', '=caf\u00c3\u00a9')} HTTP/1.1`,
    )
    if (answer.status === 302) expect(new URL(answer.headers.location ?? '').hash).toContain('state=caf%C3%A9')
    else expect(answer.status).toBe(400)
  })
})

describe('what is too much is refused', () => {
  for (const [name, text] of [
    ['a value of more than 16 K', () => `${query()}&foo=${'a'.repeat(16_385)}`],
    ['a name of more than 256', () => `${query()}&${'a'.repeat(257)}=1`],
    [
      'more than a hundred parameters',
      () => `${query()}&${Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&')}`,
    ],
  ] as const)
    test(`${name}: a page`, async () => {
      for (const answer of await bothWays(text())) expect(errorPageOf(answer).status).toBe(400)
    })

  test('more than 32 K in all: 431 in the address, a page for a form', async () => {
    const many = `${query()}&a=${'a'.repeat(12_000)}&b=${'b'.repeat(12_000)}&c=${'c'.repeat(12_000)}`
    const [get, post] = await bothWays(many)
    expect(get.status).toBe(431)
    expect(errorPageOf(post).status).toBe(400)
  })

  test('as much as is allowed is taken', async () => {
    const many = Array.from({ length: 80 }, (_, index) => `p${index}=${'v'.repeat(100)}`).join('&')
    expect(outcomeOf(await ada.request(`${latchkey.issuer}authorize?${query()}&${many}`)).parameters).toHaveProperty(
      'id_token',
    )
  })
})

describe('RFC 6749 §3.1 what says nothing is ignored', () => {
  for (const more of ['', '&', '&&&', '&=', '&foo', '&foo=', '&=bar', '&%20=1', '&foo=%20', '&a=b=c==', '#fragment'])
    test(`…${more}`, async () => {
      for (const text of [`${query()}${more}`, more.startsWith('#') ? query() : `${more}&${query()}`])
        expect(outcomeOf(await ada.request(`${latchkey.issuer}authorize?${text}`)).parameters).toHaveProperty(
          'id_token',
        )
    })

  test('a parameter without a value counts as absent', async () => {
    const { parameters } = outcomeOf(
      await ada.request(
        `${latchkey.issuer}authorize?${query()}&max_age=&response_mode=&connection=&display&login_hint`,
      ),
    )
    expect(claimsOf(parameters.id_token)).not.toHaveProperty('auth_time')
  })
})

describe('the other addresses read as strictly', () => {
  test('forms of the pages and /v2/logout: repeated, undecodable and oversized parameters are 400', async () => {
    const login = await new Agent().visit(authorizeUrl(latchkey.issuer))
    const fields = new URLSearchParams(formOf(login).fields).toString()
    for (const bad of [
      '&username=a&username=b',
      '&username=%ff',
      '&password=%00',
      `&username=${'a'.repeat(17_000)}`,
      '&csrf=x',
    ])
      expect((await post('u/login', fields + bad)).status).toBe(400)
    for (const bad of ['returnTo=a&returnTo=b', 'returnTo=%ff', 'client_id=%00', `x=${'a'.repeat(16_385)}`])
      expect((await new Agent().request(`${latchkey.issuer}v2/logout?${bad}`)).status).toBe(400)
    for (const bad of ['access_token=a&access_token=b', 'access_token=%ff'])
      expect((await post('userinfo', bad)).status).toBe(400)
  })

  test('two access tokens at /userinfo are 400 (RFC 6750 §2)', async () => {
    const answer = await fetch(`${latchkey.issuer}userinfo`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Bearer abc' },
      body: 'access_token=abc',
    })
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }])
  })

  const post = (path: string, body: string) =>
    new Agent().request(`${latchkey.issuer}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body,
    })
})
