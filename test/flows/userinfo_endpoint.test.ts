import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, fragmentOf } from '../support/agent.ts'
import { signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let both: Record<string, string>
let opaque: string
let withoutOpenid: string
let forTheApiAlone: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  const agent = new Agent()
  const tokens = async (change: Record<string, string | undefined>) =>
    fragmentOf((await signIn(agent, latchkey.issuer, change)).location)
  both = await tokens({})
  opaque = (await tokens({ audience: undefined, scope: 'openid email' })).access_token ?? ''
  withoutOpenid = (await tokens({ audience: undefined, response_type: 'token', scope: 'email' })).access_token ?? ''
  forTheApiAlone = (await tokens({ response_type: 'token', scope: 'read:messages' })).access_token ?? ''
})
afterAll(() => latchkey.close())

const ask = (init: RequestInit) => fetch(`${latchkey.issuer}userinfo`, init)
const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` })
const form = { 'content-type': 'application/x-www-form-urlencoded' }

describe('OpenID Connect Core §5.3.1 UserInfo request', () => {
  test.each(['GET', 'POST'])('%s with a header: sub and the claims of the scopes, as they are', async (method) => {
    const answer = await ask({ method, headers: bearer(both.access_token) })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({
      sub: expect.stringMatching(/^auth0\|[0-9a-f]{24}$/),
      email: person.email,
      email_verified: true,
      name: 'Ada Lovelace',
    })
  })

  test('POST with the token in the form', async () => {
    const answer = await ask({
      method: 'POST',
      headers: form,
      body: new URLSearchParams({ access_token: opaque }).toString(),
    })
    expect(await answer.json()).toEqual({ sub: expect.any(String), email: person.email, email_verified: true })
  })

  test('the token in the form and in the header is one too many', async () => {
    const answer = await ask({
      method: 'POST',
      headers: { ...form, ...bearer(opaque) },
      body: `access_token=${opaque}`,
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
  })
})

describe('RFC 6750 §3.1 what is refused', () => {
  test('no token: a challenge without an error', async () => {
    const answer = await ask({})
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="${latchkey.issuer}"`)
  })

  test('a token in the query is none', async () => {
    expect((await fetch(`${latchkey.issuer}userinfo?access_token=${opaque}`)).status).toBe(401)
  })

  test.each([
    ['an ID token', () => both.id_token],
    ['a token for the API alone', () => forTheApiAlone],
    ['a changed token', () => both.access_token?.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['an opaque token that was never issued', () => `${opaque.slice(0, -4)}AAAA`],
    ['no token at all in the header', () => 'x'],
  ])('%s is invalid_token', async (_name, token) => {
    const answer = await ask({ headers: bearer(token()) })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await answer.json()).toEqual({
      error: 'invalid_token',
      error_description: 'The access token is invalid or has expired',
    })
  })

  test('a token without openid is insufficient_scope, and the scope is named', async () => {
    const answer = await ask({ headers: bearer(withoutOpenid) })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    expect(answer.headers.get('www-authenticate')).toContain('scope="openid"')
  })

  test('any page may ask, and may read why it was refused', async () => {
    const answer = await ask({ headers: { origin: 'https://anywhere.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    const preflight = await ask({
      method: 'OPTIONS',
      headers: {
        origin: 'https://anywhere.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
  })

  test('a token that is over, opaque or JWT', async () => {
    latchkey.advance(7201)
    for (const token of [opaque, both.access_token]) expect((await ask({ headers: bearer(token) })).status).toBe(401)
  })
})

describe('contract B4.5: an HS256 API', () => {
  test('its token does not open /userinfo', async () => {
    const { access_token } = fragmentOf(
      (await signIn(new Agent(), latchkey.issuer, { audience: apis.secret, scope: 'openid read:secret' })).location,
    )
    expect((await ask({ headers: bearer(access_token) })).status).toBe(401)
  })
})
