import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantsOf, revokeGrants } from '../support/administration.ts'
import { Agent, type Answer, claimsOf, formOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { apis, blocked, clients, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(moreTenant)
})
afterAll(() => latchkey.close())

const contacts = { audience: apis.contacts, scope: 'openid read:contacts' }
const open = (agent: Agent, change: Parameters = {}) => agent.visit(authorizeUrl(latchkey.issuer, change))
const logIn = (agent: Agent, page: Answer, who: { email: string; password: string } = person) =>
  agent.submit(page, { username: who.email, password: who.password, action: 'default' })
const sessionOf = (agent: Agent) => agent.cookies.find(({ name }) => name === 'latchkey_session')?.value ?? ''
const stateOf = (page: Answer) => formOf(page).fields.state ?? ''
const resume = (agent: Agent, state: string) => agent.visit(`${latchkey.issuer}authorize/resume?state=${state}`)

async function signedIn(who: { email: string; password: string } = person): Promise<Agent> {
  const agent = new Agent()
  await signIn(agent, latchkey.issuer, {}, who)
  return agent
}

/** Sends a form without following where it leads. */
function send(agent: Agent, page: Answer, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const form = formOf(page)
  return agent.request(form.action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ ...form.fields, ...fields }).toString(),
  })
}

describe('session fixation', () => {
  test('the secret is new at each login, and the one before is worth nothing', async () => {
    const agent = await signedIn()
    const before = sessionOf(agent)
    await logIn(agent, await open(agent, { prompt: 'login' }))
    expect(sessionOf(agent)).not.toBe(before)
    const thief = new Agent()
    thief.setCookie('latchkey_session', before)
    expect(outcomeOf(await silently(thief, latchkey.issuer)).parameters.error).toBe('login_required')
  })

  for (const [name, planted] of [
    ['made up', async () => 'A'.repeat(43)],
    ["the attacker's own", async () => sessionOf(await signedIn(second))],
  ] as const)
    test(`a planted session that is ${name} does not become the victim's`, async () => {
      const secret = await planted()
      const victim = new Agent()
      victim.setCookie('latchkey_session', secret)
      await logIn(victim, await open(victim, { prompt: 'login' }))
      expect(sessionOf(victim)).not.toBe(secret)
      const attacker = new Agent()
      attacker.setCookie('latchkey_session', secret)
      const { parameters } = outcomeOf(await silently(attacker, latchkey.issuer))
      if (parameters.id_token !== undefined) expect(claimsOf(parameters.id_token).email).toBe(second.email)
      else expect(parameters.error).toBe('login_required')
    })

  test('sign-up begins a session of its own too', async () => {
    const agent = await signedIn()
    const before = sessionOf(agent)
    const page = await open(agent, { prompt: 'login', screen_hint: 'signup' })
    await agent.submit(page, { email: 'new@example.com', password: 'Correct-Horse-9' })
    expect(sessionOf(agent)).not.toBe(before)
  })
})

describe('a trip belongs to the browser that began it', () => {
  test('its pages and its end are refused in another one, signed in or not', async () => {
    const attacker = new Agent()
    const state = stateOf(await open(attacker, { prompt: 'login' }))
    for (const victim of [new Agent(), await signedIn()])
      for (const path of ['u/login', 'u/signup', 'u/consent', 'u/account', 'authorize/resume', 'continue'])
        expect(errorPageOf(await victim.visit(`${latchkey.issuer}${path}?state=${state}`)).status).toBe(400)
  })

  test('its form is refused in another one: nobody is signed in to an account of the attacker', async () => {
    const attacker = new Agent()
    const page = await open(attacker)
    const victim = new Agent()
    await open(victim)
    expect((await logIn(victim, page, second)).status).toBe(400)
    expect(sessionOf(victim)).toBe('')
  })

  test('it ends after an hour', async () => {
    const agent = new Agent()
    const page = await open(agent)
    latchkey.advance(3601)
    expect(errorPageOf(await logIn(agent, page))).toMatchObject({ status: 400, error: 'invalid_request' })
    expect(sessionOf(agent)).toBe('')
  })
})

describe('a trip yields one answer', () => {
  test('its end, its pages and its forms are over once it was answered', async () => {
    const agent = new Agent()
    const page = await open(agent)
    const state = stateOf(page)
    expect(outcomeOf(await logIn(agent, page)).parameters).toHaveProperty('id_token')
    expect(errorPageOf(await resume(agent, state)).status).toBe(400)
    expect(errorPageOf(await logIn(agent, page)).status).toBe(400)
    expect(errorPageOf(await agent.visit(`${latchkey.issuer}u/login?state=${state}`)).status).toBe(400)
  })

  const many = <T>(work: (index: number) => Promise<T>) =>
    Promise.all(Array.from({ length: 100 }, (_, index) => work(index)))
  const answers = (all: readonly Answer[]) =>
    all.filter(({ location }) => location?.startsWith('https://app.example.com/'))

  test('100 resumes at once', async () => {
    const agent = new Agent()
    const page = await open(agent)
    await send(agent, page, { username: person.email, password: person.password })
    const all = await many(() => resume(agent, stateOf(page)))
    expect(answers(all)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 400)).toHaveLength(99)
  })

  for (const [name, action] of [
    ['accepted', () => 'accept'],
    ['refused', () => 'deny'],
    ['accepted and refused in turn', (index: number) => (index % 2 === 0 ? 'accept' : 'deny')],
  ] as const)
    test(`100 consents at once, ${name}`, async () => {
      const agent = await signedIn()
      await revokeGrants(latchkey, person.email)
      const page = await open(agent, contacts)
      const all = await many((index) => agent.submit(page, { action: action(index) }))
      expect(answers(all)).toHaveLength(1)
      expect(all.filter(({ status }) => status >= 500)).toEqual([])
    })

  test('a right password sent 10 times at once', async () => {
    const agent = new Agent()
    const page = await open(agent)
    const all = await Promise.all(Array.from({ length: 10 }, () => logIn(agent, page)))
    expect(answers(all)).toHaveLength(1)
    expect(all.filter(({ status }) => status >= 500)).toEqual([])
  })

  test('the password of a blocked person sent 5 times at once', async () => {
    const agent = new Agent()
    const page = await open(agent)
    const all = await Promise.all(Array.from({ length: 5 }, () => logIn(agent, page, blocked)))
    expect(answers(all)).toHaveLength(1)
    expect(all.filter(({ status }) => status === 400)).toHaveLength(4)
    expect(outcomeOf(answers(all)[0] as Answer).parameters).toMatchObject({
      error: 'access_denied',
      error_description: 'user is blocked',
    })
    expect(sessionOf(agent)).toBe('')
  })
})

describe('no step can be skipped, and a step of one person counts for nobody else', () => {
  test('before the login, the other pages and the end lead to the login', async () => {
    const agent = new Agent()
    const state = stateOf(await open(agent, contacts))
    for (const path of ['u/consent', 'u/account', 'authorize/resume'])
      expect(isPage(await agent.visit(`${latchkey.issuer}${path}?state=${state}`), '/u/login')).toBe(true)
  })

  test('a yes before the login is no yes', async () => {
    const agent = new Agent()
    const login = await open(agent, contacts)
    await revokeGrants(latchkey, person.email)
    const early = { ...login, body: login.body.replaceAll('/u/login?', '/u/consent?') }
    expect(isPage(await agent.submit(early, { action: 'accept' }), '/u/login')).toBe(true)
    expect(isPage(await logIn(agent, login), '/u/consent')).toBe(true)
    expect(await grantsOf(latchkey, person.email, clients.spa)).toEqual({})
  })

  for (const [name, change, page, fields] of [
    ['consent', { prompt: 'consent' }, '/u/consent', { action: 'accept' }],
    ['login', { prompt: 'login' }, '/u/login', { username: person.email, password: person.password }],
    ['choice of the account', { prompt: 'select_account' }, '/u/account', { action: 'continue' }],
  ] as const)
    test(`the ${name} of one person, and then another person's session: asked again`, async () => {
      const agent = await signedIn()
      const other = sessionOf(await signedIn(second))
      const shown = await open(agent, change)
      expect((await send(agent, shown, fields)).status).toBe(303)
      agent.setCookie('latchkey_session', other)
      expect(isPage(await resume(agent, stateOf(shown)), page)).toBe(true)
    })

  test('signed out in the middle, the person signs in again and is then asked', async () => {
    const agent = await signedIn()
    await revokeGrants(latchkey, person.email)
    const consent = await open(agent, contacts)
    await agent.visit(`${latchkey.issuer}v2/logout`)
    const page = await agent.submit(consent, { action: 'accept' })
    expect(isPage(page, '/u/login')).toBe(true)
    expect(await grantsOf(latchkey, person.email, clients.spa)).toEqual({})
    expect(isPage(await logIn(agent, page), '/u/consent')).toBe(true)
  })
})
