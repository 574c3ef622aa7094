import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl, type Parameters, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
/** Everything that must not be in the log, by what it is. */
const secrets = new Map<string, string>()
const keep = (what: string, value: string | undefined) => {
  if (value !== undefined && value.length > 5) secrets.set(`${what} ${secrets.size}`, value)
}

/** Sends a request and keeps every secret of the answer: cookies, handles, tokens. */
async function step(agent: Agent, work: () => Promise<Answer>): Promise<Answer> {
  const answer = await work()
  for (const { name, value } of agent.cookies) keep(name, value)
  for (const [, state] of `${answer.url} ${answer.location} ${answer.body}`.matchAll(/[?&]state=([\w-]{43})/g))
    keep('trip', state)
  if (answer.body.includes('<form')) keep('csrf', formOf(answer).fields.csrf)
  if (
    answer.location?.includes('#') === true ||
    answer.body.includes('authorization_response') ||
    answer.body.includes('id="response"')
  )
    for (const [name, value] of Object.entries(outcomeOf(answer).parameters)) if (/token$/.test(name)) keep(name, value)
  return answer
}

const open = (agent: Agent, change: Parameters = {}) =>
  step(agent, () => agent.visit(authorizeUrl(latchkey.issuer, change)))
const submit = (agent: Agent, page: Answer, fields: Readonly<Record<string, string>>) => {
  for (const name of ['password', 'password_confirm']) keep(name, fields[name])
  return step(agent, () => agent.submit(page, fields))
}

/** Every path that a secret takes, taken well and taken wrongly. */
async function everything(): Promise<void> {
  const agent = new Agent()
  const login = await open(agent, {
    audience: apis.contacts,
    scope: 'openid email read:contacts',
    state: 'the-state-of-the-app',
  })
  await submit(agent, login, { username: person.email, password: 'Wrong-Password-1' })
  // A password in the wrong field.
  await submit(agent, login, { username: 'Misplaced-Password-2', password: 'x' })
  secrets.set('a password in the wrong field', 'Misplaced-Password-2')
  const consent = await submit(agent, login, { username: person.email, password: person.password })
  await submit(agent, consent, { action: 'accept' })
  for (const response_mode of ['fragment', 'form_post', 'web_message'])
    await step(agent, () => silently(agent, latchkey.issuer, { response_mode, audience: undefined }))
  const { access_token = '', id_token = '' } = outcomeOf(await silently(agent, latchkey.issuer)).parameters
  keep('access_token', access_token)
  keep('id_token', id_token)
  await agent.request(`${latchkey.issuer}userinfo?access_token=${access_token}`)
  for (const token of [access_token, id_token, `${access_token}x`])
    await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })
  await fetch(`${latchkey.issuer}userinfo`, { method: 'POST', body: new URLSearchParams({ access_token: id_token }) })
  await silently(agent, latchkey.issuer, { id_token_hint: id_token })
  await silently(agent, latchkey.issuer, { id_token_hint: `${id_token}x` })
  await agent.request(`${latchkey.issuer}authorize/resume?state=${formOf(login).fields.state}`)
  await agent.request(`${latchkey.issuer}nowhere/?id_token=${id_token}`, {
    headers: { cookie: 'latchkey_session=x', authorization: `Basic ${btoa('a:secret-in-basic')}` },
  })
  secrets.set('Basic credentials', btoa('a:secret-in-basic'))
  await forged(agent)
  await links(agent)
  // Apps ask to be sent back to where they are, with what is in their address.
  const here = `https://evil.example/?id_token=${id_token}#access_token=${access_token}&x=1`
  await silently(agent, latchkey.issuer, { redirect_uri: here })
  await agent.visit(`${latchkey.issuer}v2/logout?${new URLSearchParams({ client_id: clients.spa, returnTo: here })}`)
}

async function forged(agent: Agent): Promise<void> {
  const page = await open(agent, { prompt: 'login' })
  await agent.submit(page, { csrf: 'a-forged-csrf-value-here', username: person.email, password: person.password })
  await agent.submit(page, { password: person.password }, { origin: 'https://evil.example' })
  const { fields, action } = formOf(page)
  for (const body of [
    `${new URLSearchParams(fields)}&password=Repeated-Password-3&password=Repeated-Password-3`,
    'password=%ff',
  ])
    await agent.request(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
  secrets.set('a repeated password', 'Repeated-Password-3')
  const json = (body: string) =>
    fetch(action, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await json(JSON.stringify({ password: person.password }))
  await json(`{"password":"Broken-Json-Password-4"`)
  secrets.set('a password in broken JSON', 'Broken-Json-Password-4')
}

async function links(agent: Agent): Promise<void> {
  const call = (path: string, body: object) =>
    fetch(`${latchkey.issuer}dbconnections/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  for (const password of ['Signup-Password-5', 'weak-6'])
    await call('signup', { client_id: clients.spa, connection, email: 'new@example.com', password })
  secrets.set('a password at sign-up', 'Signup-Password-5')
  secrets.set('a weak password at sign-up', 'weak-6')
  await call('change_password', { email: person.email, connection })
  for (const mail of await latchkey.mails()) {
    const link = mail.links[0] ?? ''
    keep('ticket', new URL(link).searchParams.get('ticket') ?? undefined)
    const page = await step(agent, () => agent.visit(link))
    const password = 'Password-By-Mail-7'
    for (const fields of [
      { password: 'weak-8', password_confirm: 'weak-8' },
      { password, password_confirm: password },
      { password, password_confirm: password },
    ])
      await submit(agent, page, mail.kind === 'reset_password' ? fields : {})
    await agent.visit(link)
  }
}

describe('the log', () => {
  beforeAll(async () => {
    latchkey = await startLatchkey({ tenant })
    await everything()
  })
  afterAll(() => latchkey.close())

  test('was given the chance: passwords, cookies, tokens, tickets and handles by the dozen, and many lines', () => {
    const kinds = [...secrets.keys()].join('\n')
    for (const kind of [
      'password',
      'latchkey_session',
      'latchkey_browser',
      'access_token',
      'id_token',
      'ticket',
      'csrf',
      'trip',
    ])
      expect(kinds).toContain(kind)
    expect(secrets.size).toBeGreaterThan(30)
    expect(latchkey.log.length).toBeGreaterThan(20)
  })

  test('holds none of them', () => {
    const text = JSON.stringify(latchkey.log)
    expect([...secrets].filter(([, value]) => text.includes(value)).map(([what]) => what)).toEqual([])
  })

  test('holds no JWT and no opaque token in any part', () => {
    expect(JSON.stringify(latchkey.log)).not.toMatch(/eyJ[\w-]{10}|lk_at_/)
  })

  test('says what happened: who signed in, who was refused and why, and nothing failed', () => {
    const messages = new Set(latchkey.log.map(({ msg }) => msg))
    for (const message of ['signed in', 'sign-in failed', 'refused', 'consent given', 'password changed by mail'])
      expect([...messages]).toContain(message)
    expect(latchkey.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
    for (const line of latchkey.log.filter(({ msg }) => msg === 'refused'))
      expect(line).toMatchObject({ error: expect.any(String), description: expect.any(String) })
  })

  test('names people by their id, not by what they typed', () => {
    const signedIn = latchkey.log.find(({ msg }) => msg === 'signed in')
    expect(signedIn).toMatchObject({ user_id: expect.stringMatching(/^auth0\|/), client_id: clients.spa })
    expect(JSON.stringify(latchkey.log)).not.toContain(person.email)
  })
})
