import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rotateKeys } from '../support/administration.ts'
import { Agent } from '../support/agent.ts'
import { pkce } from '../support/code_flow.ts'
import { signIn, silently } from '../support/flow.ts'
import { publishedKeys, verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

type Document = Readonly<Record<string, unknown>>

async function discover(path = '.well-known/openid-configuration', headers: HeadersInit = {}) {
  const answer = await fetch(`${latchkey.issuer}${path}`, { headers, redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Document }
}

const kids = async (alg = 'RS256') =>
  (await publishedKeys(latchkey.issuer)).filter((key) => key.alg === alg).map(({ kid }) => kid)
const tokens = async (change = {}) => outcomeOf(await silently(ada, latchkey.issuer, change)).parameters
const userinfo = async (token: string | undefined) =>
  (await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })).status

describe('OpenID Connect Discovery §3, §4, RFC 8414 §2 the document', () => {
  test('issuer is the name with its slash, and every address begins with it and is there', async () => {
    const { body } = await discover()
    expect(body.issuer).toBe(latchkey.issuer)
    for (const [name, value] of Object.entries(body).filter(([key]) => /_endpoint$|_uri$/.test(key))) {
      expect([name, String(value).startsWith(latchkey.issuer)]).toEqual([name, true])
      expect([name, (await fetch(String(value), { redirect: 'manual' })).status]).not.toEqual([name, 404])
    }
  })

  test('it says what works', async () => {
    const { body } = await discover()
    expect(body).toMatchObject({
      response_types_supported: expect.arrayContaining([
        'code',
        'token',
        'id_token',
        'id_token token',
        'code id_token',
      ]),
      response_modes_supported: expect.arrayContaining(['query', 'fragment', 'form_post', 'web_message']),
      grant_types_supported: expect.arrayContaining(['implicit', 'authorization_code', 'refresh_token']),
      subject_types_supported: ['public', 'pairwise'],
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      scopes_supported: expect.arrayContaining(['openid', 'profile', 'email']),
      claims_supported: expect.arrayContaining(['sub', 'email', 'auth_time', 'nonce']),
      prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
      ui_locales_supported: expect.arrayContaining(['en', 'ar']),
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      authorization_response_iss_parameter_supported: true,
    })
    expect(body.scopes_supported).toContain('offline_access')
  })

  test('every response type and mode it names is answered', async () => {
    const { body } = await discover()
    for (const response_type of body.response_types_supported as string[])
      for (const response_mode of body.response_modes_supported as string[]) {
        const asked = { response_type, response_mode, ...pkce().request }
        const { via, parameters } = outcomeOf(await silently(ada, latchkey.issuer, asked))
        const [plain = ''] = response_mode.split('.jwt')
        const inFront = /token/.test(response_type)
        // Multiple Response Type Encoding Practices §5: no token ever stands in a query, signed or not.
        if (plain === 'query' && inFront) expect([via, parameters.access_token]).toEqual(['fragment', undefined])
        else if (response_mode.endsWith('jwt')) expect(Object.keys(parameters)).toEqual(['response'])
        else expect([via, parameters.error]).toEqual([response_mode, undefined])
      }
  })

  test('no value is null, empty text or undefined, and scopes are visible ASCII', async () => {
    const { body } = await discover()
    expect(
      Object.values(body)
        .flat()
        .filter((value) => value === null || value === ''),
    ).toEqual([])
    for (const scope of body.scopes_supported as string[]) expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
  })

  for (const path of [
    '.well-known/openid-configuration',
    '.well-known/oauth-authorization-server',
    '.well-known/jwks.json',
  ])
    test(`/${path}: 200, JSON, kept for minutes, open to every origin, with any number of slashes`, async () => {
      for (const form of [path, `/${path}`, `//${path}`]) {
        const { status, headers } = await discover(form, { origin: 'https://anybody.example' })
        expect(status).toBe(200)
        expect(headers.get('content-type')).toMatch(/^application\/json/)
        expect(headers.get('access-control-allow-origin')).toBe('*')
        expect(headers.get('cache-control')).toMatch(/^public, max-age=(300|600)$/)
      }
      const before = await fetch(`${latchkey.issuer}${path}`, {
        method: 'OPTIONS',
        headers: { origin: 'https://anybody.example' },
      })
      expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    })

  test('both names of the document are one document', async () =>
    expect((await discover('.well-known/oauth-authorization-server')).body).toEqual((await discover()).body))
})

describe('RFC 7517 §5 the key set', () => {
  test('public parts alone, kids that are told apart, what browsers need to verify', async () => {
    const keys = await publishedKeys(latchkey.issuer)
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length)
    for (const key of keys) {
      expect(key.use).toBe('sig')
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(key).not.toHaveProperty(secret)
      for (const part of [key.n, key.e, key.x, key.y]) expect(part ?? 'x').toMatch(/^[\w-]+$/)
    }
    for (const key of keys.filter(({ kty }) => kty === 'RSA')) {
      expect(Buffer.from(key.n ?? '', 'base64url').length).toBe(256)
      expect(key).toMatchObject({ alg: 'RS256', x5c: [expect.any(String)], x5t: expect.any(String) })
    }
  })

  test('the key that signs is there, and the next one too', async () => {
    const { header } = await verified(latchkey.issuer, (await tokens()).id_token)
    expect(await kids()).toContain(header.kid)
    expect(await kids()).toHaveLength(2)
    expect(await kids('ES256')).toHaveLength(2)
  })
})

describe('rotation', () => {
  test('the next key signs from now on, was published before, and tokens of the old one still count', async () => {
    const before = { tokens: await tokens(), kids: await kids() }
    const old = (await verified(latchkey.issuer, before.tokens.id_token)).header.kid
    const { RS256 } = await rotateKeys(latchkey)
    const after = await tokens()
    const { kid } = (await verified(latchkey.issuer, after.id_token)).header
    expect([kid, before.kids.includes(String(kid)), kid === old]).toEqual([RS256, true, false])
    expect(await kids()).toHaveLength(3)
    await verified(latchkey.issuer, before.tokens.access_token)
    for (const { access_token } of [before.tokens, after]) expect(await userinfo(access_token)).toBe(200)
    const hinted = await tokens({ id_token_hint: before.tokens.id_token })
    expect(hinted).toHaveProperty('id_token')
  })

  test('after a second one the first key is gone, from the set and from every judgement', async () => {
    const before = await tokens()
    const old = (await verified(latchkey.issuer, before.id_token)).header.kid
    await rotateKeys(latchkey)
    await rotateKeys(latchkey)
    expect(await kids()).not.toContain(old)
    expect(await userinfo(before.access_token)).toBe(401)
    expect(await tokens({ id_token_hint: before.id_token })).toMatchObject({ error: 'invalid_request' })
    expect(await userinfo((await tokens()).access_token)).toBe(200)
  })

  test('ES256 keys rotate with them', async () => {
    const { access_token } = await tokens({ audience: apis.modern, scope: 'openid read:modern' })
    const { header } = await verified(latchkey.issuer, access_token)
    await rotateKeys(latchkey)
    const after = await tokens({ audience: apis.modern, scope: 'openid read:modern' })
    expect((await verified(latchkey.issuer, after.access_token)).header.kid).not.toBe(header.kid)
    expect(await userinfo(access_token)).toBe(200)
  })
})
