/** Codes and refresh tokens in the hands of a hundred at once: retries, thieves, revocations and logouts in the same moment. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeOf, codeTenant, offlineApi, post, refresh, refreshable, requestToken } from '../support/code_flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
// A file, as in production: reads have a connection of their own, and writes of one moment are committed together.
const directory = mkdtempSync(join(tmpdir(), 'latchkey-'))
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, database: `sqlite:${join(directory, 'races.sqlite')}` })
  await latchkey.apply(codeTenant)
})
afterAll(async () => {
  await latchkey.close()
  rmSync(directory, { recursive: true, force: true })
})

const userinfo = async (token: string | undefined) =>
  (await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })).status
const opaque = { audience: undefined, scope: 'openid offline_access' }
const tokensOf = (agent = new Agent(), change: Record<string, string | undefined> = opaque) =>
  refreshable(agent, latchkey.issuer, change)
const revoke = (token: string | undefined) => post(`${latchkey.issuer}oauth/revoke`, { client_id: clients.spa, token })

/** Nothing that was given out counts any more. */
async function expectAllDead(answers: readonly { readonly json: Readonly<Record<string, unknown>> }[]): Promise<void> {
  for (const { json } of answers) {
    if (json.access_token !== undefined) expect(await userinfo(String(json.access_token))).toBe(401)
    if (json.refresh_token !== undefined)
      expect((await refresh(latchkey.issuer, String(json.refresh_token))).json.error).toBe('invalid_grant')
  }
}

describe('RFC 9700 §4.14.2 refresh tokens in the same moment', () => {
  test('of a hundred with one token all get the one successor, and it is good', async () => {
    const first = await tokensOf()
    const answers = await Promise.all(Array.from({ length: 100 }, () => refresh(latchkey.issuer, first.refresh_token)))
    expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect((await refresh(latchkey.issuer, answers[0]?.json.refresh_token)).status).toBe(200)
  })

  test('of a hundred, of whom half have the token before, the family ends or goes on, but never splits', async () => {
    const first = await tokensOf()
    const { json: second } = await refresh(latchkey.issuer, first.refresh_token)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        refresh(latchkey.issuer, n % 2 === 0 ? first.refresh_token : second.refresh_token),
      ),
    )
    const newer = new Set(answers.map(({ json }) => json.refresh_token))
    newer.delete(undefined)
    newer.delete(second.refresh_token)
    expect(newer.size).toBeLessThanOrEqual(1)
    // Where the token before came after its successor was used, it was a thief or the victim, and everything ends.
    if (answers.some(({ status }) => status === 400)) await expectAllDead(answers)
    else expect((await refresh(latchkey.issuer, [...newer][0])).status).toBe(200)
  })

  test.each(['the newest token', 'a retry with the token before'])(
    'what %s yields beside a revocation does not outlive it',
    async (which) => {
      for (let round = 0; round < 8; round++) {
        const first = await tokensOf()
        const { json: second } = await refresh(latchkey.issuer, first.refresh_token)
        const shown = which === 'the newest token' ? second.refresh_token : first.refresh_token
        const use = () => refresh(latchkey.issuer, shown)
        const [one, , ...more] = await Promise.all([use(), revoke(second.refresh_token), use(), use(), use(), use()])
        await expectAllDead([one, ...more])
      }
    },
    30_000,
  )

  test('the token of a family that ends in a minute is not stretched by retries', async () => {
    const first = await tokensOf()
    await refresh(latchkey.issuer, first.refresh_token)
    latchkey.advance(31)
    expect((await refresh(latchkey.issuer, first.refresh_token)).status).toBe(400)
  })
})

describe('RFC 6749 §4.1.2 codes in the same moment', () => {
  test('of a hundred exchanges one is answered, and what it got is taken back', async () => {
    const exchange = await codeOf(new Agent(), latchkey.issuer, opaque)
    const answers = await Promise.all(Array.from({ length: 100 }, () => requestToken(latchkey.issuer, { ...exchange })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await expectAllDead(answers)
  })

  test('an exchange beside the end of its session yields no refresh token that outlives it', async () => {
    const { store } = latchkey.tenant
    for (let round = 0; round < 8; round++) {
      const agent = new Agent()
      const exchange = await codeOf(agent, latchkey.issuer, opaque)
      const found = await store.users.findByEmail('Username-Password-Authentication', person.email)
      expect(found).toBeDefined()
      const { user_id = '' } = found ?? {}
      const end = async () => {
        const now = Date.now()
        await store.atomically(async (all) => {
          await all.sessions.endAllOf(user_id, now)
          await all.refreshTokens.revokeAllOf(user_id, undefined, now)
          await all.accessTokens.revokeAllOf(user_id)
        })
      }
      const [answer] = await Promise.all([
        requestToken(latchkey.issuer, { ...exchange }),
        new Promise((resolve) => setTimeout(resolve, round)).then(end),
      ])
      await expectAllDead([answer])
    }
  })

  test('the code of one client is worth nothing to another, with whatever else fits', async () => {
    const exchange = await codeOf(new Agent(), latchkey.issuer, opaque)
    for (const client_id of [clients.local, clients.thirdParty, clients.noImplicit, clients.native]) {
      const { status, json } = await requestToken(latchkey.issuer, { ...exchange, client_id })
      expect([status, json.error]).toEqual([400, 'invalid_grant'])
    }
    expect((await requestToken(latchkey.issuer, { ...exchange })).status).toBe(200)
  })
})

describe('RFC 6749 §10.4 one kind of token in the place of another', () => {
  test('each is refused, and each stays good where it belongs', async () => {
    const agent = new Agent()
    const first = await tokensOf(agent)
    const jwt = await refreshable(agent, latchkey.issuer, { audience: offlineApi })
    const exchange = await codeOf(agent, latchkey.issuer, opaque)
    const all = [first.access_token, first.id_token, first.refresh_token, jwt.access_token, exchange.code]
    for (const token of all.filter((one) => one !== first.refresh_token))
      expect((await refresh(latchkey.issuer, token)).json.error).toBe('invalid_grant')
    for (const code of all.filter((one) => one !== exchange.code))
      expect((await requestToken(latchkey.issuer, { ...exchange, code })).json.error).toBe('invalid_grant')
    for (const token of [first.id_token, first.refresh_token, exchange.code]) expect(await userinfo(token)).toBe(401)
    expect([await userinfo(first.access_token), await userinfo(jwt.access_token)]).toEqual([200, 200])
    expect((await requestToken(latchkey.issuer, { ...exchange })).status).toBe(200)
    expect((await refresh(latchkey.issuer, first.refresh_token)).status).toBe(200)
  })
})
