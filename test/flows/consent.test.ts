import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantsOf, revokeGrants } from '../support/administration.ts'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, clients, localCallback, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
const grace = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
  await signIn(ada, latchkey.issuer)
  await signIn(grace, latchkey.issuer, {}, second)
})
afterAll(() => latchkey.close())

const ask = (change: Parameters, agent = ada): Promise<Answer> => agent.visit(authorizeUrl(latchkey.issuer, change))
const asks = (answer: Answer) => isPage(answer, '/u/consent')
/** True when the request is answered without a page. */
const answersAtOnce = async (change: Parameters, agent = ada) =>
  'access_token' in outcomeOf(await silently(agent, latchkey.issuer, change)).parameters

const local = { client_id: clients.local, redirect_uri: localCallback }
const third = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }
const native = { client_id: clients.native, redirect_uri: 'com.example.app://callback' }
const contacts = { audience: apis.contacts, scope: 'openid read:contacts' }

describe('RFC 8252 §8.6 when a person is asked', () => {
  for (const [name, change, asked] of [
    ['a first-party app on https, and an API that may be skipped', {}, false],
    ['no API at all', { audience: undefined, scope: 'openid email' }, false],
    ['an API that may not be skipped', contacts, true],
    ['a loopback callback, first-party or not', local, true],
    ["somebody else's app", third, true],
    ["somebody else's app, without an API", { ...third, audience: undefined, scope: 'openid' }, true],
    [
      'a loopback callback of a native app',
      { client_id: clients.native, redirect_uri: 'http://127.0.0.1:5555/callback' },
      true,
    ],
    ['a scheme of its own, which any program may claim', native, true],
    ['prompt=consent, though the question could be skipped', { prompt: 'consent' }, true],
  ] as const)
    test(`${name}: ${asked ? 'asked' : 'not asked'}`, async () => {
      await revokeGrants(latchkey, person.email)
      const answer = await ask(change)
      expect(asks(answer)).toBe(asked)
      if (!asked) expect(outcomeOf(answer).parameters).toHaveProperty('access_token')
    })
})

describe('a yes is remembered', () => {
  for (const [name, client] of [
    ['on loopback', local],
    ['for a scheme of its own', native],
    ["for somebody else's app", third],
    ['at an API that always asks', contacts],
  ] as const)
    test(`${name}: the second visit is not asked`, async () => {
      await revokeGrants(latchkey, person.email)
      const answer = await signIn(ada, latchkey.issuer, client)
      expect(outcomeOf(answer).parameters).toMatchObject({ access_token: expect.any(String), state: 'af0ifjsldkj' })
      expect(await answersAtOnce(client)).toBe(true)
    })

  test('more scope asks again, adds to what was allowed, and the first scope still counts', async () => {
    await revokeGrants(latchkey, person.email)
    await signIn(ada, latchkey.issuer, contacts)
    const more = { ...contacts, scope: 'openid write:contacts' }
    const page = await ask(more)
    expect(asks(page)).toBe(true)
    await ada.submit(page, { action: 'accept' })
    expect(await answersAtOnce({ ...contacts, scope: 'openid read:contacts write:contacts' })).toBe(true)
    expect(await grantsOf(latchkey, person.email, clients.spa)).toEqual({
      [apis.contacts]: ['openid', 'read:contacts', 'write:contacts'],
    })
  })

  test('less scope, or the same in another order, is covered', async () => {
    await revokeGrants(latchkey, person.email)
    await signIn(ada, latchkey.issuer, { ...contacts, scope: 'openid profile read:contacts write:contacts' })
    expect(await answersAtOnce({ ...contacts, scope: 'write:contacts openid' })).toBe(true)
  })

  test('it counts for no other API, no other app and no other person', async () => {
    await revokeGrants(latchkey, person.email)
    await signIn(ada, latchkey.issuer, { ...third, ...contacts })
    expect(asks(await ask({ ...third, audience: apis.messages, scope: 'openid' }))).toBe(true)
    expect(asks(await ask({ ...local, ...contacts }))).toBe(true)
    expect(asks(await ask({ ...third, ...contacts }, grace))).toBe(true)
    expect(await answersAtOnce({ ...third, ...contacts })).toBe(true)
  })

  test('prompt=consent asks each time, whatever is remembered', async () => {
    await signIn(ada, latchkey.issuer, contacts)
    for (const _ of [1, 2]) {
      const page = await ask({ ...contacts, prompt: 'consent' })
      expect(asks(page)).toBe(true)
      expect(outcomeOf(await ada.submit(page, { action: 'accept' })).parameters).toHaveProperty('access_token')
    }
  })

  test('taken back, it has to be given again; the signed-in person stays signed in', async () => {
    await signIn(ada, latchkey.issuer, contacts)
    expect(await revokeGrants(latchkey, person.email)).toBeGreaterThan(0)
    expect(outcomeOf(await silently(ada, latchkey.issuer, contacts)).parameters.error).toBe('consent_required')
    expect(asks(await ask(contacts))).toBe(true)
  })
})

describe('RFC 6749 §4.2.2.1 access_denied', () => {
  for (const action of ['deny', 'anything else'])
    test(`the answer "${action}" goes back with state and issuer, and nothing is remembered`, async () => {
      await revokeGrants(latchkey, person.email)
      const { via, target, parameters } = outcomeOf(await ada.submit(await ask(contacts), { action }))
      expect([via, target]).toEqual(['fragment', 'https://app.example.com/callback'])
      expect(parameters).toEqual({
        ...{ error: 'access_denied', error_description: 'User did not authorize the request' },
        ...{ state: 'af0ifjsldkj', iss: latchkey.issuer },
      })
      expect(await grantsOf(latchkey, person.email, clients.spa)).toEqual({})
      expect(outcomeOf(await silently(ada, latchkey.issuer, contacts)).parameters.error).toBe('consent_required')
    })
})

describe('what the page says', () => {
  test('who asks, for what, at which API, and where the answer goes', async () => {
    await revokeGrants(latchkey, person.email)
    const { body } = await ask({ ...third, ...contacts, scope: 'openid profile email read:contacts write:contacts' })
    const text = body.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ')
    for (const words of ['Somebody else&#39;s app', 'Contacts', 'third.example.net', person.email])
      expect(text).toContain(words)
    expect(text).toMatch(/Contacts: ?read and write your contacts/i)
  })

  test('a scope that will not be granted is not asked for', async () => {
    await revokeGrants(latchkey, person.email)
    const { body } = await ask({
      ...third,
      ...contacts,
      scope: 'openid read:contacts delete:everything offline_access',
    })
    expect(body).not.toMatch(/everything|offline/i)
  })

  test("with use_scope_descriptions_for_consent the API owner's words stand there", async () => {
    await latchkey.apply('tenant: { flags: { use_scope_descriptions_for_consent: true } }')
    expect((await ask({ ...third, ...contacts })).body).toContain('Read your contacts')
    await latchkey.apply('tenant: { flags: { use_scope_descriptions_for_consent: false } }')
  })
})
