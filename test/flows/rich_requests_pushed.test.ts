import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeClients, codeTenant, pkce, post, secret, webCallback } from '../support/code_flow.ts'
import { isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, tenant } from '../support/tenant.ts'

const bank = 'https://bank.example.com/'
const payment = { type: 'payment_initiation', amount: '5.00' }
let latchkey: Latchkey
let key: CryptoKey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  key = privateKey
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', use: 'sig' }] })
  await latchkey.apply(codeTenant)
  await latchkey.apply(`
clients: [{ name: Web app, jwks: ${jwks} }]
resourceServers: [{ name: Bank, identifier: '${bank}', authorization_details: [{ type: payment_initiation }] }]
`)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

/** What every one of these requests asks for; as JSON where JSON may stand. */
const rich = {
  ...{ response_type: 'code', redirect_uri: webCallback, scope: 'openid', state: 's' },
  resource: [bank, apis.messages],
  authorization_details: [payment],
  claims: { id_token: { acr: null, given_name: null } },
}

/** Says yes on the page that the request leads to, and exchanges the code. */
async function tokensOf(query: Readonly<Record<string, string>>, code_verifier: string) {
  const page = await ada.visit(`${latchkey.issuer}authorize?${new URLSearchParams(query)}`)
  expect(isPage(page, '/u/consent')).toBe(true)
  expect(page.body).toContain('Payment initiation')
  const { code } = outcomeOf(await ada.submit(page, { action: 'accept' })).parameters
  const fields = { grant_type: 'authorization_code', code, redirect_uri: webCallback, code_verifier }
  const client = { client_id: codeClients.web, client_secret: secret }
  return (await post(`${latchkey.issuer}oauth/token`, { ...fields, ...client })).json
}

function expectEverything(json: Readonly<Record<string, unknown>>): void {
  expect(json.authorization_details).toEqual([payment])
  expect(claimsOf(String(json.access_token)).aud).toEqual([bank, apis.messages, `${latchkey.issuer}userinfo`])
  expect(claimsOf(String(json.id_token))).toMatchObject({ given_name: 'Ada', acr: expect.any(String) })
}

describe('RFC 9101 §4 RFC 8707 §2 RFC 9396 §3 inside a signed request', () => {
  test('lists and objects stand as themselves', async () => {
    const { code_verifier, request } = pkce()
    const client_id = codeClients.web
    const inside = { ...rich, ...request, client_id, iss: client_id, aud: latchkey.issuer }
    const jwt = await new SignJWT(inside)
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setExpirationTime('5m')
      .sign(key)
    expectEverything(await tokensOf({ client_id, request: jwt, response_type: 'code', scope: 'openid' }, code_verifier))
  })
})

describe('RFC 9126 §2.1 RFC 8707 §2 RFC 9396 §3 pushed', () => {
  const push = async (init: RequestInit) => {
    const answer = await fetch(`${latchkey.issuer}oauth/par`, { method: 'POST', ...init })
    return { status: answer.status, json: (await answer.json()) as Record<string, string> }
  }
  const client = { client_id: codeClients.web, client_secret: secret }

  test('as a form: resource repeated, the others as text', async () => {
    const { code_verifier, request } = pkce()
    const { resource, authorization_details, claims, ...plain } = rich
    const body = new URLSearchParams({
      ...{ ...client, ...plain, ...request, claims: JSON.stringify(claims) },
      authorization_details: JSON.stringify(authorization_details),
    })
    for (const one of resource) body.append('resource', one)
    const { status, json } = await push({ body })
    expect(status).toBe(201)
    const query = { client_id: codeClients.web, request_uri: json.request_uri ?? '' }
    expectEverything(await tokensOf(query, code_verifier))
  })

  test('as JSON: as themselves', async () => {
    const { code_verifier, request } = pkce()
    const body = JSON.stringify({ ...client, ...rich, ...request })
    const { status, json } = await push({ body, headers: { 'content-type': 'application/json' } })
    expect(status).toBe(201)
    const query = { client_id: codeClients.web, request_uri: json.request_uri ?? '' }
    expectEverything(await tokensOf(query, code_verifier))
  })

  test('what is wrong is said when it is pushed', async () => {
    for (const [change, error] of [
      [{ resource: 'https://nobody.example.com/' }, 'invalid_target'],
      [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
      [{ claims: '[]' }, 'invalid_request'],
      [{ claims: '{"id_token":{"acr":{"essential":true,"value":"x"}}}' }, 'unmet_authentication_requirements'],
    ] as const) {
      const { resource: _, authorization_details: __, claims: ___, ...plain } = rich
      const body = new URLSearchParams({ ...client, ...plain, ...pkce().request, ...change })
      const { status, json } = await push({ body })
      expect([status, json.error]).toEqual([400, error])
    }
  })
})
