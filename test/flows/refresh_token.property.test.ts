/**
 * The state machine of refresh tokens, driven at random: tabs that refresh together, answers that are lost, apps that crash and come
 * back with the token before, thieves with a token of any age, and time that passes. A model of a few lines says what must come out.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeTenant, refresh, refreshable, type TokenAnswer } from '../support/code_flow.ts'
import { signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { tenant } from '../support/tenant.ts'

const leeway = 30

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

type Act =
  /** So many tabs at once show the token that is so many steps old. */
  | { readonly kind: 'refresh'; readonly age: number; readonly tabs: number }
  | { readonly kind: 'wait'; readonly seconds: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      age: fc.constant(0),
      tabs: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      age: fc.constant(1),
      tabs: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('refresh' as const),
      age: fc.integer({ min: 2, max: 4 }),
      tabs: fc.constant(1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 10, 60) }) },
)

/** What the server must know of a family. */
class Family {
  readonly tokens: string[]
  rotated_at = 0
  now = 0
  revoked = false

  constructor(first: string) {
    this.tokens = [first]
  }

  at(age: number): string {
    return this.tokens[Math.max(0, this.tokens.length - 1 - age)] ?? ''
  }

  /** Whether showing this token must succeed, and what that does to the family. @returns whether a new token is made */
  judge(token: string): 'rotates' | 'again' | 'refused' {
    if (this.revoked) return 'refused'
    const age = this.tokens.length - 1 - this.tokens.indexOf(token)
    if (age === 0) return 'rotates'
    if (age === 1 && this.now - this.rotated_at < leeway) return 'again'
    this.revoked = true
    return 'refused'
  }
}

async function play(family: Family, step: Act): Promise<void> {
  if (step.kind === 'wait') {
    latchkey.advance(step.seconds)
    family.now += step.seconds
    return
  }
  const token = family.at(step.age)
  const expected = family.judge(token)
  const answers = await Promise.all(Array.from({ length: step.tabs }, () => refresh(latchkey.issuer, token)))
  if (expected === 'refused') {
    for (const { status, json } of answers) expect([status, json.error]).toEqual([400, 'invalid_grant'])
    return
  }
  // However many came at once, they all go on, and with the same token.
  for (const { status } of answers) expect(status).toBe(200)
  const [successor] = new Set(answers.map(tokenOf))
  expect(answers.map(tokenOf)).toEqual(answers.map(() => successor))
  if (expected === 'again') expect(successor).toBe(family.at(0))
  else {
    expect(family.tokens).not.toContain(successor)
    family.tokens.push(successor ?? '')
    family.rotated_at = family.now
  }
}

const tokenOf = ({ json }: TokenAnswer) => json.refresh_token

describe('security rule 7 RFC 9700 §4.14.2 the family of a refresh token, at random', () => {
  test('only divergence ends it, and then all of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 14 }), async (acts) => {
        const { refresh_token = '' } = await refreshable(ada, latchkey.issuer)
        const family = new Family(refresh_token)
        for (const step of acts) await play(family, step)
        // Whatever happened: the newest token works if, and only if, nobody has shown a used one out of time.
        const last = await refresh(latchkey.issuer, family.at(0))
        expect(last.status).toBe(family.revoked ? 400 : 200)
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  test('an app that only ever loses answers and crashes is never logged out', async () => {
    const story = fc.array(fc.constantFrom('works', 'answer lost', 'crashed before writing', 'two tabs'), {
      minLength: 1,
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(story, async (events) => {
        let written = (await refreshable(ada, latchkey.issuer)).refresh_token
        for (const event of events) {
          const answers = await Promise.all(
            Array.from({ length: event === 'two tabs' ? 2 : 1 }, () => refresh(latchkey.issuer, written)),
          )
          for (const { status } of answers) expect(status).toBe(200)
          if (event === 'works' || event === 'two tabs') written = answers.at(-1)?.json.refresh_token
          // Else the app still has the token it had, and tries again within seconds.
          else latchkey.advance(2)
          if (event === 'works') latchkey.advance(3600)
        }
      }),
      { numRuns: 30 },
    )
  }, 120_000)
})
