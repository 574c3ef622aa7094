/** The unmodified `openid-client` as a device, and at the end of a session. */
import * as client from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { person, tenant } from '../support/tenant.ts'

const callback = 'https://web.example.com/callback'
let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(`
clients:
  - name: Television
    client_id: Television
    app_type: native
    callbacks: ['${callback}']
    post_logout_redirect_uris: ['https://web.example.com/bye']
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', authorization_code, refresh_token]
`)
})
afterAll(() => latchkey.close())

const discover = () =>
  client.discovery(new URL(latchkey.issuer), 'Television', {}, client.None(), {
    execute: [client.allowInsecureRequests],
  })

async function logIn(agent: Agent, page: Awaited<ReturnType<Agent['visit']>>) {
  if (!isPage(page, '/u/login')) return page
  return agent.submit(page, { username: person.email, password: person.password, action: 'default' })
}

test('RFC 8628 §3.4 it polls until the person has said yes', async () => {
  const config = await discover()
  const codes = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
  const polling = client.pollDeviceAuthorizationGrant(config, codes, undefined, { signal: AbortSignal.timeout(20_000) })
  const agent = new Agent()
  const typed = await agent.submit(await agent.visit(codes.verification_uri_complete ?? ''), { code: codes.user_code })
  await agent.submit(await logIn(agent, typed), { action: 'accept' })
  expect((await polling).claims()).toMatchObject({ aud: 'Television', email: person.email })
})

test('RFC 8628 §3.5 it hears of a no', async () => {
  const config = await discover()
  const codes = await client.initiateDeviceAuthorization(config, { scope: 'openid' })
  const polling = client.pollDeviceAuthorizationGrant(config, codes, undefined, { signal: AbortSignal.timeout(20_000) })
  const agent = new Agent()
  const typed = await agent.submit(await agent.visit(codes.verification_uri), { code: codes.user_code })
  await agent.submit(await logIn(agent, typed), { action: 'deny' })
  await expect(polling).rejects.toMatchObject({ error: 'access_denied' })
})

test('OpenID Connect RP-Initiated Logout §2 its address ends the session', async () => {
  const config = await discover()
  const agent = new Agent()
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const asked = { redirect_uri: callback, scope: 'openid', code_challenge, code_challenge_method: 'S256' }
  const page = await agent.visit(client.buildAuthorizationUrl(config, asked).href)
  const answer = await logIn(agent, page)
  const tokens = await client.authorizationCodeGrant(config, new URL(answer.location ?? ''), { pkceCodeVerifier })
  const leave = client.buildEndSessionUrl(config, {
    ...{ id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: 'https://web.example.com/bye', state: 's' },
  })
  expect((await agent.visit(leave.href)).location).toBe('https://web.example.com/bye?state=s')
  const silent = client.buildAuthorizationUrl(config, { ...asked, prompt: 'none' })
  expect((await agent.request(silent.href)).location).toContain('error=login_required')
})
