import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeTenant, pkce, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently, valid } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const code = () => ({ response_type: 'code', ...pkce().request })
const ask = (change: Parameters) => silently(ada, latchkey.issuer, change)

/** What the answer says, once its signature was checked the way a client does. */
async function read(change: Parameters, algorithms = ['RS256']) {
  const { via, target, parameters } = outcomeOf(await ask(change))
  expect(Object.keys(parameters)).toEqual(['response'])
  const keys = createRemoteJWKSet(new URL(`${latchkey.issuer}.well-known/jwks.json`))
  const options = { algorithms, issuer: latchkey.issuer, audience: change.client_id ?? clients.spa }
  const { payload, protectedHeader } = await jwtVerify(parameters.response ?? '', keys, options)
  return { via, target, payload, protectedHeader }
}

describe('JARM §2.1, §2.2 the answer as a signed JWT', () => {
  test('a code with state, for the client, for ten minutes', async () => {
    const now = Math.floor(Date.now() / 1000)
    const { payload, protectedHeader } = await read({ ...code(), response_mode: 'jwt' })
    expect(payload).toEqual({
      ...{ iss: latchkey.issuer, aud: clients.spa, exp: expect.any(Number) },
      ...{ code: expect.any(String), state: valid.state },
      ...(payload.session_state === undefined ? {} : { session_state: expect.any(String) }),
    })
    expect(Math.abs(Number(payload.exp) - now - 600)).toBeLessThan(10)
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) })
  })

  test('the code in it is a code like any other', async () => {
    const { code_verifier, request } = pkce()
    const { payload } = await read({ response_type: 'code', ...request, response_mode: 'query.jwt' })
    const fields = { grant_type: 'authorization_code', client_id: clients.spa, redirect_uri: callback, code_verifier }
    expect((await requestToken(latchkey.issuer, { ...fields, code: String(payload.code) })).status).toBe(200)
  })

  test('tokens in it, with everything that stands beside them', async () => {
    const { via, payload } = await read({ response_mode: 'jwt' })
    expect(via).toBe('fragment')
    expect(payload).toMatchObject({ access_token: expect.any(String), token_type: 'Bearer', expires_in: '7200' })
    expect(claimsOf(String(payload.id_token)).nonce).toBe(valid.nonce)
  })

  test('authorization_signed_response_alg of the client', async () => {
    await latchkey.apply('clients: [{ name: Single page app, authorization_signed_response_alg: ES256 }]')
    const { protectedHeader } = await read({ ...code(), response_mode: 'jwt' }, ['ES256'])
    expect(protectedHeader.alg).toBe('ES256')
    await latchkey.apply('clients: [{ name: Single page app, authorization_signed_response_alg: RS256 }]')
  })
})

describe('JARM §2.3, §2.3.4 the modes', () => {
  for (const [mode, change, via] of [
    ['jwt', code(), 'query'],
    ['jwt', {}, 'fragment'],
    ['jwt', { ...code(), response_type: 'code id_token' }, 'fragment'],
    ['query.jwt', code(), 'query'],
    ['fragment.jwt', code(), 'fragment'],
    ['fragment.jwt', {}, 'fragment'],
    ['form_post.jwt', code(), 'form_post'],
    ['form_post.jwt', {}, 'form_post'],
  ] as const)
    test(`${mode} for ${'response_type' in change ? change.response_type : valid.response_type} goes by ${via}`, async () => {
      const answer = await read({ ...change, response_mode: mode })
      expect([answer.via, answer.target]).toEqual([via, callback])
    })

  test('§2.3.1 tokens never in a query, signed or not: refused in the fragment, by a signed answer', async () => {
    const { via, payload } = await read({ response_mode: 'query.jwt' })
    expect([via, payload.error]).toEqual(['fragment', 'invalid_request'])
  })

  test('a form for an app with a scheme of its own is refused, signed', async () => {
    const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
    const { via, payload } = await read({ ...code(), ...native, response_mode: 'form_post.jwt' })
    expect([via, payload.error]).toEqual(['query', 'invalid_request'])
  })

  test('there is no web_message.jwt', async () => {
    const { via, parameters } = outcomeOf(await ask({ response_mode: 'web_message.jwt' }))
    expect([via, parameters.error]).toEqual(['fragment', 'invalid_request'])
  })
})

describe('JARM §2.2 errors travel in it as well', () => {
  for (const [name, change, error] of [
    ['nobody is signed in', {}, 'login_required'],
    ['a request that is refused', { scope: 'openid "' }, 'invalid_scope'],
    ['an unknown API', { audience: 'nobody' }, 'access_denied'],
  ] as const)
    test(`${name}: ${error}`, async () => {
      const agent = name.startsWith('nobody') ? new Agent() : ada
      const answer = await silently(agent, latchkey.issuer, { ...code(), ...change, response_mode: 'jwt' })
      const { parameters } = outcomeOf(answer)
      expect(Object.keys(parameters)).toEqual(['response'])
      expect(claimsOf(parameters.response)).toMatchObject({
        ...{ error, error_description: expect.any(String), state: valid.state },
        ...{ iss: latchkey.issuer, aud: clients.spa },
      })
    })

  test('saying no on the consent page', async () => {
    const page = await ada.visit(
      authorizeUrl(latchkey.issuer, { ...code(), audience: apis.contacts, response_mode: 'jwt' }),
    )
    expect(isPage(page, '/u/consent')).toBe(true)
    const { parameters } = outcomeOf(await ada.submit(page, { action: 'deny' }))
    expect(claimsOf(parameters.response).error).toBe('access_denied')
  })

  test('an address that is not trusted is answered by no redirect', async () => {
    const answer = await ask({ ...code(), redirect_uri: 'https://evil.example/', response_mode: 'jwt' })
    expect(errorPageOf(answer).error).toBeDefined()
  })
})

describe('JARM §3, §4 metadata', () => {
  test('discovery names the modes and the algorithms', async () => {
    const document = await (await fetch(`${latchkey.issuer}.well-known/openid-configuration`)).json()
    expect(document).toMatchObject({
      response_modes_supported: expect.arrayContaining(['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt']),
      authorization_signing_alg_values_supported: expect.arrayContaining(['RS256']),
    })
  })
})
