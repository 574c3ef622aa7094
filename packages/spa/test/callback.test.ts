/** Tests what handleCallback() makes of an answer: each way it can be wrong is a row. */

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, createClient, errorCodes, LatchkeyError } from '../src/index.ts'
import { type ScriptedServer, startAuthorizationServer } from './support/authorization_server.ts'
import { openStorage } from './support/storage.ts'

const redirect_uri = 'http://localhost/callback'

let server: ScriptedServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())
beforeEach(() => {
  server.script = {}
  vi.useRealTimers()
})

function start(options: Partial<ClientOptions> = {}, request: object = {}) {
  const storage = openStorage()
  const client = createClient({ issuer: server.issuer, client_id: 'client', redirect_uri, storage, ...options })
  const url = new URL(client.buildAuthorizeUrl({ app_state: { page: '/inbox' }, ...request }))
  const asked = Object.fromEntries(url.searchParams)
  const answer = (changes: Record<string, string> = {}) => ({ ...server.answer(asked), ...changes })
  const address = (values: Record<string, string>) => `${redirect_uri}#${new URLSearchParams(values)}`
  return { client, asked, answer, address, storage }
}

describe('RFC 6749 §4.2.2, RFC 9207 §2.4, OpenID Connect Core §3.2.2.8 the answer', () => {
  test('a good answer gives tokens, user and app_state', async () => {
    const { client, answer, address } = start({ audience: 'api' })
    expect(client.isAuthenticated()).toBe(false)
    const now = Math.floor(Date.now() / 1000)
    const { tokens, user, app_state } = await client.handleCallback(address(answer()))
    expect(tokens).toMatchObject({
      token_type: 'Bearer',
      expires_in: 7200,
      scope: 'openid profile email',
      audience: 'api',
    })
    expect(tokens.expires_at).toBeGreaterThanOrEqual(now + 7200)
    expect(user).toEqual({ sub: 'auth0|1', name: 'Ada', email: 'ada@example.com' })
    expect(app_state).toEqual({ page: '/inbox' })
    expect(client.user()).toEqual(user)
    expect(client.idTokenClaims()).toMatchObject({ iss: server.issuer, aud: 'client' })
    expect(client.isAuthenticated()).toBe(true)
    await expect(client.getToken()).resolves.toBe(tokens.access_token)
  })

  test('the granted scope is reported where it differs', async () => {
    const { client, answer, address } = start()
    const { tokens } = await client.handleCallback(address(answer({ scope: 'openid' })))
    expect(tokens.scope).toBe('openid')
  })

  test('token alone gives no user', async () => {
    const { client, answer, address } = start({ response_type: 'token' })
    const { tokens, user } = await client.handleCallback(address(answer()))
    expect(tokens.access_token).toMatch(/^opaque/)
    expect(user).toBeUndefined()
    await expect(client.userInfo()).resolves.toMatchObject({ sub: 'auth0|1', nickname: 'ada' })
  })

  test('id_token alone gives no access token, not even one that was slipped in', async () => {
    const { client, answer, address } = start({ response_type: 'id_token' })
    const slipped = { access_token: 'evil', token_type: 'Bearer', expires_in: '60' }
    const { tokens, user } = await client.handleCallback(address(answer(slipped)))
    expect(tokens.access_token).toBeUndefined()
    expect(user?.sub).toBe('auth0|1')
  })

  test('new tokens are announced', async () => {
    const seen: unknown[] = []
    const { client, answer, address } = start({ on_tokens: (tokens) => seen.push(tokens.access_token) })
    const { tokens } = await client.handleCallback(address(answer()))
    expect(seen).toEqual([tokens.access_token])
  })

  for (const [name, script, code] of [
    ['no access token', { answer: { access_token: undefined } }, 'invalid_response'],
    ['no token_type', { answer: { token_type: undefined } }, 'invalid_response'],
    ['another token_type', { answer: { token_type: 'mac' } }, 'invalid_response'],
    ['no expires_in', { answer: { expires_in: undefined } }, 'invalid_response'],
    ['an expires_in that is no number', { answer: { expires_in: '1e3' } }, 'invalid_response'],
    ['no ID token', { answer: { id_token: undefined } }, 'invalid_response'],
    ['an access token from elsewhere', { answer: { access_token: 'stolen' } }, 'id_token_at_hash'],
    ['another iss', { answer: { iss: 'https://evil.example/' } }, 'issuer_mismatch'],
    ['no iss', { answer: { iss: undefined } }, 'issuer_mismatch'],
    ['an error that names no issuer', { error: { error: 'access_denied', iss: undefined } }, 'issuer_mismatch'],
    ['an ID token of another nonce', { claims: { nonce: 'old' } }, 'id_token_nonce'],
    ['an ID token of another client', { claims: { aud: 'other' } }, 'id_token_aud'],
    ['a changed ID token', { tamper: (token: string) => token.replace(/.{9}$/, 'AAAAAAAAA') }, 'id_token_signature'],
    ['another state', { answer: { state: 'x'.repeat(43) } }, 'no_transaction'],
    ['no state', { answer: { state: undefined } }, 'no_transaction'],
  ] as const)
    test(`${name} is ${code}, and nothing is kept`, async () => {
      const { client, answer, address } = start()
      server.script = script
      await expect(client.handleCallback(address(answer()))).rejects.toMatchObject({ code })
      expect(client.isAuthenticated()).toBe(false)
      expect(client.user()).toBeUndefined()
    })

  test('a parameter that comes twice is invalid_response', async () => {
    const { client, answer, address } = start()
    await expect(client.handleCallback(`${address(answer())}&access_token=x`)).rejects.toMatchObject({
      code: 'invalid_response',
    })
  })

  test('an address without an answer is no_response', async () => {
    const { client, storage } = start()
    for (const address of [redirect_uri, `${redirect_uri}#`, `${redirect_uri}#chapter-2`, `${redirect_uri}?state=x`]) {
      expect(client.isCallback(address)).toBe(false)
      await expect(client.handleCallback(address)).rejects.toMatchObject({ code: 'no_response' })
    }
    expect(storage.entries.size).toBe(1)
  })

  test('an answer at another address is redirect_uri_mismatch', async () => {
    const { client, answer } = start()
    const elsewhere = `http://localhost/other#${new URLSearchParams(answer())}`
    await expect(client.handleCallback(elsewhere)).rejects.toMatchObject({ code: 'redirect_uri_mismatch' })
  })

  test('a callback of an own scheme is read too', async () => {
    const own = 'com.example.latchkey://callback'
    const { client, answer } = start({ redirect_uri: own })
    const { user } = await client.handleCallback(`${own}#${new URLSearchParams(answer())}`)
    expect(user?.sub).toBe('auth0|1')
  })
})

describe('RFC 6749 §4.2.2.1 error response', () => {
  for (const code of ['access_denied', 'login_required', 'consent_required', 'interaction_required', 'invalid_scope'])
    test(`${code} keeps its code and comes with advice`, async () => {
      const { client, answer, address } = start()
      server.script = { error: { error: code, error_description: 'The reason' } }
      const failure = await client.handleCallback(address(answer())).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(LatchkeyError)
      expect(failure).toMatchObject({ code, message: 'The reason', app_state: { page: '/inbox' } })
      expect(failure).toHaveProperty('fix', errorCodes[code as keyof typeof errorCodes])
    })

  test('a code nobody knows is kept as well', async () => {
    const { client, answer, address } = start()
    server.script = { error: { error: 'constructor' } }
    await expect(client.handleCallback(address(answer()))).rejects.toMatchObject({
      code: 'constructor',
      fix: expect.stringContaining('documentation'),
    })
  })
})

describe('OpenID Connect Core §15.5.2 each answer counts once', () => {
  test('the same answer again is no_transaction', async () => {
    const { client, answer, address, storage } = start()
    const once = address(answer())
    await client.handleCallback(once)
    expect(storage.entries.size).toBe(0)
    await expect(client.handleCallback(once)).rejects.toMatchObject({ code: 'no_transaction' })
  })

  test('two readers of one answer: one of them gets it', async () => {
    const { client, answer, address } = start()
    const once = address(answer())
    const both = await Promise.allSettled([client.handleCallback(once), client.handleCallback(once)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('a refused answer is used up too', async () => {
    const { client, answer, address } = start()
    const good = address(answer())
    server.script = { claims: { nonce: 'old' } }
    await expect(client.handleCallback(address(answer()))).rejects.toMatchObject({ code: 'id_token_nonce' })
    await expect(client.handleCallback(good)).rejects.toMatchObject({ code: 'no_transaction' })
  })

  test("a stranger's state uses nothing up", async () => {
    const { client, answer, address } = start()
    const good = answer()
    await expect(client.handleCallback(address({ ...good, state: 'guess' }))).rejects.toMatchObject({
      code: 'no_transaction',
    })
    await expect(client.handleCallback(address(good))).resolves.toBeDefined()
  })

  test('an answer after 30 minutes is no_transaction', async () => {
    const { client, answer, address } = start()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 60_000 })
    await expect(client.handleCallback(address(answer()))).rejects.toMatchObject({ code: 'no_transaction' })
  })

  test('logins that were given up are cleared away, and never more than 20 wait', async () => {
    const { client, storage } = start()
    for (let index = 0; index < 30; index += 1) client.buildAuthorizeUrl()
    expect(storage.entries.size).toBe(20)
    storage.entries.set('latchkey.broken', '{')
    storage.entries.set('other', 'kept')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * 60_000 })
    client.buildAuthorizeUrl()
    expect(storage.entries.size).toBe(2)
    expect(storage.entries.get('other')).toBe('kept')
  })

  test('a storage that refuses is storage_unavailable', () => {
    const storage = {
      ...openStorage(),
      setItem: () => {
        throw new Error('quota')
      },
      length: 0,
    }
    const client = createClient({ issuer: server.issuer, client_id: 'client', redirect_uri, storage })
    expect(() => client.buildAuthorizeUrl()).toThrow(expect.objectContaining({ code: 'storage_unavailable' }))
  })
})

describe('more than one login in one page', () => {
  test('another person replaces the first, tokens and all', async () => {
    const { client, answer, address } = start({ audience: 'api' })
    await client.handleCallback(address(answer()))
    const url = new URL(client.buildAuthorizeUrl({ audience: 'second' }))
    server.script = { claims: { sub: 'auth0|2', name: 'Bea', email: undefined } }
    const second = server.answer(Object.fromEntries(url.searchParams))
    await client.handleCallback(address(second))
    expect(client.user()).toEqual({ sub: 'auth0|2', name: 'Bea' })
    await expect(client.getToken({ audience: 'second' })).resolves.toBe(second.access_token)
    // The first person's token is gone; without a page there is no frame to renew it in.
    await expect(client.getToken({ audience: 'api' })).rejects.toThrow()
  })
})
