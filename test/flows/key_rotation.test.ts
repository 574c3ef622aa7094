/** Signing keys that replace themselves: the next one was published long before, and what the old ones signed still counts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { signIn } from '../support/flow.ts'
import { publishedKeys, verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'

const day = 86_400
let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, options: { key_rotation_days: '7' } })
})
afterAll(() => latchkey.close())

const kids = async () =>
  (await publishedKeys(latchkey.issuer)).filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid)
const idToken = async () => outcomeOf(await signIn(new Agent(), latchkey.issuer)).parameters.id_token
const kidOf = async (token: string | undefined) => String((await verified(latchkey.issuer, token)).header.kid)

describe('contract C7 rotation on schedule', () => {
  test('nothing happens before its time', async () => {
    const before = await kids()
    latchkey.advance(6 * day)
    await latchkey.tenant.rotateDueKeys()
    expect(await kids()).toEqual(before)
  })

  test('then the next key signs, the old one stays published, and a new next one is', async () => {
    const old = await idToken()
    const [first, next] = await kids()
    expect(await kidOf(old)).toBe(first)
    latchkey.advance(2 * day)
    // Whoever comes to it first; once is enough.
    await Promise.all([latchkey.tenant.rotateDueKeys(), latchkey.tenant.rotateDueKeys()])
    const young = await idToken()
    expect(await kidOf(young)).toBe(next)
    expect(await kidOf(old)).toBe(first)
    expect(await kids()).toHaveLength(3)
    await latchkey.tenant.rotateDueKeys()
    expect(await kids()).toHaveLength(3)
  })

  test('every key stays as long as a token of it may live, and then goes', async () => {
    const signed = await idToken()
    const kid = await kidOf(signed)
    for (let week = 0; week < 4; week++) {
      latchkey.advance(7 * day)
      await latchkey.tenant.rotateDueKeys()
      expect(await kidOf(signed)).toBe(kid)
    }
    for (let week = 0; week < 3; week++) {
      latchkey.advance(7 * day)
      await latchkey.tenant.rotateDueKeys()
    }
    expect(await kids()).not.toContain(kid)
    expect((await kids()).length).toBeLessThan(9)
  })
})

test('without the option keys stay', async () => {
  const one = await startLatchkey({ tenant })
  const before = await publishedKeys(one.issuer)
  one.advance(1000 * day)
  await one.tenant.rotateDueKeys()
  expect(await publishedKeys(one.issuer)).toEqual(before)
  await one.close()
})
