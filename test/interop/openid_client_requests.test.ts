/** The unmodified `openid-client`: signed answers, single claims, several APIs, rich requests. */
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeTenant, offlineApi } from '../support/code_flow.ts'
import { isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { callback, clients, person, tenant } from '../support/tenant.ts'

const bank = 'https://bank.example.com/'
const payment = { type: 'payment_initiation', actions: ['initiate'], amount: '5.00' }
let latchkey: Latchkey
let config: client.Configuration
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await latchkey.apply(`
clients: [{ name: Single page app, id_token_profile_claims: standard }]
resourceServers:
  - { name: Bank, identifier: '${bank}', allow_offline_access: true, authorization_details: [{ type: payment_initiation }] }
`)
  const options = { execute: [client.allowInsecureRequests] }
  config = await client.discovery(new URL(latchkey.issuer), clients.spa, undefined, client.None(), options)
})
afterAll(() => latchkey.close())

/** A person in a browser, from the address that the client made to the one that it is sent back to. */
async function browse(start: URL): Promise<URL> {
  const agent = new Agent()
  let page = await agent.visit(start.href)
  if (isPage(page, '/u/login'))
    page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
  if (isPage(page, '/u/consent')) page = await agent.submit(page, { action: 'accept' })
  if (page.location === undefined) throw new Error(`No answer: ${page.status} ${page.body.slice(0, 300)}`)
  return new URL(page.location)
}

async function authorize(parameters: Readonly<Record<string, string>>, resources: readonly string[] = []) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const url = client.buildAuthorizationUrl(config, {
    ...{ redirect_uri: callback, code_challenge, code_challenge_method: 'S256', state: 's' },
    ...parameters,
  })
  for (const resource of resources) url.searchParams.append('resource', resource)
  return { answer: await browse(url), checks: { pkceCodeVerifier, expectedState: 's' } }
}

describe('JARM §2.1 openid-client reads a signed answer', () => {
  test('and exchanges the code in it; a changed one it refuses', async () => {
    const signed = await client.discovery(new URL(latchkey.issuer), clients.spa, undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    })
    client.useJwtResponseMode(signed)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
    const asked = { redirect_uri: callback, scope: 'openid', state: 's', code_challenge, code_challenge_method: 'S256' }
    const url = client.buildAuthorizationUrl(signed, asked)
    expect(url.searchParams.get('response_mode')).toBe('jwt')
    const answer = await browse(url)
    expect([...answer.searchParams.keys()]).toEqual(['response'])
    const forged = new URL(answer)
    forged.searchParams.set('response', `${answer.searchParams.get('response')?.slice(0, -8)}AAAAAAAA`)
    const checks = { pkceCodeVerifier, expectedState: 's' }
    await expect(client.authorizationCodeGrant(signed, forged, checks)).rejects.toThrow()
    const tokens = await client.authorizationCodeGrant(signed, answer, checks)
    expect(tokens.claims()?.aud).toBe(clients.spa)
  })
})

describe('OpenID Connect Core §5.5 with openid-client', () => {
  test('a claim at /userinfo, another in the ID token', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } }, id_token: { email: null } })
    const { answer, checks } = await authorize({ scope: 'openid', claims })
    const tokens = await client.authorizationCodeGrant(config, answer, checks)
    expect(tokens.claims()).toMatchObject({ email: person.email })
    expect(tokens.claims()).not.toHaveProperty('name')
    const known = await client.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')
    expect(known).toMatchObject({ name: 'Ada Lovelace' })
    expect(known).not.toHaveProperty('email')
  })
})

describe('RFC 8707 §2.2 RFC 9396 §7 with openid-client', () => {
  test('one refresh token, a token for each API, and the payment in the one that knows it', async () => {
    const authorization_details = JSON.stringify([payment])
    const scope = 'openid offline_access read:offline'
    const { answer, checks } = await authorize({ scope, authorization_details }, [bank, offlineApi])
    const first = await client.authorizationCodeGrant(config, answer, checks, { resource: bank })
    expect(first.authorization_details).toEqual([payment])
    expect(claimsOf(first.access_token).aud).toContain(bank)
    const other = await client.refreshTokenGrant(config, first.refresh_token ?? '', { resource: offlineApi })
    expect(claimsOf(other.access_token)).toMatchObject({ aud: [offlineApi, `${latchkey.issuer}userinfo`] })
    expect(other.authorization_details).toBeUndefined()
    const again = await client.refreshTokenGrant(config, other.refresh_token ?? '', { resource: bank })
    expect(claimsOf(again.access_token).authorization_details).toEqual([payment])
  })
})
