import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf, fragmentOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
})
afterAll(() => latchkey.close())

describe('RFC 6749 §4.2.2 access token response', () => {
  test('a first visit goes through login and ends with both tokens in the fragment', async () => {
    const agent = new Agent()
    const login = await agent.visit(authorizeUrl(latchkey.issuer))
    expect(isPage(login, '/u/login')).toBe(true)
    const answer = await signIn(agent, latchkey.issuer)
    expect(answer.status).toBe(302)
    expect(answer.location?.startsWith(`${callback}#access_token=`)).toBe(true)
    const { access_token, id_token, session_state, ...rest } = fragmentOf(answer.location)
    expect(session_state).toMatch(/^[0-9a-f]{64}\.[\w-]{16}$/)
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: '7200', state: 'af0ifjsldkj', iss: latchkey.issuer })
    expect(claimsOf(access_token)).toMatchObject({
      iss: latchkey.issuer,
      aud: [apis.messages, `${latchkey.issuer}userinfo`],
      azp: clients.spa,
      scope: 'openid profile email read:messages',
    })
    expect(claimsOf(id_token)).toMatchObject({ aud: clients.spa, nonce: 'n-0S6_WzA2Mj', email: 'ada@example.com' })
  })
})
