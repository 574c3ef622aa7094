/** Ways in that were once open: each test is an attack that works no more. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, formOf, fragmentOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { callback, clients, connection, person, tenant } from '../support/tenant.ts'

const second = { email: 'grace@example.com', password: 'Correct-Horse-8' }
const odd = 'https://odd.example.com/'
const more = tenant
  .replace(
    'databases:\n',
    `  - name: Odd\n    identifier: ${odd}\n    scopes: [{ value: constructor, description: Build }]\ndatabases:\n`,
  )
  .concat(
    `  - email: ${second.email}\n    password: ${second.password}\n    email_verified: true\n    name: Grace Hopper\n`,
  )

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant: more })
})
afterAll(() => latchkey.close())

const third = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }

/** The login page of another tab of the same browser. */
async function signInElsewhere(agent: Agent, who: { email: string; password: string }): Promise<void> {
  const page = await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'login' }))
  await agent.submit(page, { username: who.email, password: who.password, action: 'default' })
}

describe('a page says yes for the person it showed, and to what it showed', () => {
  test('consent of one person does not count for another who signed in meanwhile', async () => {
    const agent = new Agent()
    const login = await agent.visit(authorizeUrl(latchkey.issuer, third))
    const consent = await agent.submit(login, { username: person.email, password: person.password, action: 'default' })
    expect(isPage(consent, '/u/consent')).toBe(true)
    expect(consent.body).toContain('Ada Lovelace')
    await signInElsewhere(agent, second)
    const answer = await agent.submit(consent, { action: 'accept' })
    expect(isPage(answer, '/u/consent')).toBe(true)
    expect(answer.body).toContain('Grace Hopper')
    const user = await latchkey.tenant.store.users.findByEmail(connection, second.email)
    expect(await latchkey.tenant.store.grants.list(user?.user_id ?? '')).toEqual([])
    expect((await agent.submit(answer, { action: 'accept' })).location).toContain('#access_token=')
  })

  test('an account that was picked is the one that was shown', async () => {
    const agent = new Agent()
    await signInElsewhere(agent, person)
    const page = await agent.visit(authorizeUrl(latchkey.issuer, { prompt: 'select_account' }))
    expect(isPage(page, '/u/account')).toBe(true)
    await signInElsewhere(agent, second)
    const answer = await agent.submit(page, { action: 'continue' })
    expect(isPage(answer, '/u/account')).toBe(true)
    expect(answer.body).toContain('Grace Hopper')
    const done = await agent.submit(answer, { action: 'continue' })
    expect(claimsOf(fragmentOf(done.location).id_token).email).toBe(second.email)
  })
})

describe('what strangers write goes into no mail', () => {
  test('a name given at sign-up does not stand in the mail to an address nobody has proved', async () => {
    const email = 'victim@example.org'
    const given_name = 'Ada'
    const response = await fetch(`${latchkey.issuer}dbconnections/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_id: clients.spa, connection, email, password: 'Correct-Horse-9', given_name }),
    })
    expect(response.status).toBe(200)
    const [mail] = (await latchkey.mails()).filter(({ to }) => to === email)
    expect(mail?.kind).toBe('verify_email')
    expect(mail?.text).not.toContain(given_name)
  })

  test('a name is one line', async () => {
    const response = await fetch(`${latchkey.issuer}dbconnections/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ client_id: clients.spa, connection, email: 'lines@example.org', password: 'Correct-Horse-9' },
        name: 'Ada\n\nYour account is closed: https://evil.example/',
      }),
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_request' })
  })
})

describe('a new password ends the old one', () => {
  test('a login with the old password that was still being checked opens nothing', async () => {
    const who = { email: 'race@example.org', password: 'Correct-Horse-1' }
    const store = latchkey.tenant.store
    const ctx = latchkey.tenant.context(latchkey.issuer)
    await store.users.create(
      {
        ...{ user_id: 'auth0|race', connection, email: who.email, email_verified: true, profile: {} },
        password_hash: await ctx.passwords.hash(who.password),
      },
      Date.now(),
    )
    const attacker = new Agent()
    const login = await attacker.visit(authorizeUrl(latchkey.issuer))
    const owner = new Agent()
    const request = await owner.visit(`${latchkey.issuer}u/reset-password/request`)
    await owner.submit(request, { email: who.email })
    const [mail] = (await latchkey.mails()).filter(({ to }) => to === who.email)
    const reset = await owner.visit(mail?.links[0] ?? '')
    // The order that a race would have to hit: the new password is set between the check of the old one and the session.
    const { verify } = ctx.passwords
    let done: Answer | undefined
    Object.assign(ctx.passwords, {
      async verify(encoded: string | undefined, password: string) {
        const outcome = await verify(encoded, password)
        done = await owner.submit(reset, { password: 'Correct-Horse-2', password_confirm: 'Correct-Horse-2' })
        return outcome
      },
    })
    let answer: Answer
    try {
      answer = await attacker.submit(login, { username: who.email, password: who.password, action: 'default' })
    } finally {
      Object.assign(ctx.passwords, { verify })
    }
    expect(done?.status).toBe(200)
    expect(isPage(answer, '/u/consent')).toBe(false)
    const after = await silently(attacker, latchkey.issuer)
    expect(fragmentOf(after.location).error).toBe('login_required')
  })
})

describe('a password that an administrator sets', () => {
  test('ends the links that were mailed for the old one', async () => {
    const own = await startLatchkey({ tenant: more })
    try {
      const agent = new Agent()
      const page = await agent.visit(`${own.issuer}u/reset-password/request`)
      await agent.submit(page, { email: person.email })
      const [mail] = await own.mails()
      expect((await agent.visit(mail?.links[0] ?? '')).status).toBe(200)
      await own.apply(more.replace(`password: ${person.password}`, 'password: Another-Horse-3'))
      expect((await agent.visit(mail?.links[0] ?? '')).status).toBe(400)
    } finally {
      await own.close()
    }
  })
})

describe('limits of one network address', () => {
  let limited: Latchkey
  beforeAll(async () => {
    limited = await startLatchkey({
      tenant: more,
      development: false,
      options: { failures_per_address: '10', signups_per_address: '3' },
    })
  })
  afterAll(() => limited.close())

  test('many guesses at once are still no more than the limit', async () => {
    const agent = new Agent()
    const login = await agent.visit(authorizeUrl(limited.issuer))
    const form = formOf(login)
    const guesses = Array.from({ length: 40 }, (_, index) =>
      agent.submit(login, { ...form.fields, username: `user${index}@example.com`, password: 'Wrong-Horse-7' }),
    )
    const answers = await Promise.all(guesses)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30)
  })

  test('the failure that blocks takes as long whether or not there is somebody to write to', async () => {
    const open = await startLatchkey({ tenant: more, development: false, options: { failures_per_address: '1000' } })
    try {
      const agent = new Agent()
      const login = await agent.visit(authorizeUrl(open.issuer))
      const times: number[] = []
      for (const username of [person.email, 'nobody@example.com']) {
        for (let failure = 1; failure <= 10; failure++) {
          const start = performance.now()
          await agent.submit(login, { username, password: 'Wrong-Horse-7' })
          if (failure === 10) times.push(performance.now() - start)
        }
      }
      expect(Math.min(...times)).toBeGreaterThanOrEqual(299)
      expect(await open.tenant.store.mails.list(5)).toHaveLength(1)
    } finally {
      await open.close()
    }
  })

  test('asking for the mail of a forgotten password is limited too', async () => {
    const agent = new Agent()
    const page = await agent.visit(`${limited.issuer}u/reset-password/request`)
    const statuses: number[] = []
    for (let call = 0; call < 5; call++) statuses.push((await agent.submit(page, { email: 'a@example.com' })).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
  })
})

describe('configuration that changes under a running trip', () => {
  test('an answer goes nowhere that is no longer a callback', async () => {
    const own = await startLatchkey({ tenant: more })
    try {
      const agent = new Agent()
      const login = await agent.visit(authorizeUrl(own.issuer))
      await own.apply(more.replace(`callbacks: ['${callback}', `, 'callbacks: ['))
      const answer = await agent.submit(login, { username: person.email, password: person.password, action: 'default' })
      expect(answer.location).toBeUndefined()
      expect(answer.status).toBe(400)
    } finally {
      await own.close()
    }
  })
})

describe('what a stranger sends costs little', () => {
  test('a wrong address of full length is compared with a full list in no time, and not logged whole', async () => {
    const callbacks = Array.from({ length: 100 }, (_, index) => `https://app${index}.example.com/${'p'.repeat(1900)}`)
    const own = await startLatchkey({
      tenant: more.replace(
        `callbacks: ['https://third.example.net/callback']`,
        `callbacks: ${JSON.stringify(callbacks)}`,
      ),
    })
    try {
      const change = { client_id: clients.thirdParty, redirect_uri: `https://app.example.com/${'p'.repeat(16_000)}` }
      const agent = new Agent()
      await agent.request(authorizeUrl(own.issuer, change))
      const { cpu } = await measured(() => agent.request(authorizeUrl(own.issuer, change)))
      expect(cpu).toBeLessThan(100)
      expect(Math.max(...own.log.map((line) => JSON.stringify(line).length))).toBeLessThan(6_000)
    } finally {
      await own.close()
    }
  })
})

/** Milliseconds of processor time, which other programs of the machine do not lengthen. */
async function measured(work: () => Promise<unknown>): Promise<{ readonly cpu: number }> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / 1000 }
}

describe('names that every object has', () => {
  test('a scope called constructor is a scope like any other', async () => {
    const answer = await signIn(new Agent(), latchkey.issuer, { audience: odd, scope: 'openid constructor' })
    expect(fragmentOf(answer.location)).toMatchObject({ token_type: 'Bearer' })
  })
})

describe('the database file', () => {
  test('nobody but its owner can read it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-'))
    const file = join(directory, 'test.sqlite')
    const own = await startLatchkey({ tenant, database: `sqlite:${file}` })
    try {
      for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o077).toBe(0)
    } finally {
      await own.close()
      rmSync(directory, { recursive: true })
    }
  })
})
