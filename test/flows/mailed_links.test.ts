import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, formOf } from '../support/agent.ts'
import { signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
})
afterAll(() => latchkey.close())

const first = person.password
const newPassword = 'Another-Horse-8'

function call(path: string, body: Readonly<Record<string, unknown>>): Promise<Response> {
  return fetch(`${latchkey.issuer}dbconnections/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ connection, ...body }),
  })
}

async function linkOf(kind: string, to: string): Promise<string> {
  return (await latchkey.mails()).find((mail) => mail.kind === kind && mail.to === to)?.links[0] ?? ''
}

/** A person of one's own, whose password may change. */
async function somebody(): Promise<{ email: string; password: string }> {
  const email = `${crypto.randomUUID()}@example.com`
  expect((await call('signup', { client_id: clients.spa, email, password: first })).status).toBe(200)
  // The mails of one kind are written within a minute at most fifty times.
  latchkey.advance(61)
  return { email, password: first }
}

async function resetLink(email: string): Promise<string> {
  expect((await call('change_password', { email })).status).toBe(200)
  return linkOf('reset_password', email)
}

const open = (link: string, agent = new Agent()) => agent.visit(link)
const setPassword = (agent: Agent, page: Answer, password = newPassword) =>
  agent.submit(page, { password, password_confirm: password })
const canSignIn = async (email: string, password: string) =>
  (await signIn(new Agent(), latchkey.issuer, {}, { email, password })).location?.includes('#access_token=') === true

/** The answer to a link that does not work: no form, and nothing about anybody. */
function expectInvalid(answer: Answer): void {
  expect(answer.status).toBe(400)
  expect(answer.body.replaceAll('help@example.com', '')).not.toMatch(/<form|@example\.com/)
  expect(answer.body).toContain('This link is not valid')
}

describe('a forgotten password', () => {
  test('from the link to the new password: the old one is over, the new one works, the address is verified', async () => {
    const { email } = await somebody()
    const agent = new Agent()
    const done = await setPassword(agent, await open(await resetLink(email), agent))
    expect([done.status, done.body.includes('Password changed')]).toEqual([200, true])
    expect(await canSignIn(email, first)).toBe(false)
    const { parameters } = outcomeOf(await signIn(new Agent(), latchkey.issuer, {}, { email, password: newPassword }))
    expect(claimsOf(parameters.id_token)).toMatchObject({ email, email_verified: true })
  })

  test('looking at the link changes nothing, as often as a mail scanner may look', async () => {
    const { email } = await somebody()
    const link = await resetLink(email)
    for (const method of ['GET', 'HEAD', 'GET']) expect((await new Agent().request(link, { method })).status).toBe(200)
    expect(await canSignIn(email, first)).toBe(true)
    expect((await setPassword(new Agent(), await open(link))).status).toBe(403)
    const agent = new Agent()
    expect((await setPassword(agent, await open(link, agent))).status).toBe(200)
  })

  test('the link works once', async () => {
    const { email } = await somebody()
    const link = await resetLink(email)
    const agent = new Agent()
    const page = await open(link, agent)
    await setPassword(agent, page)
    expectInvalid(await setPassword(agent, page, 'Third-Horse-77'))
    expectInvalid(await open(link))
    expect(await canSignIn(email, newPassword)).toBe(true)
  })

  test('100 at once: one new password is set', async () => {
    const { email } = await somebody()
    const agent = new Agent()
    const page = await open(await resetLink(email), agent)
    const passwords = Array.from({ length: 100 }, (_, index) => `Racing-Horse-${index}`)
    const answers = await Promise.all(passwords.map((password) => setPassword(agent, page, password)))
    const winners = passwords.filter((_, index) => answers[index]?.status === 200)
    expect(winners).toHaveLength(1)
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect(await canSignIn(email, winners[0] ?? '')).toBe(true)
  })

  test('only the newest link works', async () => {
    const { email } = await somebody()
    const links = [await resetLink(email), await resetLink(email), await resetLink(email)]
    expectInvalid(await open(links[0] ?? ''))
    expectInvalid(await open(links[1] ?? ''))
    const agent = new Agent()
    expect((await setPassword(agent, await open(links[2] ?? '', agent))).status).toBe(200)
  })

  test('it works for a day', async () => {
    const { email } = await somebody()
    const link = await resetLink(email)
    latchkey.advance(86_400 - 60)
    const agent = new Agent()
    const page = await open(link, agent)
    expect(page.status).toBe(200)
    latchkey.advance(120)
    expectInvalid(await setPassword(agent, page))
    expectInvalid(await open(link))
  })

  test('an address that changed meanwhile: the link proves nothing any more', async () => {
    const { email } = await somebody()
    const link = await resetLink(email)
    const user = await latchkey.tenant.store.users.findByEmail(connection, email)
    await latchkey.tenant.store.users.update(user?.user_id ?? '', { email: `new-${email}` }, Date.now())
    expectInvalid(await open(link))
  })

  test('sessions and opaque tokens of that person end, and nobody else notices', async () => {
    const who = await somebody()
    const [one, two, other] = [new Agent(), new Agent(), new Agent()]
    const opaque = { audience: undefined, scope: 'openid email' }
    const { access_token } = outcomeOf(await signIn(one, latchkey.issuer, opaque, who)).parameters
    await signIn(two, latchkey.issuer, {}, who)
    await signIn(other, latchkey.issuer, {}, person)
    const userinfo = async () =>
      (await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })).status
    expect(await userinfo()).toBe(200)
    const agent = new Agent()
    await setPassword(agent, await open(await resetLink(who.email), agent))
    expect(await userinfo()).toBe(401)
    for (const gone of [one, two])
      expect(outcomeOf(await silently(gone, latchkey.issuer)).parameters.error).toBe('login_required')
    expect(outcomeOf(await silently(other, latchkey.issuer)).parameters).toHaveProperty('id_token')
  })

  for (const [name, fields, problem] of [
    ['a weak password', { password: 'weak', password_confirm: 'weak' }, 'problem-password-strength-error'],
    ['two different ones', { password: newPassword, password_confirm: first }, 'problem-password-mismatch'],
    ['none', { password: '', password_confirm: '' }, 'problem-missing-password'],
  ] as const)
    test(`${name}: the page again, and the link still works`, async () => {
      const { email } = await somebody()
      const agent = new Agent()
      const page = await open(await resetLink(email), agent)
      const again = await agent.submit(page, fields)
      expect([again.status, again.body.includes(problem)]).toEqual([400, true])
      expect((await setPassword(agent, again)).status).toBe(200)
    })

  test('the page itself is kept by nobody and tells nobody where it came from', async () => {
    const { headers } = await open(await resetLink((await somebody()).email))
    expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-store', 'no-referrer'])
  })
})

describe('a verified address', () => {
  const verifiedIn = async (who: { email: string; password: string }) =>
    claimsOf(outcomeOf(await signIn(new Agent(), latchkey.issuer, {}, who)).parameters.id_token).email_verified

  test('looking at the link changes nothing; the button does, once', async () => {
    const who = await somebody()
    const link = await linkOf('verify_email', who.email)
    const agent = new Agent()
    const page = await open(link, agent)
    await open(link)
    expect(await verifiedIn(who)).toBe(false)
    expect((await agent.submit(page, {})).status).toBe(200)
    expect(await verifiedIn(who)).toBe(true)
    expectInvalid(await agent.submit(page, {}))
    expectInvalid(await open(link))
  })

  test('it works for five days', async () => {
    const who = await somebody()
    const agent = new Agent()
    const page = await open(await linkOf('verify_email', who.email), agent)
    latchkey.advance(432_000)
    expectInvalid(await agent.submit(page, {}))
    expect(await verifiedIn(who)).toBe(false)
  })
})

describe('a link is good for what it was made for', () => {
  test('made up, changed, empty, or of another kind: not valid', async () => {
    const { email } = await somebody()
    const reset = new URL(await resetLink(email)).searchParams.get('ticket') ?? ''
    const verify = new URL(await linkOf('verify_email', email)).searchParams.get('ticket') ?? ''
    const turned = `${reset.startsWith('A') ? 'B' : 'A'}${reset.slice(1)}`
    for (const [path, ticket] of [
      ...[
        ['u/reset-password', verify],
        ['u/verify-email', reset],
        ['u/unblock', reset],
        ['u/unblock', verify],
      ],
      ...[
        ['u/reset-password', turned],
        ['u/reset-password', ''],
        ['u/reset-password', 'A'.repeat(43)],
        ['u/reset-password', `${reset}A`],
      ],
    ])
      expectInvalid(await open(`${latchkey.issuer}${path}?ticket=${encodeURIComponent(ticket ?? '')}`))
    expectInvalid(await open(`${latchkey.issuer}u/reset-password`))
    const agent = new Agent()
    const page = await open(`${latchkey.issuer}u/reset-password?ticket=${reset}`, agent)
    const swapped = await agent.submit(page, { ticket: verify, password: newPassword, password_confirm: newPassword })
    expectInvalid(swapped)
    expect(formOf(page).fields.ticket).toBe(reset)
  })

  test('a ticket has 256 bits, and no two are alike', async () => {
    const { email } = await somebody()
    const tickets = [await resetLink(email), await resetLink(email)].map((link) =>
      new URL(link).searchParams.get('ticket'),
    )
    for (const ticket of tickets) expect(ticket).toMatch(/^[\w-]{43}$/)
    expect(new Set(tickets).size).toBe(2)
  })
})
