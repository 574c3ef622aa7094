import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createVerifier } from '@latchkey/api'
import { protect, requireScope } from '@latchkey/api/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rotateKeys } from '../support/administration.ts'
import { Agent } from '../support/agent.ts'
import { type Parameters, signIn, silently } from '../support/flow.ts'
import { tampered, unsigned } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let foreign: Latchkey
let api: Server
let ahead = 0
let reached = 0
const ada = new Agent()
beforeAll(async () => {
  ;[latchkey, foreign] = await Promise.all([startLatchkey({ tenant }), startLatchkey({ tenant })])
  await signIn(ada, latchkey.issuer)
  const clock = () => Date.now() + ahead
  const verifier = createVerifier({ issuer: latchkey.issuer, audience: apis.messages, cooldown: 1, clock })
  const handler = protect(verifier)(
    requireScope('read:messages')((_request, response) => {
      reached++
      response.end('messages')
    }),
  )
  api = createServer((request, response) => void handler(request, response))
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  api.close()
  await Promise.all([latchkey.close(), foreign.close()])
})

const tokens = async (change: Parameters = {}) => outcomeOf(await silently(ada, latchkey.issuer, change)).parameters
const good = async () => (await tokens()).access_token ?? ''

/** Calls the API. The handler must not run for anything but 200. */
async function call(authorization?: string) {
  const before = reached
  const answer = await fetch(`http://127.0.0.1:${(api.address() as AddressInfo).port}/`, {
    headers: authorization === undefined ? {} : { authorization },
  })
  expect(reached - before).toBe(answer.status === 200 ? 1 : 0)
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.text() }
}

describe('RFC 6750 §3.1 an API and the tokens of this server', () => {
  test('the right token with the right scope opens it', async () =>
    expect(await call(`Bearer ${await good()}`)).toMatchObject({ status: 200, body: 'messages' }))

  for (const [name, token] of [
    ['an ID token', async () => (await tokens()).id_token],
    [
      'the token of another API',
      async () => (await tokens({ audience: apis.modern, scope: 'openid read:modern' })).access_token,
    ],
    [
      'the token of an HS256 API',
      async () => (await tokens({ audience: apis.secret, scope: 'read:secret', response_type: 'token' })).access_token,
    ],
    ['an opaque token', async () => (await tokens({ audience: undefined, scope: 'openid' })).access_token],
    [
      'the token of another issuer',
      async () => outcomeOf(await signIn(new Agent(), foreign.issuer)).parameters.access_token,
    ],
    ['a changed signature', async () => tampered(await good())],
    ['changed claims', async () => tampered(await good(), 1)],
    ['a changed header', async () => tampered(await good(), 0)],
    ['no signature', async () => unsigned(await good())],
    ['half a token', async () => (await good()).slice(0, -20)],
    ['nonsense', async () => 'nonsense'],
  ] as const)
    test(`${name} is 401 invalid_token`, async () => {
      const { status, challenge } = await call(`Bearer ${await token()}`)
      expect(status).toBe(401)
      expect(challenge).toMatch(/^Bearer .*error="invalid_token"/)
    })

  test('no token is 401 without an error', async () => {
    const { status, challenge } = await call()
    expect([status, challenge?.includes('error')]).toEqual([401, false])
  })

  test('a token without the scope is 403 insufficient_scope, and says which', async () => {
    const { status, challenge } = await call(
      `Bearer ${(await tokens({ scope: 'openid write:messages' })).access_token}`,
    )
    expect([status, challenge]).toEqual([
      403,
      expect.stringMatching(/error="insufficient_scope".*scope="read:messages"/),
    ])
  })

  test('keys rotate and nobody notices; an expired token is 401', async () => {
    const before = await good()
    await rotateKeys(latchkey)
    ahead = 2000
    for (const token of [before, await good()]) expect((await call(`Bearer ${token}`)).status).toBe(200)
    ahead = 7_210_000
    expect((await call(`Bearer ${before}`)).status).toBe(401)
    ahead = 0
  })
})
