/** Refresh tokens that live as long as the session: `online_access` beside `offline_access`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeOf, codeTenant, offlineApi, refresh, requestToken } from '../support/code_flow.ts'
import { signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
let issuer: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
})
afterAll(() => latchkey.close())

/** The tokens of a browser that asked for some scope. */
async function tokensOf(agent: Agent, scope: string, audience: string = apis.messages) {
  const { json } = await requestToken(issuer, { ...(await codeOf(agent, issuer, { scope, audience })) })
  return json
}

describe('OpenID Connect Core §11 online_access', () => {
  test('is granted at an API that allows no offline access, and refreshes while the session lives', async () => {
    const agent = new Agent()
    const { refresh_token, scope } = await tokensOf(agent, 'openid online_access read:messages')
    expect(scope).toBeUndefined()
    const { status, json } = await refresh(issuer, refresh_token)
    expect([status, json.refresh_token === refresh_token]).toEqual([200, false])
    await agent.request(`${issuer}v2/logout`)
    expect((await refresh(issuer, json.refresh_token)).json.error).toBe('invalid_grant')
  })

  test('lasts through another sign-in of the same person, and ends with one of somebody else', async () => {
    const agent = new Agent()
    const { refresh_token } = await tokensOf(agent, 'openid online_access')
    await signIn(agent, issuer, { prompt: 'login' })
    const { status, json } = await refresh(issuer, refresh_token)
    expect(status).toBe(200)
    await latchkey.apply(`users: [{ email: bob@example.com, password: 'Correct-Horse-8', email_verified: true }]`)
    await signIn(agent, issuer, { prompt: 'login' }, { email: 'bob@example.com', password: 'Correct-Horse-8' })
    expect((await refresh(issuer, json.refresh_token)).json.error).toBe('invalid_grant')
  })

  test('ends when the session is over by itself', async () => {
    const { refresh_token } = await tokensOf(new Agent(), 'openid online_access')
    latchkey.advance(73 * 3600)
    expect((await refresh(issuer, refresh_token)).json.error).toBe('invalid_grant')
  })

  test('beside offline_access says nothing: the session may end', async () => {
    const agent = new Agent()
    const { refresh_token } = await tokensOf(agent, 'openid offline_access online_access', offlineApi)
    await agent.request(`${issuer}v2/logout`)
    expect((await refresh(issuer, refresh_token)).status).toBe(200)
  })

  test('is not granted without a code, nor to a client that may not refresh', async () => {
    const agent = new Agent()
    const front = outcomeOf(await signIn(agent, issuer, { scope: 'openid online_access read:messages' })).parameters
    expect(front.scope).toBe('openid read:messages')
    const { refresh_token, scope } = await (async () => {
      const asked = { scope: 'openid online_access', client_id: clients.noImplicit }
      return (await requestToken(issuer, { ...(await codeOf(agent, issuer, asked)) })).json
    })()
    expect([refresh_token, scope]).toEqual([undefined, 'openid'])
  })

  test('a new password ends it, like every session', async () => {
    const { refresh_token } = await tokensOf(new Agent(), 'openid online_access')
    await latchkey.apply(`users: [{ email: ${person.email}, password: 'Correct-Horse-9' }]`)
    expect((await refresh(issuer, refresh_token)).json.error).toBe('invalid_grant')
    await latchkey.apply(`users: [{ email: ${person.email}, password: '${person.password}' }]`)
  })
})
