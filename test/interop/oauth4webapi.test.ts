/** The unmodified oauth4webapi, step by step: everything it checks of an answer, it checks here. */
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeClients, codeTenant, offlineApi, secret, webCallback } from '../support/code_flow.ts'
import { isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { person, tenant } from '../support/tenant.ts'

const insecure = { [oauth.allowInsecureRequests]: true } as const
const client: oauth.Client = { client_id: codeClients.web }

let latchkey: Latchkey
let server: oauth.AuthorizationServer
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  const issuer = new URL(latchkey.issuer)
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
})
afterAll(() => latchkey.close())

describe('oauth4webapi 3', () => {
  test('RFC 8414 §3 the same metadata by the other algorithm', async () => {
    const issuer = new URL(latchkey.issuer)
    const asked = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' })
    expect(await oauth.processDiscoveryResponse(issuer, asked)).toEqual(server)
  })

  test.each([
    ['client_secret_basic', oauth.ClientSecretBasic(secret)],
    ['client_secret_post', oauth.ClientSecretPost(secret)],
  ])('code, PKCE, userinfo, refresh, introspection and revocation by %s', async (_, authentication) => {
    const code_verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const nonce = oauth.generateRandomNonce()
    const url = new URL(server.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      ...{ client_id: client.client_id, redirect_uri: webCallback, response_type: 'code', state, nonce },
      ...{ scope: 'openid email offline_access read:offline', audience: offlineApi, max_age: '1000' },
      code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
    }).toString()
    const answer = await signIn(url.href)
    const parameters = oauth.validateAuthResponse(server, client, new URL(answer), state)
    const exchanged = await oauth.authorizationCodeGrantRequest(
      ...([server, client, authentication, parameters, webCallback, code_verifier, insecure] as const),
    )
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, {
      ...{ expectedNonce: nonce, maxAge: 1000, requireIdToken: true },
    })
    const { sub = '' } = oauth.getValidatedIdTokenClaims(tokens) ?? {}
    const asked = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
    expect(await oauth.processUserInfoResponse(server, client, sub, asked)).toMatchObject({ email: person.email })

    const refreshed = await oauth.processRefreshTokenResponse(
      ...([server, client] as const),
      await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
    )
    expect(refreshed.access_token).not.toBe(tokens.access_token)

    const look = async (token: string) =>
      oauth.processIntrospectionResponse(
        ...([server, client] as const),
        await oauth.introspectionRequest(server, client, authentication, token, insecure),
      )
    expect(await look(refreshed.access_token)).toMatchObject({ active: true, sub, client_id: client.client_id })
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, refreshed.access_token, insecure),
    )
    expect(await look(refreshed.access_token)).toEqual({ active: false })
  })

  test('RFC 6749 §4.4 client credentials, and an error it understands', async () => {
    const machine = { client_id: codeClients.machine }
    const ask = (audience: string) =>
      oauth.clientCredentialsGrantRequest(server, machine, oauth.ClientSecretPost(secret), { audience }, insecure)
    const given = await oauth.processClientCredentialsResponse(server, machine, await ask('https://api.example.com/'))
    expect(given).toMatchObject({ token_type: 'bearer', scope: 'read:messages write:messages' })
    await expect(
      oauth.processClientCredentialsResponse(server, machine, await ask('https://nobody.example.com/')),
    ).rejects.toMatchObject({ error: 'access_denied', status: 403 })
  })
})

/** @returns where the person is sent in the end */
async function signIn(url: string): Promise<string> {
  const agent = new Agent()
  let page = await agent.visit(url)
  page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
  if (isPage(page, '/u/consent')) page = await agent.submit(page, { action: 'accept' })
  return page.location ?? ''
}
