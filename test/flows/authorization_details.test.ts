import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf } from '../support/agent.ts'
import { codeClients, codeTenant, pkce, post, refresh, requestToken, secret } from '../support/code_flow.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

const bank = 'https://bank.example.com/'
const rich = `
resourceServers:
  - name: Bank
    identifier: ${bank}
    allow_offline_access: true
    scopes: [{ value: 'read:balance' }]
    authorization_details: [{ type: payment_initiation }, { type: 'https://bank.example.com/types/account' }]
clientGrants:
  - { client_id: ${codeClients.machine}, audience: '${bank}', scope: [] }
`
let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await latchkey.apply(rich)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const payment = {
  type: 'payment_initiation',
  actions: ['initiate', 'status', 'cancel'],
  locations: [bank],
  instructedAmount: { currency: 'EUR', amount: '123.50' },
  creditorName: 'Merchant A',
}
const account = { type: 'https://bank.example.com/types/account', identifier: 'DE-1' }
const details = (...given: unknown[]): Parameters => ({ audience: bank, authorization_details: JSON.stringify(given) })
const ask = (change: Parameters, agent = ada): Promise<Answer> => agent.visit(authorizeUrl(latchkey.issuer, change))
const allowed = async (change: Parameters) =>
  outcomeOf(await ada.submit(await ask(change), { action: 'accept' })).parameters

/** From the request to the fields of the exchange. */
async function exchange(change: Parameters = {}) {
  const { code_verifier, request } = pkce()
  const scope = 'openid offline_access read:balance'
  const { code } = await allowed({ ...details(payment, account), scope, response_type: 'code', ...request, ...change })
  return { grant_type: 'authorization_code', client_id: clients.spa, code, redirect_uri: callback, code_verifier }
}

describe('RFC 9396 §2, §2.2, §5 the request', () => {
  for (const [name, given] of [
    ['no JSON', '{'],
    ['an object', '{"type":"payment_initiation"}'],
    ['an empty list', '[]'],
    ['a list of texts', '["payment_initiation"]'],
    ['no type', '[{"actions":["a"]}]'],
    ['a type that is no text', '[{"type":1}]'],
    ['actions that are no list', '[{"type":"payment_initiation","actions":"initiate"}]'],
    ['locations of numbers', '[{"type":"payment_initiation","locations":[1]}]'],
    ['an identifier that is no text', '[{"type":"payment_initiation","identifier":{}}]'],
    ['an unknown type', '[{"type":"customer_information"}]'],
    ['one good and one unknown', '[{"type":"payment_initiation"},{"type":"x"}]'],
    ['eleven', JSON.stringify(Array.from({ length: 11 }, () => payment))],
    ['more than 4096 characters', JSON.stringify([{ ...payment, note: 'x'.repeat(4096) }])],
    ['deeper than six', '[{"type":"payment_initiation","a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}]'],
  ] as const)
    test(`§5 ${name} is invalid_authorization_details, told to the client`, async () => {
      const answer = await silently(ada, latchkey.issuer, { audience: bank, authorization_details: given })
      expect(outcomeOf(answer).parameters).toMatchObject({
        error: 'invalid_authorization_details',
        iss: latchkey.issuer,
      })
    })

  test('a type of another API than the one asked for is refused; named by resource it is found', async () => {
    const text = JSON.stringify([payment])
    for (const audience of [apis.messages, undefined])
      expect(outcomeOf(await ask({ audience, authorization_details: text })).parameters.error).toBe(
        'invalid_authorization_details',
      )
    expect(isPage(await ask({ audience: undefined, resource: bank, authorization_details: text }), '/u/consent')).toBe(
      true,
    )
  })

  test('§10 a client with authorization_details_types may send those alone', async () => {
    await latchkey.apply(`clients: [{ name: Single page app, authorization_details_types: ['${account.type}'] }]`)
    expect(outcomeOf(await ask(details(payment))).parameters.error).toBe('invalid_authorization_details')
    expect(isPage(await ask(details(account)), '/u/consent')).toBe(true)
    await latchkey.apply(
      `clients: [{ name: Single page app, authorization_details_types: ['${account.type}', payment_initiation] }]`,
    )
  })
})

describe('RFC 9396 §4 consent', () => {
  test('the page shows every field, whoever the client is', async () => {
    const page = await ask(details(payment, account))
    expect(isPage(page, '/u/consent')).toBe(true)
    const text = page.body.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ')
    for (const words of [
      'Payment initiation',
      'initiate, status, cancel',
      'Instructed amount, currency: EUR',
      '123.50',
    ])
      expect(text).toContain(words)
    for (const words of ['Merchant A', account.type, 'Identifier: DE-1']) expect(text).toContain(words)
  })

  test('markup in it stays text', async () => {
    const evil = { type: 'payment_initiation', '<img src=x onerror=alert(1)>': '<script>alert(1)</script>' }
    const { body } = await ask(details(evil))
    expect(body).toContain('&lt;script&gt;alert(1)')
    expect(body).not.toMatch(/<img src=x|<script>alert/)
  })

  test('it is asked each time, the same request again too, and never silently', async () => {
    for (const _ of [1, 2]) expect(await allowed(details(payment))).toHaveProperty('access_token')
    const silent = await silently(ada, latchkey.issuer, details(payment))
    expect(outcomeOf(silent).parameters.error).toBe('consent_required')
  })

  test('no is access_denied', async () => {
    const answer = await ada.submit(await ask(details(payment)), { action: 'deny' })
    expect(outcomeOf(answer).parameters.error).toBe('access_denied')
  })
})

describe('RFC 9396 §7, §9.1, §9.2 what was allowed', () => {
  test('is in the token response, in the access token and in introspection', async () => {
    const { json } = await requestToken(latchkey.issuer, await exchange())
    expect(json.authorization_details).toEqual([payment, account])
    expect(claimsOf(json.access_token).authorization_details).toEqual([payment, account])
    const fields = { client_id: codeClients.machine, client_secret: secret, token: json.access_token }
    const looked = await post(`${latchkey.issuer}oauth/introspect`, fields)
    expect(looked.json).toMatchObject({ active: true, authorization_details: [payment, account] })
  })

  test('is in a token of the answer itself', async () => {
    const { access_token } = await allowed(details(payment))
    expect(claimsOf(access_token).authorization_details).toEqual([payment])
  })

  test('is not in a token for another API of the same authorization, nor in one for /userinfo', async () => {
    const change = { resource: apis.messages, scope: 'openid read:messages' }
    const fields = await exchange(change)
    const { json } = await requestToken(latchkey.issuer, { ...fields, resource: apis.messages })
    expect(json).not.toHaveProperty('authorization_details')
    expect(claimsOf(json.access_token)).not.toHaveProperty('authorization_details')
  })

  test('without any, nothing is said of it', async () => {
    const { code_verifier, request } = pkce()
    const { code } = outcomeOf(await silently(ada, latchkey.issuer, { response_type: 'code', ...request })).parameters
    const fields = {
      grant_type: 'authorization_code',
      client_id: clients.spa,
      code,
      redirect_uri: callback,
      code_verifier,
    }
    expect((await requestToken(latchkey.issuer, fields)).json).not.toHaveProperty('authorization_details')
  })
})

describe('RFC 9396 §6, §6.1 less at the token endpoint', () => {
  const asking = (...given: unknown[]) => ({ authorization_details: JSON.stringify(given) })
  const less = { ...payment, actions: ['status'] }

  test('fewer entries and fewer actions; a refresh token keeps all that was allowed', async () => {
    const { json } = await requestToken(latchkey.issuer, { ...(await exchange()), ...asking(less) })
    expect(json.authorization_details).toEqual([less])
    expect(claimsOf(json.access_token).authorization_details).toEqual([less])
    const whole = await refresh(latchkey.issuer, json.refresh_token)
    expect(whole.json.authorization_details).toEqual([payment, account])
    const one = await refresh(latchkey.issuer, whole.json.refresh_token, asking(account))
    expect(one.json.authorization_details).toEqual([account])
  })

  for (const [name, given] of [
    ['another amount', { ...payment, instructedAmount: { currency: 'EUR', amount: '999.00' } }],
    ['one more action', { ...payment, actions: [...payment.actions, 'refund'] }],
    ['no actions at all, which could mean any', { ...payment, actions: [] }],
    ['a field left out, which could mean any', (({ creditorName: _, ...rest }) => rest)(payment)],
    ['a field more', { ...payment, note: 'x' }],
    ['another type', { ...payment, type: account.type }],
    ['another identifier', { ...account, identifier: 'DE-2' }],
  ] as const)
    test(`${name} is invalid_authorization_details`, async () => {
      const { status, json } = await requestToken(latchkey.issuer, { ...(await exchange()), ...asking(given) })
      expect([status, json.error]).toEqual([400, 'invalid_authorization_details'])
    })

  test('as JSON it stands as itself', async () => {
    const answer = await fetch(`${latchkey.issuer}oauth/token`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ ...(await exchange()), authorization_details: [account] }),
    })
    expect(await answer.json()).toMatchObject({ authorization_details: [account] })
  })
})

describe('RFC 9396 §10 metadata', () => {
  test('discovery names the types of every API', async () => {
    const document = await (await fetch(`${latchkey.issuer}.well-known/openid-configuration`)).json()
    expect(document).toMatchObject({ authorization_details_types_supported: [payment.type, account.type] })
  })
})
