import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
})
afterAll(() => latchkey.close())

const read = async (path: string) => fetch(`${latchkey.issuer}${path}`, { redirect: 'manual' })

describe('OpenID Connect Discovery §4 configuration information', () => {
  test.each([
    '.well-known/openid-configuration',
    '.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
  ])('%s', async (path) => {
    const answer = await read(path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const document = (await answer.json()) as Record<string, unknown>
    expect(document.issuer).toBe(latchkey.issuer)
    const addresses = Object.entries(document).filter(([name]) => /_endpoint$|_uri$/.test(name))
    expect(addresses.map(([name]) => name)).toEqual(['authorization_endpoint', 'userinfo_endpoint', 'jwks_uri'])
    for (const [, address] of addresses) expect(String(address).startsWith(latchkey.issuer)).toBe(true)
    expect(document).toMatchObject({
      response_types_supported: ['token', 'id_token', 'id_token token'],
      response_modes_supported: ['fragment', 'form_post', 'web_message'],
      request_uri_parameter_supported: false,
      authorization_response_iss_parameter_supported: true,
    })
  })

  test('every endpoint that it names is there', async () => {
    const document = (await (await read('.well-known/openid-configuration')).json()) as Record<string, string>
    for (const name of ['authorization_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
      expect((await fetch(document[name] ?? '', { redirect: 'manual' })).status, name).not.toBe(404)
    }
  })

  test('an unknown well-known address is 404, as JSON', async () => {
    const answer = await read('.well-known/openid-federation')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: 'not_found' })
  })
})

describe('RFC 7517 §5 the key set', () => {
  test('public keys alone, each with kid, alg, use and a certificate; current and next', async () => {
    const answer = await read('.well-known/jwks.json')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
    const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] }
    expect(keys.filter((key) => key.alg === 'RS256')).toHaveLength(2)
    expect(new Set(keys.map((key) => key.kid)).size).toBe(keys.length)
    for (const key of keys) {
      expect(key).toMatchObject({
        kid: expect.any(String),
        alg: expect.any(String),
        use: 'sig',
        x5c: [expect.any(String)],
        x5t: expect.any(String),
      })
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret)
    }
  })
})
