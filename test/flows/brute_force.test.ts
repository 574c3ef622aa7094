import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { authorizeUrl } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { person, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  // Behind a proxy, so that a test can come from any address.
  latchkey = await startLatchkey({ tenant, options: { trust_proxy: ['127.0.0.1', '::1'] } })
  await latchkey.apply(moreTenant)
})
afterAll(() => latchkey.close())

const wrong = 'Wrong-Horse-7'
let addresses = 0
/** An address that no other test uses. */
const somewhere = () => `203.0.113.${++addresses}`
const from = (address: string) => new Agent({ 'x-forwarded-for': address })

/** One guess in a trip of its own. @returns 302 after a right one */
async function guess(address: string, password: string, username: string = person.email): Promise<Answer> {
  const agent = from(address)
  return agent.submit(await agent.visit(authorizeUrl(latchkey.issuer)), { username, password })
}

async function guesses(count: number, address: string, password: string, username?: string): Promise<number[]> {
  const statuses: number[] = []
  for (let index = 0; index < count; index++) statuses.push((await guess(address, password, username)).status)
  return statuses
}

/** Ten wrong ones, a few at a time: the limit of guesses in a minute must not be what stops them. */
async function block(address: string, username?: string): Promise<void> {
  expect(await guesses(10, address, wrong, username)).toEqual(Array(10).fill(400))
  latchkey.advance(61)
}

const tenTimes = (status: number) => Array(10).fill(status)

describe('RFC 6819 §5.1.4.2.3 guessing one password from one address', () => {
  test('ten wrong ones are judged; then even the right one is 429, with Retry-After', async () => {
    const address = somewhere()
    expect(await guesses(10, address, wrong)).toEqual(tenTimes(400))
    const answer = await guess(address, person.password)
    expect([answer.status, answer.location]).toEqual([429, undefined])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.body).toContain('Too many attempts.')
    latchkey.advance(61)
    expect((await guess(address, person.password)).status).toBe(429)
  })

  test('100 at once are judged ten times at most, the right one among them or not', async () => {
    const address = somewhere()
    const agent = from(address)
    const page = await agent.visit(authorizeUrl(latchkey.issuer))
    const { action, fields } = formOf(page)
    const all = await Promise.all(
      Array.from({ length: 100 }, () =>
        agent.request(action, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ ...fields, username: person.email, password: wrong }).toString(),
        }),
      ),
    )
    const count = (status: number) => all.filter((answer) => answer.status === status).length
    expect([count(400) <= 10, count(400) + count(429)]).toEqual([true, 100])
    expect((await guess(address, person.password)).status).toBe(429)
  })

  test('the name in other letters or with spaces is the same name', async () => {
    const address = somewhere()
    const names = ['ada@example.com', 'ADA@example.com', ' ada@example.com', 'Ada@Example.Com ', 'ada@EXAMPLE.com']
    for (let index = 0; index < 10; index++) await guess(address, wrong, names[index % names.length])
    expect((await guess(address, person.password)).status).toBe(429)
  })

  test('another address, and another person at this address, are not held up', async () => {
    const address = somewhere()
    await block(address)
    expect((await guess(somewhere(), person.password)).status).toBe(302)
    expect((await guess(address, second.password, second.email)).status).toBe(302)
    expect((await guess(address, person.password)).status).toBe(429)
  })

  test('what a client writes before the address that the proxy saw counts for nothing', async () => {
    const address = somewhere()
    for (let index = 0; index < 10; index++) await guess(`198.51.100.${index}, ${address}`, wrong)
    expect((await guess(`198.51.100.99, ${address}`, person.password)).status).toBe(429)
  })

  test('an IPv6 network of one household is one address', async () => {
    for (let index = 0; index < 10; index++) await guess(`2001:db8:1:2::${index + 1}`, wrong)
    expect((await guess('2001:db8:1:2:ffff::1', person.password)).status).toBe(429)
    expect((await guess('2001:db8:1:3::1', person.password)).status).toBe(302)
  })

  test('a right password forgets the wrong ones before it', async () => {
    const address = somewhere()
    expect(await guesses(9, address, wrong)).toEqual(Array(9).fill(400))
    expect((await guess(address, person.password)).status).toBe(302)
    latchkey.advance(61)
    expect(await guesses(9, address, wrong)).toEqual(Array(9).fill(400))
    expect((await guess(address, person.password)).status).toBe(302)
  })

  test('somebody who does not exist is held up alike', async () => {
    const address = somewhere()
    expect(await guesses(10, address, wrong, 'nobody@example.com')).toEqual(tenTimes(400))
    expect((await guess(address, wrong, 'nobody@example.com')).status).toBe(429)
  })

  test('the block ends after 30 days', async () => {
    const address = somewhere()
    await block(address)
    latchkey.advance(29 * 86_400)
    expect((await guess(address, person.password)).status).toBe(429)
    latchkey.advance(86_400)
    expect((await guess(address, person.password)).status).toBe(302)
  })
})

describe('the mail about a block', () => {
  const unblockMails = async (to: string = person.email) =>
    (await latchkey.mails()).filter((mail) => mail.kind === 'blocked_account' && mail.to === to)

  test('comes once an hour at most, and its link lifts the block when the person says so', async () => {
    latchkey.advance(3601)
    const before = (await unblockMails()).length
    const [here, there] = [somewhere(), somewhere()]
    await block(here)
    await block(there)
    const mails = await unblockMails()
    expect(mails).toHaveLength(before + 1)
    const agent = new Agent()
    const page = await agent.visit(mails[0]?.links[0] ?? '')
    expect((await guess(here, person.password)).status).toBe(429)
    expect((await agent.submit(page, {})).status).toBe(200)
    expect((await guess(here, person.password)).status).toBe(302)
    expect((await guess(there, person.password)).status).toBe(302)
    expect((await agent.submit(page, {})).status).toBe(400)
  })

  test('goes to nobody when there is no such person', async () => {
    const before = (await latchkey.mails()).length
    await block(somewhere(), 'nobody@example.com')
    expect(await latchkey.mails()).toHaveLength(before)
  })

  test('a new password lifts the block too', async () => {
    const address = somewhere()
    await block(address)
    await fetch(`${latchkey.issuer}dbconnections/change_password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: person.email, connection: 'Username-Password-Authentication' }),
    })
    const link = (await latchkey.mails()).find(({ kind }) => kind === 'reset_password')?.links[0] ?? ''
    const agent = new Agent()
    const fields = { password: person.password, password_confirm: person.password }
    expect((await agent.submit(await agent.visit(link), fields)).status).toBe(200)
    expect(outcomeOf(await guess(address, person.password)).parameters).toHaveProperty('access_token')
  })
})
