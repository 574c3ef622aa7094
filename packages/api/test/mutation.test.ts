import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, TokenError, type Verifier } from '../src/index.ts'
import { audience, hmacToken, type Issuer, makeKey, startIssuer } from './support/issuer.ts'

const rs256 = makeKey('rs')
const es256 = makeKey('es', 'ES256')
const secret = 'a signing secret of an HS256 API, long enough'
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
let issuer: Issuer
let subjects: readonly { name: string; token: string; verifier: Verifier }[]

beforeAll(async () => {
  issuer = await startIssuer(rs256, es256)
  const options = { issuer: issuer.issuer, audience }
  subjects = [
    { name: 'RS256', token: issuer.token(rs256), verifier: createVerifier(options) },
    { name: 'ES256', token: issuer.token(es256), verifier: createVerifier({ ...options, algorithms: ['ES256'] }) },
    {
      name: 'HS256',
      token: hmacToken(secret, { alg: 'HS256', typ: 'JWT' }, issuer.claims()),
      verifier: createVerifier({ ...options, algorithms: ['HS256'], secret }),
    },
  ]
  for (const { token, verifier } of subjects) await verifier.verify(token)
})
afterAll(() => issuer.close())

async function accepted(verifier: Verifier, token: string): Promise<boolean> {
  try {
    await verifier.verify(token)
    return true
  } catch (error) {
    if (error instanceof TokenError) return false
    throw error
  }
}

/** One change to a text: another character, one more, one less, a piece doubled or taken away, two swapped, an end cut off. */
const change = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'remove', 'double', 'cut', 'swap'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 12 }),
  character: fc.oneof(
    fc.constantFrom(...alphabet, '.', '=', '+', '/', ' ', '\n', '\0'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
})

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

function mutate(token: string, { kind, at, length, character }: Change): string {
  const index = at % token.length
  const before = token.slice(0, index)
  if (kind === 'replace') return before + character + token.slice(index + 1)
  if (kind === 'insert') return before + character + token.slice(index)
  if (kind === 'remove') return before + token.slice(index + length)
  if (kind === 'double') return before + token.slice(index, index + length) + token.slice(index)
  if (kind === 'cut') return before
  return before + (token[index + 1] ?? '') + (token[index] ?? '') + token.slice(index + 2)
}

describe('RFC 7515 §5.2 a token that was changed is never accepted', () => {
  test.each(['RS256', 'ES256', 'HS256'])('%s, one to three random changes', async (name) => {
    const subject = subjects.find((each) => each.name === name)
    if (subject === undefined) throw new Error(name)
    const { token, verifier } = subject
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const changed = changes.reduce(mutate, token)
        fc.pre(changed !== token)
        expect(await accepted(verifier, changed), changed).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  test('every other character at every place of every token', async () => {
    const wrong: string[] = []
    for (const { token, verifier } of subjects) {
      for (let index = 0; index < token.length; index++) {
        // Five spread over the alphabet everywhere; all of it at the ends of the parts, where bits are unused.
        const isEnd = token[index + 1] === undefined || token[index + 1] === '.'
        const others = isEnd ? [...alphabet, '.', '='] : [1, 2, 4, 16, 32].map((bit) => flip(token[index] ?? '', bit))
        for (const other of others) {
          const changed = token.slice(0, index) + other + token.slice(index + 1)
          if (changed !== token && (await accepted(verifier, changed))) wrong.push(`${index} ${other}`)
        }
      }
    }
    expect(wrong).toEqual([])
  }, 60_000)
})

function flip(character: string, bit: number): string {
  return alphabet[alphabet.indexOf(character) ^ bit] ?? '!'
}
