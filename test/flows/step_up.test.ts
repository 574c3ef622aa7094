import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf } from '../support/agent.ts'
import { codeOf, codeTenant, refresh, refreshable, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
let acr_values: readonly string[]
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await signIn(ada, latchkey.issuer)
  const answer = await fetch(`${latchkey.issuer}.well-known/openid-configuration`)
  ;({ acr_values_supported: acr_values } = (await answer.json()) as { acr_values_supported: string[] })
})
afterAll(() => latchkey.close())

const answerTo = async (change: Parameters) => outcomeOf(await silently(ada, latchkey.issuer, change)).parameters
const essential = (...values: string[]) => JSON.stringify({ id_token: { acr: { essential: true, values } } })

describe('OpenID Connect Core §3.1.2.1 acr_values', () => {
  test('every class that discovery names: the ID token names the one that it was', async () => {
    expect(acr_values.length).toBeGreaterThan(0)
    const { id_token } = await answerTo({ acr_values: acr_values.join(' ') })
    expect(acr_values).toContain(claimsOf(id_token).acr)
    expect(claimsOf(id_token).amr).toEqual(['pwd'])
  })

  test('a class that nobody has is a wish, and what it was is told', async () => {
    const { id_token } = await answerTo({ acr_values: 'urn:example:unheard-of 1 2' })
    expect(acr_values).toContain(claimsOf(id_token).acr)
  })

  test('unasked, nothing is told', async () => {
    const { id_token, access_token } = await answerTo({})
    for (const claims of [claimsOf(id_token), claimsOf(access_token)])
      for (const name of ['acr', 'amr', 'auth_time']) expect(claims).not.toHaveProperty(name)
  })

  test('display, claims_locales and ui_locales that nobody speaks are no error', async () => {
    for (const display of ['page', 'popup', 'touch', 'wap'])
      expect(await answerTo({ display, claims_locales: 'se', ui_locales: 'se' })).toHaveProperty('id_token')
  })
})

describe('OpenID Connect Core §5.5.1.1 an essential acr', () => {
  test('that was reached: answered, with and without values', async () => {
    for (const claims of [
      essential(...acr_values),
      essential('x', ...acr_values),
      '{"id_token":{"acr":{"essential":true}}}',
    ]) {
      const { id_token } = await answerTo({ claims })
      expect(acr_values).toContain(claimsOf(id_token).acr)
    }
  })

  test('OpenID Connect Core Error Code unmet_authentication_requirements §2 that nobody can reach', async () => {
    expect((await answerTo({ claims: essential('urn:example:unheard-of') })).error).toBe(
      'unmet_authentication_requirements',
    )
    const visit = await new Agent().visit(
      authorizeUrl(latchkey.issuer, { claims: essential('urn:example:unheard-of') }),
    )
    expect(outcomeOf(visit).parameters).toMatchObject({
      error: 'unmet_authentication_requirements',
      iss: latchkey.issuer,
    })
  })
})

describe('RFC 9470 §5, §6.1 stepping up', () => {
  test('an access token says when and how, where max_age or acr_values asked for it', async () => {
    for (const change of [{ max_age: '10000' }, { acr_values: acr_values[0] }]) {
      const { id_token, access_token } = await answerTo(change)
      expect(claimsOf(access_token)).toMatchObject({ acr: acr_values[0], amr: ['pwd'], auth_time: expect.any(Number) })
      expect(claimsOf(id_token).acr).toBe(acr_values[0])
    }
  })

  test('RFC 9068 §2.2.1 tokens of that profile say it always', async () => {
    const { access_token } = await answerTo({ audience: apis.modern })
    expect(claimsOf(access_token)).toMatchObject({ acr: acr_values[0], auth_time: expect.any(Number) })
  })

  test('max_age of 0 asks for the password again, and auth_time moves', async () => {
    const before = Number(claimsOf((await answerTo({ max_age: '10000' })).access_token).auth_time)
    latchkey.advance(5)
    const page = await ada.visit(authorizeUrl(latchkey.issuer, { max_age: '0' }))
    expect(isPage(page, '/u/login')).toBe(true)
    const answer = await ada.submit(page, { username: person.email, password: person.password, action: 'default' })
    expect(Number(claimsOf(outcomeOf(answer).parameters.access_token).auth_time)).toBeGreaterThan(before)
  })

  test('through a code and a refresh the time stays that of the sign-in', async () => {
    const { json } = await requestToken(latchkey.issuer, {
      ...(await codeOf(ada, latchkey.issuer, { max_age: '10000' })),
    })
    const { auth_time } = claimsOf(json.access_token)
    expect(claimsOf(json.id_token)).toMatchObject({ auth_time, acr: acr_values[0] })
    const first = await refreshable(ada, latchkey.issuer, { max_age: '10000' })
    latchkey.advance(5)
    const again = await refresh(latchkey.issuer, first.refresh_token)
    expect(claimsOf(again.json.access_token)).toMatchObject({ auth_time, acr: acr_values[0] })
    expect(claimsOf(again.json.id_token)).toMatchObject({ auth_time, acr: acr_values[0] })
  })
})

describe("OpenID Connect Registration §2 a client's default_max_age, default_acr_values and require_auth_time", () => {
  const configure = (fields: string) => latchkey.apply(`clients: [{ name: Single page app, ${fields} }]`)

  test('count where the request says nothing', async () => {
    await configure('require_auth_time: true')
    expect(claimsOf((await answerTo({})).id_token)).toHaveProperty('auth_time')
    expect(claimsOf((await answerTo({})).id_token)).not.toHaveProperty('acr')
    await configure(`require_auth_time: false, default_acr_values: ['${acr_values[0]}']`)
    expect(claimsOf((await answerTo({})).id_token)).toMatchObject({ acr: acr_values[0] })
    await configure('default_max_age: 60, default_acr_values: []')
    latchkey.advance(61)
    expect((await answerTo({})).error).toBe('login_required')
    expect(await answerTo({ max_age: '10000' })).toHaveProperty('id_token')
    await configure('default_max_age: 315576000')
  })
})

describe('Initiating User Registration via OpenID Connect §4 prompt=create', () => {
  const create = (agent: Agent): Promise<Answer> => agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'create' }))

  test('the sign-up page, for a stranger and for whoever is signed in; signing up goes on with the request', async () => {
    expect(isPage(await create(new Agent()), '/u/signup')).toBe(true)
    const page = await create(ada)
    expect(isPage(page, '/u/signup')).toBe(true)
    const email = 'new@example.com'
    const { parameters } = outcomeOf(await ada.submit(page, { email, password: 'Correct-Horse-7', action: 'default' }))
    expect(claimsOf(parameters.id_token).email).toBe(email)
  })

  test('whoever has an account can sign in instead', async () => {
    const agent = new Agent()
    const page = await create(agent)
    const login = await agent.visit(page.url.replace('/u/signup', '/u/login'))
    const answer = await agent.submit(login, { username: person.email, password: person.password, action: 'default' })
    expect(outcomeOf(answer).parameters).toHaveProperty('id_token')
  })

  test('not together with none; discovery names it', async () => {
    expect((await answerTo({ prompt: 'none create' })).error).toBe('invalid_request')
    const answer = await fetch(`${latchkey.issuer}.well-known/openid-configuration`)
    expect(await answer.json()).toMatchObject({ prompt_values_supported: expect.arrayContaining(['create']) })
  })
})
