import { spawn } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningApi, startApi } from '../src/index.ts'

const audience = 'http://localhost:8402/'
const app = 'http://localhost:8401'
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keySet = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] }
const server = createServer((_, response) => response.end(JSON.stringify(keySet)))
let issuer: string
let api: RunningApi

beforeAll(async () => {
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  issuer = `http://localhost:${typeof address === 'object' ? address?.port : ''}/`
  // As the development server: two names, one key set.
  api = await startApi({ issuer: [issuer, 'https://localhost:8443/'], audience, port: 0, allowed_origins: [app] })
})
afterAll(async () => {
  await api.close()
  server.closeAllConnections()
  server.close()
})

function token(scope: string, change: Record<string, unknown> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    sub: 'auth0|ann',
    aud: audience,
    azp: 'demo',
    iat: now,
    exp: now + 60,
    scope,
    ...change,
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${part(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}

const get = (path: string, bearer?: string, headers: Record<string, string> = {}) =>
  fetch(api.url + path, { headers: bearer === undefined ? headers : { authorization: `Bearer ${bearer}`, ...headers } })

const post = (path: string, bearer: string, body: unknown) =>
  fetch(api.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('the routes', () => {
  const routes = [
    ['GET', '/messages', 'read:messages', undefined],
    ['POST', '/messages', 'write:messages', { text: 'Hello' }],
    ['GET', '/contacts', 'read:contacts', undefined],
    ['POST', '/contacts', 'write:contacts', { name: 'Alan', email: 'alan@example.com' }],
  ] as const
  const all = routes.map(([, , scope]) => scope)

  test.each(routes)('%s %s needs %s and nothing else', async (method, path, scope, body) => {
    const call = (granted: string) => (method === 'GET' ? get(path, token(granted)) : post(path, token(granted), body))
    expect((await call(scope)).status).toBe(method === 'GET' ? 200 : 201)
    const refused = await call(all.filter((other) => other !== scope).join(' '))
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain(`scope="${scope}"`)
    expect(await refused.json()).toMatchObject({ error: 'insufficient_scope' })
  })

  test('health needs no token; everything else does', async () => {
    expect(await (await get('/health')).json()).toEqual({ status: 'ok' })
    const answer = await get('/messages')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"')
    expect((await get('/nowhere')).status).toBe(404)
  })

  test('both names of the server are trusted, and no third', async () => {
    expect((await get('/messages', token('read:messages', { iss: 'https://localhost:8443/' }))).status).toBe(200)
    expect((await get('/messages', token('read:messages', { iss: 'https://localhost:8444/' }))).status).toBe(401)
  })
})

describe('what is remembered', () => {
  const everyScope = 'read:messages write:messages read:contacts write:contacts'

  test('each person has messages and contacts of their own', async () => {
    const [ann, bob] = ['auth0|a', 'auth0|b'].map((sub) => token(everyScope, { sub }))
    const made = await post('/messages', ann ?? '', { text: 'Only for Ann' })
    expect(await made.json()).toMatchObject({
      text: 'Only for Ann',
      id: expect.any(String),
      created_at: expect.any(String),
    })
    expect(JSON.stringify(await (await get('/messages', ann)).json())).toContain('Only for Ann')
    expect(JSON.stringify(await (await get('/messages', bob)).json())).not.toContain('Only for Ann')
    await post('/contacts', bob ?? '', { name: 'Alan', email: 'alan@example.com' })
    expect((await (await get('/contacts', bob)).json()).contacts).toHaveLength(3)
    expect((await (await get('/contacts', ann)).json()).contacts).toHaveLength(2)
  })

  test('the oldest of a hundred messages makes room', async () => {
    const bearer = token(everyScope, { sub: 'auth0|busy' })
    for (let count = 0; count < 101; count++) await post('/messages', bearer, { text: `number ${count}` })
    const { messages } = await (await get('/messages', bearer)).json()
    expect(messages).toHaveLength(100)
    expect(messages[0].text).toBe('number 1')
  })

  test.each([
    ['an empty text', '/messages', { text: '' }],
    ['a long text', '/messages', { text: 'x'.repeat(501) }],
    ['no text', '/messages', {}],
    ['a list', '/messages', []],
    ['a contact without address', '/contacts', { name: 'Alan' }],
  ])('%s is refused with a sentence', async (_, path, body) => {
    const answer = await post(path, token(everyScope), body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) })
  })
})

describe('CORS', () => {
  const preflight = (origin: string, path = '/messages') =>
    fetch(api.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })

  test('the preflight of the app passes without a token, for every path', async () => {
    for (const path of ['/messages', '/contacts', '/health', '/nowhere']) {
      const answer = await preflight(app, path)
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe(app)
      expect(answer.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type, DPoP')
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  test.each(['https://evil.example', 'null', `${app}.evil.example`, 'http://localhost:84010', 'HTTP://LOCALHOST:8401'])(
    'the origin %s is told nothing',
    async (origin) => {
      for (const answer of [await preflight(origin), await get('/health', undefined, { origin })]) {
        expect(answer.headers.get('access-control-allow-origin')).toBeNull()
        expect(answer.headers.get('vary')).toBe('Origin')
      }
    },
  )

  test('the app can read answers and refusals', async () => {
    for (const bearer of [undefined, 'x', token(''), token('read:messages')]) {
      const answer = await get('/messages', bearer, { origin: app })
      expect(answer.headers.get('access-control-allow-origin')).toBe(app)
      expect(answer.headers.get('access-control-expose-headers')).toBe('DPoP-Nonce, WWW-Authenticate')
    }
  })
})

describe('the program', () => {
  test('runs alone, configured by the environment, and stops when asked', async () => {
    const main = new URL('../src/main.ts', import.meta.url).pathname
    const env = { ...process.env, LATCHKEY_ISSUER: issuer, AUDIENCE: 'https://other.example/', PORT: '0' }
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [line] = await once(createInterface(child.stdout), 'line')
      const url = String(line).replace('The demo API listens on ', '')
      const call = (aud: string) =>
        fetch(`${url}/messages`, { headers: { authorization: `Bearer ${token('read:messages', { aud })}` } })
      expect((await call('https://other.example/')).status).toBe(200)
      expect((await call(audience)).status).toBe(401)
    } finally {
      child.kill('SIGTERM')
    }
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
