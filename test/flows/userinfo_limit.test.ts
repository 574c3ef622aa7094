import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { moreTenant, second } from '../support/more_tenant.ts'
import { outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, development: false, options: { userinfo_per_minute: '6' } })
  await latchkey.apply(moreTenant)
})
afterAll(() => latchkey.close())

const tokenOf = async (change = {}, who?: { email: string; password: string }) =>
  outcomeOf(await signIn(new Agent(), latchkey.issuer, change, who)).parameters.access_token ?? ''

async function ask(token: string) {
  const answer = await fetch(`${latchkey.issuer}userinfo`, {
    headers: { authorization: `Bearer ${token}`, origin: 'https://app.example.com' },
  })
  const { status, headers } = answer
  const number = (name: string) => {
    const text = headers.get(name)
    return text === null ? undefined : Number(text)
  }
  return {
    ...{ status, headers, body: (await answer.json()) as Readonly<Record<string, unknown>> },
    limit: number('x-ratelimit-limit'),
    remaining: number('x-ratelimit-remaining'),
    reset: number('x-ratelimit-reset'),
    retry_after: number('retry-after'),
  }
}

describe('RFC 6585 §4 the limit of /userinfo', () => {
  test('every answer tells the limit, what is left, and when it is whole again', async () => {
    latchkey.advance(120)
    const token = await tokenOf()
    const answers = [await ask(token), await ask(token)]
    expect(answers.map(({ status, limit, remaining }) => [status, limit, remaining])).toEqual([
      [200, 6, 5],
      [200, 6, 4],
    ])
    // One of six a minute is back after ten seconds, two after twenty.
    const now = Math.floor(Date.now() / 1000) + 120
    expect((answers[0]?.reset ?? 0) - now).toBeGreaterThanOrEqual(8)
    expect((answers[1]?.reset ?? 0) - now).toBeLessThanOrEqual(25)
    expect(answers[0]?.retry_after).toBeUndefined()
    expect(answers[0]?.headers.get('access-control-expose-headers')).toContain('X-RateLimit-Remaining')
  })

  test('beyond it: 429 with Retry-After, and no claim of anybody', async () => {
    latchkey.advance(120)
    const [jwt, opaque] = [await tokenOf(), await tokenOf({ audience: undefined })]
    for (let call = 0; call < 6; call++) expect((await ask(call % 2 === 0 ? jwt : opaque)).status).toBe(200)
    for (const token of [jwt, opaque]) {
      const { status, body, remaining, retry_after, headers } = await ask(token)
      expect([status, body.error, remaining]).toEqual([429, 'too_many_requests', 0])
      expect(body.error_description).toMatch(/X-RateLimit-Limit/)
      expect(body).not.toHaveProperty('sub')
      expect(retry_after).toBeGreaterThanOrEqual(1)
      expect(retry_after).toBeLessThanOrEqual(10)
      // The token is as good as before: nothing challenges it.
      expect(headers.get('www-authenticate')).toBeNull()
      expect(headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  test('waiting as long as it says helps; somebody else need not wait', async () => {
    latchkey.advance(120)
    const token = await tokenOf()
    for (let call = 0; call < 6; call++) await ask(token)
    const { status, retry_after = 0 } = await ask(token)
    expect(status).toBe(429)
    expect((await ask(await tokenOf({}, second))).status).toBe(200)
    latchkey.advance(retry_after)
    expect((await ask(token)).status).toBe(200)
    expect((await ask(token)).status).toBe(429)
  })

  test('a token that does not count is not counted, and learns nothing of limits', async () => {
    const { status, limit } = await ask('nonsense')
    expect([status, limit]).toEqual([401, undefined])
  })
})
