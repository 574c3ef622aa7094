/** What an administrator changes between a code or a refresh token and the tokens that come of it: it counts at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeOf, codeTenant, offlineApi, refresh, refreshable, requestToken } from '../support/code_flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
})
afterAll(() => latchkey.close())

const scope = 'openid offline_access read:offline write:offline'
const asked = { audience: offlineApi, scope }

describe('RFC 6749 §6 rule 18 nobody gets what is not granted any more', () => {
  test('a scope that the API no longer has, by refresh token and by code', async () => {
    await latchkey.apply(codeTenant)
    const agent = new Agent()
    const { refresh_token, access_token } = await refreshable(agent, latchkey.issuer, asked)
    expect(claimsOf(access_token).scope).toBe(scope)
    const exchange = await codeOf(agent, latchkey.issuer, asked)
    await latchkey.apply(codeTenant.replace(/\n.*'write:offline', description.*\n/, '\n'))
    const later = 'openid offline_access read:offline'
    for (const { json } of [
      await refresh(latchkey.issuer, refresh_token),
      await requestToken(latchkey.issuer, { ...exchange }),
    ])
      expect([json.scope, claimsOf(json.access_token).scope]).toEqual([later, later])
    const again = await refreshable(agent, latchkey.issuer, asked)
    const wide = await refresh(latchkey.issuer, again.refresh_token, { scope: 'write:offline' })
    expect(wide.json.error).toBe('invalid_scope')
  })

  test('a grant that the client no longer has', async () => {
    await latchkey.apply(codeTenant)
    const agent = new Agent()
    const { refresh_token } = await refreshable(agent, latchkey.issuer, asked)
    const exchange = await codeOf(agent, latchkey.issuer, asked)
    const file = `clients:\n  - name: Single page app\n    client_id: ${clients.spa}\n    grant_types: `
    await latchkey.apply(`${file}[implicit]\n`)
    expect((await refresh(latchkey.issuer, refresh_token)).json.error).toBe('unauthorized_client')
    expect((await requestToken(latchkey.issuer, { ...exchange })).json.error).toBe('unauthorized_client')
    await latchkey.apply(`${file}[implicit, authorization_code]\n`)
    const { status, json } = await requestToken(latchkey.issuer, { ...exchange })
    expect([status, json.refresh_token]).toEqual([200, undefined])
    await latchkey.apply(`${file}[implicit, authorization_code, refresh_token]\n`)
  })

  test('a client that has to prove itself now', async () => {
    await latchkey.apply(codeTenant)
    const agent = new Agent()
    const { refresh_token } = await refreshable(agent, latchkey.issuer, asked)
    const exchange = await codeOf(agent, latchkey.issuer, asked)
    const file = `clients:\n  - name: Single page app\n    client_id: ${clients.spa}\n    token_endpoint_auth_method: `
    await latchkey.apply(`${file}client_secret_post\n    client_secret: a secret for the single page app, 32+\n`)
    expect((await refresh(latchkey.issuer, refresh_token)).json.error).toBe('invalid_client')
    expect((await requestToken(latchkey.issuer, { ...exchange })).json.error).toBe('invalid_client')
    await latchkey.apply(`${file}none\n`)
  })
})
