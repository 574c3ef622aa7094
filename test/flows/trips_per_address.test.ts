import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

const limit = 3
let latchkey: Latchkey
const start = (trips_per_address: string) =>
  startLatchkey({
    tenant,
    development: false,
    options: { trips_per_address, trust_proxy: ['127.0.0.1', '::1'] },
  })
beforeEach(async () => {
  latchkey = await start(String(limit))
})
afterEach(() => latchkey.close())

const open = (address: string): Promise<Answer> =>
  new Agent({ 'x-forwarded-for': address }).visit(authorizeUrl(latchkey.issuer))
const statuses = async (count: number, address: string) => {
  const all: number[] = []
  for (let index = 0; index < count; index++) all.push((await open(address)).status)
  return all
}

describe('RFC 6585 §4 sign-ins that one network address begins', () => {
  test('beyond the limit the answer is a page with 429 and Retry-After, and a line in the log', async () => {
    expect(await statuses(limit, '203.0.113.1')).toEqual(Array(limit).fill(200))
    const answer = await open('203.0.113.1')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([429, 'text/html; charset=utf-8'])
    const delay = Number(answer.headers.get('retry-after'))
    expect([delay > 3500, delay <= 3600]).toEqual([true, true])
    expect(answer.body).toContain('too_many_requests')
    expect(latchkey.log.at(-1)).toMatchObject({
      msg: 'refused',
      error: 'too_many_requests',
      ip: '203.0.113.1',
      explanation: { setting: 'trips_per_address' },
    })
  })

  test('another address goes on, and so does this one an hour later', async () => {
    expect(await statuses(limit + 1, '203.0.113.1')).toEqual([...Array(limit).fill(200), 429])
    expect((await open('203.0.113.2')).status).toBe(200)
    latchkey.advance(3599)
    expect((await open('203.0.113.1')).status).toBe(429)
    latchkey.advance(1)
    expect((await open('203.0.113.1')).status).toBe(200)
  })

  test('a hundred at once are no more than the limit', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => open('203.0.113.1')))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(limit)
    expect(all.filter(({ status }) => status === 429)).toHaveLength(100 - limit)
  })

  test('an IPv6 network of one household is one address', async () => {
    for (let index = 1; index <= limit; index++) expect((await open(`2001:db8:1:2::${index}`)).status).toBe(200)
    expect((await open('2001:db8:1:2:ffff::1')).status).toBe(429)
    expect((await open('2001:db8:1:3::1')).status).toBe(200)
  })

  test('a trip that was begun comes to its end, and silent requests are not counted', async () => {
    const agent = new Agent({ 'x-forwarded-for': '203.0.113.1' })
    const page = await agent.visit(authorizeUrl(latchkey.issuer))
    for (let index = 0; index < 2 * limit; index++)
      expect(outcomeOf(await silently(agent, latchkey.issuer)).parameters.error).toBe('login_required')
    expect(await statuses(limit, '203.0.113.1')).toEqual([...Array(limit - 1).fill(200), 429])
    expect(isPage(await agent.visit(page.url), '/u/login')).toBe(true)
  })

  test('0 is no limit', async () => {
    await latchkey.close()
    latchkey = await start('0')
    expect(await statuses(20, '203.0.113.1')).toEqual(Array(20).fill(200))
    expect(outcomeOf(await signIn(new Agent(), latchkey.issuer)).parameters).toHaveProperty('access_token')
  })
})
