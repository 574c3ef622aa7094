import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantsOf } from '../support/administration.ts'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl, isPage, type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, clients, connection, person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const contacts = { audience: apis.contacts, scope: 'openid read:contacts' }
const fresh = () => new Agent()
const open = (agent: Agent, change: Parameters = {}) => agent.visit(authorizeUrl(latchkey.issuer, change))

/** A link from the newest mail of a kind, after a request for it. */
async function mailedLink(kind: 'reset_password' | 'verify_email'): Promise<string> {
  const [path, body] =
    kind === 'reset_password'
      ? ['change_password', { email: person.email, connection }]
      : [
          'signup',
          {
            client_id: clients.spa,
            connection,
            email: `${crypto.randomUUID()}@example.com`,
            password: 'Correct-Horse-9',
          },
        ]
  await fetch(`${latchkey.issuer}dbconnections/${path}`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  })
  return (await latchkey.mails()).find((mail) => mail.kind === kind)?.links[0] ?? ''
}

interface Form {
  readonly agent: Agent
  readonly page: Answer
  readonly fields: Readonly<Record<string, string>>
  /** True when the answer says that the form was taken. */
  readonly done: (answer: Answer) => boolean
}

const newPassword = 'Another-Horse-8'
const forms: Readonly<Record<string, () => Promise<Form>>> = {
  async login() {
    const agent = fresh()
    const fields = { username: person.email, password: person.password }
    return {
      agent,
      page: await open(agent),
      fields,
      done: (answer) => answer.location?.includes('#access_token=') === true,
    }
  },
  async 'sign-up'() {
    const agent = fresh()
    const fields = { email: `${crypto.randomUUID()}@example.com`, password: 'Correct-Horse-9' }
    const page = await open(agent, { screen_hint: 'signup' })
    return { agent, page, fields, done: (answer) => answer.location?.includes('#access_token=') === true }
  },
  async consent() {
    const page = await open(ada, { ...contacts, prompt: 'consent' })
    return {
      agent: ada,
      page,
      fields: { action: 'accept' },
      done: (answer) => answer.location?.includes('#access_token=') === true,
    }
  },
  async 'choice of an account'() {
    const page = await open(ada, { prompt: 'select_account' })
    return {
      agent: ada,
      page,
      fields: { action: 'continue' },
      done: (answer) => answer.location?.includes('#access_token=') === true,
    }
  },
  async 'request for a new password'() {
    const agent = fresh()
    const page = await agent.visit(`${latchkey.issuer}u/reset-password/request`)
    return {
      agent,
      page,
      fields: { email: 'nobody@example.com' },
      done: (answer) => answer.status === 200 && answer.body.includes('nobody@example.com'),
    }
  },
  async 'new password'() {
    const agent = fresh()
    const page = await agent.visit(await mailedLink('reset_password'))
    // The same password again: the other forms go on signing in with it.
    const fields = { password: person.password, password_confirm: person.password }
    return { agent, page, fields, done: (answer) => answer.status === 200 && !answer.body.includes('<form') }
  },
  async 'verified address'() {
    const agent = fresh()
    const page = await agent.visit(await mailedLink('verify_email'))
    return { agent, page, fields: {}, done: (answer) => answer.status === 200 && !answer.body.includes('<form') }
  },
}

/** What a forger may try, and the status he gets. */
const attacks: readonly (readonly [
  name: string,
  (form: Form) => Promise<{ fields?: Record<string, string>; headers?: Record<string, string> }>,
])[] = [
  ['without csrf', async () => ({ fields: { csrf: '' } })],
  ['with a csrf that was made up', async () => ({ fields: { csrf: 'A'.repeat(43) } })],
  [
    'with one character of csrf changed',
    async ({ page }) => ({ fields: { csrf: turned(formOf(page).fields.csrf ?? '') } }),
  ],
  [
    'with the csrf of another browser',
    async () => ({ fields: { csrf: formOf(await open(fresh())).fields.csrf ?? '' } }),
  ],
  [
    'with the csrf of another trip of this browser',
    async ({ agent }) => ({ fields: { csrf: formOf(await open(agent, { prompt: 'login' })).fields.csrf ?? '' } }),
  ],
  ['from the page of another site', async () => ({ headers: { origin: 'https://evil.example' } })],
  ["from the app's own page", async () => ({ headers: { origin: 'https://app.example.com' } })],
  ['from another port of this host', async () => ({ headers: { origin: 'http://localhost:1' } })],
  [
    'from a sandboxed frame of another site',
    async () => ({ headers: { origin: 'null', 'sec-fetch-site': 'cross-site' } }),
  ],
  [
    'cross-site by its own word, from a right origin',
    async () => ({ headers: { origin: latchkey.issuer.slice(0, -1), 'sec-fetch-site': 'cross-site' } }),
  ],
  ['same-site only', async () => ({ headers: { 'sec-fetch-site': 'same-site' } })],
]

describe('a form that was not sent from our own page, for this browser and this trip', () => {
  for (const [name, build] of Object.entries(forms)) {
    let form: Form
    beforeAll(async () => {
      form = await build()
    })

    for (const [how, attack] of attacks)
      test(`${name}, ${how}, is 403 and changes nothing`, async () => {
        const { agent, page, fields } = form
        const before = agent.cookies.find((cookie) => cookie.name === 'latchkey_session')?.value
        const forged = await attack(form)
        const answer = await agent.submit(
          page,
          { ...fields, password: fields.password === undefined ? '' : newPassword, ...forged.fields },
          forged.headers,
        )
        expect([answer.status, answer.location]).toEqual([403, undefined])
        expect(agent.cookies.find((cookie) => cookie.name === 'latchkey_session')?.value).toBe(before)
      })

    test(`${name}, as it should be, is taken afterwards`, async () => {
      const { agent, page, fields, done } = form
      expect(done(await agent.submit(page, fields))).toBe(true)
    })
  }

  test('browsers that tell neither Origin nor Sec-Fetch-Site are served: the token alone proves enough', async () => {
    const agent = fresh()
    const { action, fields } = formOf(await open(agent))
    const answer = await agent.visit(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...fields, username: person.email, password: person.password }).toString(),
    })
    expect(answer.location).toContain('#access_token=')
  })
})

describe('GET changes nothing', () => {
  test('the consent page, with everything its form would hold', async () => {
    await signIn(ada, latchkey.issuer)
    const page = await open(ada, {
      ...contacts,
      client_id: clients.thirdParty,
      redirect_uri: 'https://third.example.net/callback',
    })
    const { action, fields } = formOf(page)
    const answer = await ada.visit(`${action}&${new URLSearchParams({ csrf: fields.csrf ?? '', action: 'accept' })}`)
    expect(isPage(answer, '/u/consent')).toBe(true)
    expect(await grantsOf(latchkey, person.email, clients.thirdParty)).toEqual({})
  })

  test('a password in the address signs nobody in', async () => {
    const agent = fresh()
    const { action, fields } = formOf(await open(agent))
    const query = new URLSearchParams({
      csrf: fields.csrf ?? '',
      username: person.email,
      password: person.password,
      action: 'default',
    })
    expect(isPage(await agent.visit(`${action}&${query}`), '/u/login')).toBe(true)
    expect(agent.cookies.map(({ name }) => name)).toEqual(['latchkey_browser'])
  })
})

function turned(text: string): string {
  return `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
}
