/** Tests how the server's keys are fetched, kept, and fetched again. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openKeys } from '../src/jwks.ts'
import { type ScriptedServer, startAuthorizationServer } from './support/authorization_server.ts'
import { listen } from './support/http.ts'
import { makeKey } from './support/signing.ts'

let server: ScriptedServer
beforeEach(async () => {
  server = await startAuthorizationServer()
})
afterEach(async () => {
  vi.useRealTimers()
  await server.close()
})

/** Moves the clock and leaves the timers alone. */
const passSeconds = (seconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })

describe('OpenID Connect Core §10.1.1 rotation of signing keys', () => {
  test('the keys are fetched once for many tokens', async () => {
    const find = openKeys(server.issuer)
    await Promise.all([find('RS256', 'first'), find('RS256', 'first')])
    await find('RS256', 'first')
    expect(server.jwksRequests()).toBe(1)
  })

  test('an unknown key is looked for again, but not more often than every 30 seconds', async () => {
    const find = openKeys(server.issuer)
    await find('RS256', 'first')
    server.keys = [makeKey('RS256', 'second'), ...server.keys]
    await expect(find('RS256', 'second')).rejects.toMatchObject({ code: 'id_token_key' })
    expect(server.jwksRequests()).toBe(1)
    passSeconds(31)
    await expect(Promise.all([find('RS256', 'second'), find('RS256', 'second')])).resolves.toHaveLength(2)
    await expect(find('RS256', 'third')).rejects.toMatchObject({ code: 'id_token_key' })
    expect(server.jwksRequests()).toBe(2)
  })

  test('a token without kid is taken where only one key fits', async () => {
    const find = openKeys(server.issuer)
    await expect(find('RS256', undefined)).resolves.toBeDefined()
    server.keys = [makeKey('RS256', 'second'), ...server.keys]
    await expect(openKeys(server.issuer)('RS256', undefined)).rejects.toMatchObject({ code: 'id_token_key' })
  })

  for (const [name, change] of [
    ['made for encryption', { use: 'enc' }],
    ['of another algorithm', { alg: 'PS256' }],
    ['of another kind', { kty: 'EC' }],
  ] as const)
    test(`a key ${name} is not used`, async () => {
      server.keys = server.keys.map((key) => ({ ...key, jwk: { ...key.jwk, ...change } }))
      await expect(openKeys(server.issuer)('RS256', 'first')).rejects.toMatchObject({ code: 'id_token_key' })
    })

  test('a broken key is id_token_key', async () => {
    server.keys = server.keys.map((key) => ({ ...key, jwk: { ...key.jwk, n: undefined } }))
    await expect(openKeys(server.issuer)('RS256', 'first')).rejects.toMatchObject({ code: 'id_token_key' })
  })

  for (const [name, status, body] of [
    ['a failing server', 500, '{"keys":[]}'],
    ['a page instead of keys', 200, '<html>'],
    ['JSON without keys', 200, '{}'],
    ['a redirect', 302, ''],
  ] as const)
    test(`${name} is jwks_unavailable, and is tried again the next time`, async () => {
      let count = 0
      const broken = await listen((_request, response) => {
        count += 1
        response.writeHead(status, { location: `${server.issuer}.well-known/jwks.json` }).end(body)
      })
      const find = openKeys(`${broken.origin}/`)
      await expect(find('RS256', 'first')).rejects.toMatchObject({ code: 'jwks_unavailable' })
      await expect(find('RS256', 'first')).rejects.toMatchObject({ code: 'jwks_unavailable' })
      expect(count).toBe(2)
      await broken.close()
    })
})
