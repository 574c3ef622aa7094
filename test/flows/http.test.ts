import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, formOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { sendRaw } from '../support/raw.ts'
import { clients, connection, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const send = (method: string, path: string, headers: HeadersInit = {}, body?: string) =>
  ada.request(`${latchkey.issuer}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })

const addresses: Readonly<Record<string, readonly string[]>> = {
  authorize: ['GET', 'POST'],
  'authorize/resume': ['GET'],
  userinfo: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  continue: ['GET'],
  'v2/logout': ['GET'],
  'oidc/logout': ['GET', 'POST'],
  'u/logout': ['GET', 'POST'],
  logout: ['GET'],
  'u/login': ['GET', 'HEAD', 'POST'],
  'u/signup': ['GET', 'HEAD', 'POST'],
  'u/consent': ['GET', 'HEAD', 'POST'],
  'u/account': ['GET', 'HEAD', 'POST'],
  'u/reset-password': ['GET', 'HEAD', 'POST'],
  'u/reset-password/request': ['GET', 'HEAD', 'POST'],
  'u/verify-email': ['GET', 'HEAD', 'POST'],
  'u/unblock': ['GET', 'HEAD', 'POST'],
  'dbconnections/signup': ['POST', 'OPTIONS'],
  'dbconnections/change_password': ['POST', 'OPTIONS'],
  '.well-known/openid-configuration': ['GET', 'HEAD', 'OPTIONS'],
  '.well-known/oauth-authorization-server': ['GET', 'HEAD', 'OPTIONS'],
  '.well-known/jwks.json': ['GET', 'HEAD', 'OPTIONS'],
  'health/live': ['GET', 'HEAD'],
  'health/ready': ['GET', 'HEAD'],
}

describe('RFC 9110 §15.5.6 a method that an address does not have', () => {
  for (const [path, allowed] of Object.entries(addresses))
    test(`/${path} has ${allowed.join(', ')}`, async () => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        if (allowed.includes(method)) continue
        const answer = await send(method, path)
        expect([method, answer.status, answer.headers.get('location')]).toEqual([method, 405, null])
        expect(answer.headers.get('allow')?.split(', ').toSorted()).toEqual([...allowed].toSorted())
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
    })

  for (const method of ['TRACE', 'PROPFIND', 'MKCOL'])
    test(`${method} is 405 and gives nothing back of what was sent`, async () => {
      const answer = await sendRaw(latchkey.issuer, `${method} /userinfo HTTP/1.1`, [
        `Host: ${new URL(latchkey.issuer).host}`,
        'Authorization: Bearer secret-in-a-header',
      ])
      expect(answer.status).toBe(405)
      expect(answer.body).not.toContain('secret-in-a-header')
    })

  test('CONNECT opens nothing', async () => {
    const answer = await sendRaw(latchkey.issuer, 'CONNECT evil.example:443 HTTP/1.1')
    expect([0, 400, 404, 405]).toContain(answer.status)
  })

  test('an address that is not there is 404, for people and for programs', async () => {
    expect((await send('GET', 'nowhere')).headers.get('content-type')).toContain('json')
    const page = await send('GET', 'nowhere', { accept: 'text/html' })
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect((await send('GET', '.well-known/nowhere')).status).toBe(404)
    expect((await send('OPTIONS', 'nowhere')).status).toBe(404)
  })
})

describe('RFC 9110 §9.2.1 HEAD changes nothing', () => {
  test('no trip is begun, and no cookie set, where GET begins one', async () => {
    const agent = new Agent()
    const answer = await agent.request(authorizeUrl(latchkey.issuer), { method: 'HEAD' })
    expect([answer.status, answer.location, agent.cookies]).toEqual([405, undefined, []])
    const silent = await ada.request(authorizeUrl(latchkey.issuer, { prompt: 'none' }), { method: 'HEAD' })
    expect([silent.status, silent.location]).toEqual([405, undefined])
  })

  test('a trip that is ready for its answer stays, and GET gets it', async () => {
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'select_account' }))
    const { action, fields } = formOf(page)
    const chosen = await agent.request(action, {
      method: 'POST',
      headers: { 'content-type': form, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ ...fields, action: 'continue' }).toString(),
    })
    const resume = chosen.location ?? ''
    expect(resume).toContain('/authorize/resume?state=')
    for (const url of [resume, resume.replace('authorize/resume', 'continue')])
      expect((await agent.request(url, { method: 'HEAD' })).status).toBe(405)
    expect((await agent.request(resume)).location).toContain('#access_token=')
  })

  test.each(['v2/logout', 'logout', 'oidc/logout', 'u/logout'])('/%s ends no session', async (path) => {
    const answer = await send('HEAD', path)
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([405, []])
    expect((await silently(ada, latchkey.issuer)).location).toContain('#access_token=')
  })

  test('where GET only shows, HEAD answers alike', async () => {
    const agent = new Agent()
    const page = await agent.visit(authorizeUrl(latchkey.issuer))
    expect(isPage(page, '/u/login')).toBe(true)
    expect((await agent.request(page.url, { method: 'HEAD' })).status).toBe(200)
    for (const path of ['.well-known/jwks.json', '.well-known/openid-configuration', 'u/reset-password/request'])
      expect([path, (await send('HEAD', path)).status]).toEqual([path, 200])
  })
})

const form = 'application/x-www-form-urlencoded'
const forms = [
  'authorize',
  'u/login',
  'u/signup',
  'u/consent',
  'u/account',
  'u/reset-password',
  'u/reset-password/request',
  'u/verify-email',
  'u/unblock',
]

describe('RFC 9110 §15.5.16 a content type that is not read here', () => {
  for (const path of forms)
    test(`/${path} reads a form and nothing else`, async () => {
      for (const type of [
        'application/json',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/xml',
        'application/octet-stream',
        'text/html',
      ])
        expect([type, (await send('POST', path, { 'content-type': type }, '{"state":"x"}')).status]).toEqual([
          type,
          415,
        ])
    })

  for (const path of ['dbconnections/signup', 'dbconnections/change_password'])
    test(`/${path} reads JSON and forms`, async () => {
      for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml'])
        expect([type, (await send('POST', path, { 'content-type': type }, '{"state":"x"}')).status]).toEqual([
          type,
          415,
        ])
      for (const [type, body] of [
        ['application/json', '{}'],
        [form, 'a=b'],
        ['application/json; charset=utf-8', '{}'],
      ] as const)
        expect([type, (await send('POST', path, { 'content-type': type }, body)).status]).toEqual([type, 400])
    })

  test('a JSON body with the type of a form is read as a form, and so holds nothing', async () =>
    expect((await send('POST', 'u/login', { 'content-type': form, origin: 'null' }, '{"state":"x"}')).status).toBe(400))
})

describe('sizes', () => {
  for (const [path, type] of [
    ['authorize', form],
    ['u/login', form],
    ['userinfo', form],
    ['dbconnections/signup', 'application/json'],
  ] as const)
    test(`RFC 9110 §15.5.14 a body of 64 KB and more at /${path} is 413`, async () => {
      const answer = await send('POST', path, { 'content-type': type }, `{"a":"${'a'.repeat(65_536)}"}`)
      expect(answer.status).toBe(413)
    })

  test('a body that only says it is huge is 413 before it comes', async () => {
    const lines = [`Host: ${new URL(latchkey.issuer).host}`, `Content-Type: ${form}`, 'Content-Length: 9999999999']
    expect((await sendRaw(latchkey.issuer, 'POST /u/login HTTP/1.1', lines, 'a=b')).status).toBe(413)
  })

  test('RFC 6585 §5 headers beyond 32 KB are 431, in a line or in many', async () => {
    const ours = `Host: ${new URL(latchkey.issuer).host}`
    expect((await sendRaw(latchkey.issuer, 'GET / HTTP/1.1', [ours, `X-A: ${'a'.repeat(40_000)}`])).status).toBe(431)
    const many = Array.from({ length: 1500 }, (_, index) => `X-${index}: ${'a'.repeat(30)}`)
    expect((await sendRaw(latchkey.issuer, 'GET / HTTP/1.1', [ours, ...many])).status).toBe(431)
    expect((await sendRaw(latchkey.issuer, `GET /authorize?x=${'a'.repeat(40_000)} HTTP/1.1`)).status).toBe(431)
  })

  test('a thousand cookies are no trouble', async () => {
    const cookie = Array.from({ length: 1000 }, (_, index) => `c${index}=v`).join('; ')
    expect((await fetch(authorizeUrl(latchkey.issuer), { headers: { cookie }, redirect: 'manual' })).status).toBe(302)
  })
})

describe('RFC 9112 §6.3 messages that two readers would read in two ways', () => {
  for (const [name, lines, body] of [
    ['a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 3', 'Content-Length: 4'], 'a=bc'],
    ['a negative length', ['Content-Length: -1'], ''],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
    ['a space before the colon', ['X-A : b', 'Content-Length: 0'], ''],
    ['a folded header', ['X-A: b\r\n c', 'Content-Length: 0'], ''],
    ['a bare carriage return', ['X-A: b\rX-B: c', 'Content-Length: 0'], ''],
    ['a NUL in a header', ['X-A: b\u0000c', 'Content-Length: 0'], ''],
  ] as const)
    test(`${name} is 400`, async () => {
      const ours = [`Host: ${new URL(latchkey.issuer).host}`, `Content-Type: ${form}`]
      expect((await sendRaw(latchkey.issuer, 'POST /u/login HTTP/1.1', [...ours, ...lines], body)).status).toBe(400)
    })
})

describe('JSON bodies', () => {
  const valid = `"client_id":"${clients.spa}","connection":"${connection}","email":"j@example.com","password":"Correct-Horse-9"`
  for (const [name, body] of [
    ['__proto__', `{${valid},"__proto__":{"blocked":false,"isAdmin":true}}`],
    ['__proto__ as the only key', '{"__proto__":{"client_id":"x"}}'],
    ['constructor.prototype', `{${valid},"constructor":{"prototype":{"polluted":true}}}`],
    ['__proto__ in user_metadata', `{${valid},"user_metadata":{"__proto__":{"polluted":"yes"}}}`],
    ['an array', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['a number', '1'],
    ['half an object', '{"a":'],
    ['nothing', ''],
    ['a text with a NUL in front', '\u0000{}'],
    ['an object as client_id', `{"client_id":{"$ne":""},"connection":"${connection}","email":"a@b.cd","password":"x"}`],
    [
      'an array as e-mail',
      `{"client_id":"${clients.spa}","connection":"${connection}","email":["a@b.cd"],"password":"x"}`,
    ],
    ['ten thousand brackets', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ] as const)
    test(`${name} is 400 and changes nothing for anybody`, async () => {
      const answer = await send('POST', 'dbconnections/signup', { 'content-type': 'application/json' }, body)
      expect(answer.status).toBe(400)
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
      expect((await send('GET', '.well-known/jwks.json')).status).toBe(200)
    })
})
