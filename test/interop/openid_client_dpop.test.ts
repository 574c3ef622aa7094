/** The unmodified `openid-client` with DPoP: codes, refresh, userinfo, pushed requests, nonces, and an API. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@latchkey/api'
import { protect } from '@latchkey/api/node'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeTenant, offlineApi } from '../support/code_flow.ts'
import { signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { clients, tenant } from '../support/tenant.ts'

const callback = 'https://app.example.com/callback'
const strict = `
clients:
  - name: Single page app
    client_id: ${clients.spa}
    require_dpop_nonce: true
    dpop_bound_access_tokens: true
`

let latchkey: Latchkey
let api: Server
let at: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await signIn(ada, latchkey.issuer)
  const verifier = createVerifier({
    issuer: latchkey.issuer,
    audience: offlineApi,
    dpop_nonce_secret: 'a secret of the API for its nonces',
  })
  const handler = protect(verifier)((request, response) => response.end(JSON.stringify({ sub: request.auth.sub })))
  api = createServer((request, response) => void handler(request, response))
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  at = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`
})
afterAll(async () => {
  api.close()
  await latchkey.close()
})

const discover = () =>
  client.discovery(new URL(latchkey.issuer), clients.spa, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  })

/** Everything from the authorization request to an API, with one key. */
async function wholeWay(alg: string, pushed: boolean): Promise<void> {
  const config = await discover()
  const pair = await client.randomDPoPKeyPair(alg)
  const DPoP = client.getDPoPHandle(config, pair)
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const parameters = {
    ...{ redirect_uri: callback, audience: offlineApi, scope: 'openid email offline_access read:offline' },
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...(pushed ? {} : { dpop_jkt: await DPoP.calculateThumbprint() }),
  }
  const start = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
    : client.buildAuthorizationUrl(config, parameters)
  const answer = await ada.request(start.href)
  if (answer.location === undefined) throw new Error(`No way back: ${answer.status} ${answer.body.slice(0, 300)}`)
  const tokens = await client.authorizationCodeGrant(
    config,
    new URL(answer.location),
    { pkceCodeVerifier, idTokenExpected: true },
    undefined,
    { DPoP },
  )
  expect(tokens.token_type).toBe('dpop')
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
  expect(claimsOf(refreshed.access_token).cnf).toEqual({ jkt: await DPoP.calculateThumbprint() })
  const { sub } = tokens.claims() ?? { sub: '' }
  expect((await client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP })).sub).toBe(sub)
  const { status } = await client.fetchProtectedResource(
    ...([config, refreshed.access_token, new URL(at), 'GET', null, undefined, { DPoP }] as const),
  )
  expect(status).toBe(200)
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
  const stolen = client.refreshTokenGrant(config, refreshed.refresh_token ?? '', undefined, { DPoP: other })
  await expect(stolen).rejects.toMatchObject({ error: 'invalid_grant' })
}

describe('RFC 9449 §5 openid-client with DPoP', () => {
  test.each(['ES256', 'PS256', 'RS256', 'Ed25519'])('%s, from dpop_jkt to an API that demands nonces', (alg) =>
    wholeWay(alg, false),
  )

  test('a pushed request binds the code', () => wholeWay('ES256', true))
})

describe('RFC 9449 §8 openid-client with a server that demands nonces', () => {
  test('it repeats what was refused, and goes on', async () => {
    await latchkey.apply(strict)
    await wholeWay('ES256', true)
    await wholeWay('ES256', false)
  })
})
