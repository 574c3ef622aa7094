import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { revokeGrants } from '../support/administration.ts'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeOf, codeTenant, offlineApi, refresh, refreshable, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await latchkey.apply(codeTenant)
  // Claims of the profile only where OpenID Connect puts them, so that every claim in an ID token was asked for.
  await latchkey.apply(`clients: [{ name: Single page app, id_token_profile_claims: standard }]`)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const openid = { scope: 'openid', audience: undefined }
const asking = (claims: unknown): Parameters => ({ ...openid, claims: JSON.stringify(claims) })
const answerTo = async (change: Parameters) => outcomeOf(await silently(ada, latchkey.issuer, change)).parameters

async function userinfo(access_token: string | undefined): Promise<Record<string, unknown>> {
  const answer = await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Record<string, unknown>
}
const profile = ['name', 'given_name', 'family_name', 'nickname', 'email', 'email_verified']
const ofPerson = (claims: Record<string, unknown>) => profile.filter((name) => name in claims)

describe('OpenID Connect Core §5.5 the claims parameter', () => {
  test('a claim comes where it was asked for, and nowhere else', async () => {
    const there = await answerTo(asking({ userinfo: { name: { essential: true } }, id_token: { email: null } }))
    expect(ofPerson(claimsOf(there.id_token))).toEqual(['email'])
    expect(ofPerson(await userinfo(there.access_token))).toEqual(['name'])
    expect(there).not.toHaveProperty('scope')
  })

  test('without it, the scope openid lets nothing out', async () => {
    const { id_token, access_token } = await answerTo(openid)
    expect(ofPerson(claimsOf(id_token))).toEqual([])
    expect(Object.keys(await userinfo(access_token))).toEqual(['sub'])
  })

  test('an ID token alone', async () => {
    const { id_token } = await answerTo({
      ...asking({ id_token: { name: { essential: true } } }),
      response_type: 'id_token',
    })
    expect(ofPerson(claimsOf(id_token))).toEqual(['name'])
  })

  test('a token for an API: it serves /userinfo with the claims, and an API learns no value', async () => {
    const { access_token } = await answerTo({ ...asking({ userinfo: { given_name: null } }), audience: apis.messages })
    expect(ofPerson(await userinfo(access_token))).toEqual(['given_name'])
    expect(JSON.stringify(claimsOf(access_token))).not.toContain('Ada')
  })

  test('claims that the person does not have, or nobody knows, are left out without an error', async () => {
    const names = {
      phone_number: { essential: true },
      birthdate: { value: '1815-12-10' },
      user_metadata: null,
      password: null,
    }
    const { id_token, access_token } = await answerTo(asking({ userinfo: names, id_token: names }))
    for (const claims of [claimsOf(id_token), await userinfo(access_token)])
      for (const name of Object.keys(names)) expect(claims).not.toHaveProperty(name)
  })

  test('what is no JSON object is invalid_request, told to the client', async () => {
    for (const claims of ['{', '[]', '{"userinfo":{"name":1}}'])
      expect((await answerTo({ ...openid, claims })).error).toBe('invalid_request')
  })

  test('without the scope openid it has no meaning', async () => {
    const { error } = await answerTo({ claims: '{', scope: 'read:messages', response_type: 'token' })
    expect(error).toBeUndefined()
  })

  test('discovery says so', async () => {
    const answer = await fetch(`${latchkey.issuer}.well-known/openid-configuration`)
    expect(await answer.json()).toMatchObject({ claims_parameter_supported: true, claim_types_supported: ['normal'] })
  })
})

describe('OpenID Connect Core §5.5 through a code', () => {
  const claims = JSON.stringify({ userinfo: { name: null }, id_token: { email: null } })
  const expectBoth = async (json: Readonly<Record<string, unknown>>) => {
    expect(ofPerson(claimsOf(String(json.id_token)))).toEqual(['email'])
    expect(ofPerson(await userinfo(String(json.access_token)))).toEqual(['name'])
  }

  test('the exchange', async () => {
    const { json } = await requestToken(latchkey.issuer, {
      ...(await codeOf(ada, latchkey.issuer, { ...openid, claims })),
    })
    await expectBoth(json)
  })

  test('every refresh after it, with an API and without', async () => {
    for (const change of [{}, { audience: offlineApi }]) {
      const asked = { scope: 'openid offline_access', audience: undefined, claims, ...change }
      const first = await refreshable(ada, latchkey.issuer, asked)
      await expectBoth(first)
      const again = await refresh(latchkey.issuer, first.refresh_token)
      await expectBoth(again.json)
    }
  })
})

describe('OpenID Connect Core §5.5.1 sub', () => {
  const sub = async () => String(claimsOf((await answerTo(openid)).id_token).sub)

  test('the person who is signed in: answered', async () => {
    for (const member of ['id_token', 'userinfo'])
      expect(await answerTo(asking({ [member]: { sub: { value: await sub() } } }))).toHaveProperty('id_token')
  })

  test('anybody else: login_required, and never an answer about this one', async () => {
    for (const member of ['id_token', 'userinfo'])
      expect(await answerTo(asking({ [member]: { sub: { value: 'auth0|somebody' } } }))).toMatchObject({
        error: 'login_required',
      })
    const other = new Agent()
    const answer = await signIn(other, latchkey.issuer, asking({ id_token: { sub: { value: await sub() } } }), second)
    expect(outcomeOf(answer).parameters.error).toBe('login_required')
  })

  test('another one than id_token_hint names: login_required', async () => {
    const { id_token } = await answerTo(openid)
    const change = { ...asking({ id_token: { sub: { value: 'auth0|somebody' } } }), id_token_hint: id_token }
    expect((await answerTo(change)).error).toBe('login_required')
  })
})

describe('OpenID Connect Core §5.5.1, §8.1 sub of a client with pairwise subjects', () => {
  const third = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }

  test('is the name that the person has there; the public one names nobody', async () => {
    await latchkey.apply(`clients: [{ name: "Somebody else's app", subject_type: pairwise }]`)
    const { parameters } = outcomeOf(await signIn(ada, latchkey.issuer, { ...third, ...openid }))
    const own = String(claimsOf(parameters.id_token).sub)
    const everywhere = String(claimsOf((await answerTo(openid)).id_token).sub)
    expect(own).not.toBe(everywhere)
    const asking_for = (value: string) => answerTo({ ...third, ...asking({ id_token: { sub: { value } } }) })
    expect(claimsOf((await asking_for(own)).id_token).sub).toBe(own)
    expect(await asking_for('somebody')).toMatchObject({ error: 'login_required' })
    await latchkey.apply(`clients: [{ name: "Somebody else's app", subject_type: public }]`)
  })
})

describe('consent to single claims', () => {
  const third = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }

  test('the page names the scope that they belong to, the answer says the scope alone, and the yes is remembered', async () => {
    await revokeGrants(latchkey, person.email)
    await signIn(ada, latchkey.issuer, { ...third, ...openid })
    expect(await answerTo({ ...third, ...openid })).toHaveProperty('access_token')
    const more = { ...third, ...asking({ userinfo: { email: null } }) }
    expect((await answerTo(more)).error).toBe('consent_required')
    const page = await ada.visit(authorizeUrl(latchkey.issuer, more))
    expect(isPage(page, '/u/consent')).toBe(true)
    expect(page.body).toMatch(/e-?mail address/i)
    const { parameters } = outcomeOf(await ada.submit(page, { action: 'accept' }))
    expect(ofPerson(await userinfo(parameters.access_token))).toEqual(['email'])
    expect(parameters).not.toHaveProperty('scope')
    expect(await answerTo(more)).toHaveProperty('access_token')
    expect((await answerTo({ ...third, ...asking({ userinfo: { name: null } }) })).error).toBe('consent_required')
  })
})
