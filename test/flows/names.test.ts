import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { authorizeUrl, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { type RawAnswer, sendRaw } from '../support/raw.ts'
import { tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let proxied: Latchkey
const ada = new Agent()
beforeAll(async () => {
  ;[latchkey, proxied] = await Promise.all([
    startLatchkey({ tenant }),
    startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] } }),
  ])
  await signIn(ada, latchkey.issuer)
})
afterAll(() => Promise.all([latchkey.close(), proxied.close()]))

const host = () => new URL(latchkey.issuer).host
const target = () => authorizeUrl('/', { prompt: 'none' })
const cookie = () => `Cookie: ${ada.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')}`
const get = (line: string, headers?: readonly string[]) => sendRaw(latchkey.issuer, `GET ${line} HTTP/1.1`, headers)

/** A refusal that leads nowhere and repeats nothing of what was forged. */
function expectRefused(answer: RawAnswer): void {
  expect(answer.status).toBe(400)
  expect(answer.headers.location).toBeUndefined()
  expect(answer.headers['set-cookie']).toBeUndefined()
  expect(JSON.stringify(answer.headers)).not.toContain('evil')
  expect(answer.body).not.toMatch(/access_token|(?:href|src|action)="[^"]*evil/)
}

describe('RFC 9112 §3.2 the Host header', () => {
  for (const [name, lines] of [
    ['a stranger', ['Host: evil.example']],
    ['the right host on another port', ['Host: localhost:1']],
    ['the right host without its port', ['Host: localhost']],
    ['an address instead of the name', [() => `Host: 127.0.0.1:${new URL(latchkey.issuer).port}`]],
    ['the right host with another behind it', [() => `Host: ${host()}.evil.example`]],
    ['the right host before an @', [() => `Host: ${host()}@evil.example`]],
    ['the right host with a path', [() => `Host: ${host()}/evil`]],
    ['two hosts in one line', [() => `Host: ${host()}, evil.example`]],
    ['capitals', [() => `Host: ${host().toUpperCase()}`]],
    ['empty', ['Host:']],
    ['two lines, ours first', [() => `Host: ${host()}`, 'Host: evil.example']],
    ['two lines, ours last', ['Host: evil.example', () => `Host: ${host()}`]],
    ['two lines, the same', [() => `Host: ${host()}`, () => `Host: ${host()}`]],
    ['two lines in other letters', [() => `Host: ${host()}`, 'hOsT: evil.example']],
    ['none', ['X-Nothing: 1']],
  ] as const)
    for (const path of [
      '/authorize',
      '/.well-known/openid-configuration',
      '/userinfo',
      '/v2/logout',
      '/u/login',
      '/u/reset-password/request',
    ])
      test(`${name}: ${path} is refused`, async () => {
        const headers = lines.map((line) => (typeof line === 'string' ? line : line()))
        expectRefused(await get(path === '/authorize' ? target() : path, [...headers, cookie(), 'Accept: text/html']))
      })
})

describe('RFC 9112 §3.2.2 an absolute request target', () => {
  test('that names this server is answered as usual', async () => {
    const answer = await get(authorizeUrl(latchkey.issuer, { prompt: 'none' }), [`Host: ${host()}`, cookie()])
    expect(answer.headers.location).toContain('#access_token=')
  })

  for (const [name, origin] of [
    ['another server', () => 'http://evil.example'],
    ['another scheme', () => `https://${host()}`],
    ['another port', () => 'http://localhost:1'],
    ['this server before an @', () => `http://${host()}@evil.example`],
    ['this server in capitals', () => `http://${host().toUpperCase()}`],
  ] as const)
    for (const path of [() => target(), () => '/.well-known/openid-configuration', () => '/.well-known/jwks.json'])
      test(`that names ${name} is refused, whatever Host says: ${path().slice(0, 30)}`, async () =>
        expectRefused(await get(`${origin()}${path()}`, [`Host: ${host()}`, cookie()])))
})

const forwarded = [
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 444',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Server: evil.example',
  'Forwarded: for=203.0.113.7;host=evil.example;proto=https',
  'X-Original-URL: /dev/mail',
  'X-Rewrite-URL: /dev/mail',
  'X-HTTP-Method-Override: DELETE',
  'X-Host: evil.example',
  'X-Real-IP: 203.0.113.7',
]

describe('forwarded headers', () => {
  test('from anybody are ignored: discovery, redirects and mails carry the name from the configuration', async () => {
    const document = await get('/.well-known/openid-configuration', [`Host: ${host()}`, ...forwarded])
    expect(document.status).toBe(200)
    expect(document.body).not.toMatch(/evil|https:/)
    const login = await get(authorizeUrl('/'), [`Host: ${host()}`, ...forwarded])
    expect(login.headers.location).toMatch(new RegExp(`^${latchkey.issuer}u/login\\?state=`))
    expect(JSON.stringify(login.headers)).not.toContain('evil')
    const body = JSON.stringify({ email: 'ada@example.com', connection: 'Username-Password-Authentication' })
    const lines = ['Content-Type: application/json', `Content-Length: ${body.length}`]
    await sendRaw(
      latchkey.issuer,
      'POST /dbconnections/change_password HTTP/1.1',
      [`Host: ${host()}`, ...forwarded, ...lines],
      body,
    )
    expect((await latchkey.mails())[0]?.links[0]).toMatch(new RegExp(`^${latchkey.issuer}u/reset-password\\?ticket=`))
  })

  test('from a listed proxy count; a name that is not ours is refused there too', async () => {
    const ours = [`Host: ${new URL(proxied.issuer).host}`]
    const direct = await sendRaw(proxied.issuer, 'GET /.well-known/openid-configuration HTTP/1.1', ours)
    expect(direct.status).toBe(200)
    for (const line of ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https'])
      expectRefused(await sendRaw(proxied.issuer, 'GET /.well-known/openid-configuration HTTP/1.1', [...ours, line]))
  })
})

describe('the form of the path', () => {
  test('duplicate slashes are one', async () => {
    for (const path of [authorizeUrl(`${latchkey.issuer}/`), authorizeUrl(`${latchkey.issuer}///`)])
      expect(outcomeOf(await silently(ada, path.slice(0, path.indexOf('authorize')))).parameters).toHaveProperty(
        'access_token',
      )
  })

  for (const path of [
    '/authorize/',
    '/AUTHORIZE',
    '/x/../authorize',
    '/./authorize',
    '/authorize;x',
    '/authorize%2F',
    '/authorize%00',
    '/%2Fauthorize',
    '/authorize.json',
    '\\authorize',
  ])
    test(`${path} is not /authorize`, async () => {
      const answer = await get(`${path}${target().slice('/authorize'.length)}`, [`Host: ${host()}`, cookie()])
      expect([400, 404]).toContain(answer.status)
      expect(answer.headers.location).toBeUndefined()
    })

  for (const path of ['/%zz', '/authorize%zz', '/u/login%', '/%c0%af', '/dev/mail/%ff', `/dev/mail/${'a'.repeat(600)}`])
    test(`${path.slice(0, 20)} cannot be read: a refusal with the usual headers, and the server lives on`, async () => {
      for (const line of [path, `http://evil.example${path}`]) {
        const answer = await get(line)
        expect([400, 404]).toContain(answer.status)
        expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      }
      expect((await fetch(`${latchkey.issuer}health/live`)).status).toBe(200)
    })
})
