/** The log of everything that clients do by themselves, well and badly: no secret, code, verifier, assertion or token may be in it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  post,
  refresh,
  refreshable,
  requestToken,
  secret,
  webRequest,
  webSecret,
} from '../support/code_flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
/** What must not be in the log, by what it is. */
const secrets = new Map<string, string>()
const keep = (what: string, value: unknown) => {
  if (typeof value === 'string' && value.length > 5) secrets.set(`${what} ${secrets.size}`, value)
}
const keepAll = (values: object) => {
  for (const [name, value] of Object.entries(values))
    if (/token$|^code|verifier|secret|assertion/.test(name) && !/type/.test(name)) keep(name, value)
}

async function exchanges(agent: Agent, issuer: string): Promise<void> {
  const exchange = await codeOf(agent, issuer)
  keepAll(exchange)
  for (const change of [
    { code_verifier: `${exchange.code_verifier}x` },
    { redirect_uri: `${callback}?code=${exchange.code}` },
    { code: `${exchange.code}x` },
    { client_id: clients.local },
    { client_id: exchange.code },
    { code: undefined, [exchange.code]: 'x' },
    {},
    {},
  ])
    keepAll((await requestToken(issuer, { ...exchange, ...change })).json)
  const url = `${issuer}oauth/token`
  await fetch(`${url}?${new URLSearchParams({ ...exchange })}`, { method: 'POST' })
  for (const body of [`{"code":"${exchange.code}"`, `["${exchange.code}"]`, `{"code":["${exchange.code}"]}`])
    await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  await fetch(url, { method: 'POST', body: `code=${exchange.code}&code=${exchange.code}` })
}

async function refreshes(agent: Agent, issuer: string): Promise<void> {
  const first = await refreshable(agent, issuer, { audience: offlineApi })
  const opaque = await refreshable(agent, issuer, { audience: undefined, scope: 'openid offline_access' })
  const { json: second } = await refresh(issuer, first.refresh_token)
  const { json: third } = await refresh(issuer, second.refresh_token)
  for (const each of [first, opaque, second, third]) keepAll(each)
  await refresh(issuer, third.refresh_token, { scope: 'more than that' })
  await refresh(issuer, third.refresh_token, { client_id: clients.local })
  await refresh(issuer, `${third.refresh_token}x`)
  await refresh(issuer, first.refresh_token)
  const machine = { client_id: codeClients.machine, client_secret: secret }
  for (const token of [opaque.access_token, opaque.refresh_token, first.access_token, first.id_token]) {
    await post(`${issuer}oauth/introspect`, { ...machine, token })
    await post(`${issuer}oauth/revoke`, { client_id: clients.spa, token })
    await post(`${issuer}oauth/revoke?token=${token}`, { client_id: clients.spa })
    await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })
    await fetch(`${issuer}userinfo?access_token=${token}`)
  }
}

async function proofs(agent: Agent, issuer: string): Promise<void> {
  const exchange = await codeOf(agent, issuer, webRequest)
  keep('code', exchange.code)
  keep('client_secret', secret)
  const header = Buffer.from(`${codeClients.web}:${secret}`).toString('base64')
  keep('Authorization', header)
  for (const authorization of [`Basic ${header}x`, `Basic ${header}`, `Bearer ${header}`, header, `Basic !${header}`])
    await requestToken(issuer, { ...exchange, code_verifier: undefined }, { authorization })
  await requestToken(issuer, { ...exchange, ...webSecret })
  await requestToken(issuer, { ...exchange, ...webSecret, client_secret: `${secret}x` })
  await requestToken(issuer, { grant_type: 'client_credentials', client_id: secret, audience: apis.messages })
  const client_assertion = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
  keep('client_assertion', client_assertion)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  await requestToken(issuer, { grant_type: 'client_credentials', client_assertion, client_assertion_type })
  await requestToken(issuer, { grant_type: 'client_credentials', client_assertion, client_assertion_type: 'x' })
}

async function registrations(issuer: string): Promise<void> {
  const url = `${issuer}oidc/register`
  const send = (method: string, to: string, body: object, token = 'a-token-that-is-none-at-all') => {
    keep('registration token', token)
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    return fetch(to, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) })
  }
  const metadata = { redirect_uris: [callback] }
  const made = (await (await send('POST', url, metadata)).json()) as Record<string, string>
  keepAll(made)
  const { registration_client_uri: own = '', registration_access_token: token = '', client_id } = made
  for (const method of ['GET', 'PUT', 'DELETE']) {
    await send(method, own, { ...metadata, client_id })
    await send(method, own, { ...metadata, client_id }, token)
    await send(method, `${own}?registration_access_token=${token}`, {}, token)
  }
  await send('POST', url, {
    ...metadata,
    client_secret: secret,
    jwks: { keys: [{ kty: 'RSA', d: 'a-private-number' }] },
  })
  secrets.set('a private key', 'a-private-number')
}

describe('rule 19 the log of what clients do', () => {
  beforeAll(async () => {
    latchkey = await startLatchkey({
      tenant: tenant.replace(
        'friendly_name: Example',
        'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
      ),
    })
    await latchkey.apply(codeTenant)
    const agent = new Agent()
    await exchanges(agent, latchkey.issuer)
    await refreshes(agent, latchkey.issuer)
    await proofs(agent, latchkey.issuer)
    await registrations(latchkey.issuer)
  }, 30_000)
  afterAll(() => latchkey.close())

  test('was given the chance', () => {
    const kinds = [...secrets.keys()].join('\n')
    for (const kind of ['code_verifier', 'code ', 'refresh_token', 'access_token', 'id_token', 'client_secret'])
      expect(kinds).toContain(kind)
    expect(kinds).toContain('registration_access_token')
    expect(latchkey.log.length).toBeGreaterThan(40)
  })

  test('holds none of them, whole or in part', () => {
    const text = JSON.stringify(latchkey.log)
    expect([...secrets].filter(([, value]) => text.includes(value)).map(([what]) => what)).toEqual([])
    expect(text).not.toMatch(/eyJ[\w-]{10}|lk_at_\w|rt\.eyJ/)
  })

  test('says that a code and a refresh token were used twice, and nothing failed', () => {
    const messages = latchkey.log.map(({ msg }) => msg)
    expect(messages).toContain('a code was used twice: its tokens are revoked')
    expect(messages).toContain('a used refresh token was presented: its family is revoked')
    expect(latchkey.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })
})
