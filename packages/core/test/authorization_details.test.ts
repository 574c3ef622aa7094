/** Rich requests: what a token may be narrowed to. Generated details are changed in one place, and only fewer words may pass. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AuthorizationDetail,
  detailsAt,
  narrowedDetails,
  readAuthorizationDetails,
} from '../src/authorization_details.ts'
import { api, client } from './support/world.ts'

const bank = api({ authorization_details: [{ type: 'a' }, { type: 'b' }] })
const word = fc.string({ minLength: 1, maxLength: 5 })
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 4 })
const field = fc.stringMatching(/^[m-z]{1,4}$/)
const detail: fc.Arbitrary<AuthorizationDetail> = fc
  .record({
    type: fc.constantFrom('a', 'b'),
    actions: words,
    locations: words,
    own: fc.dictionary(field, fc.jsonValue({ maxDepth: 2 })),
  })
  .map(({ own, ...common }) => JSON.parse(JSON.stringify({ ...own, ...common })) as AuthorizationDetail)
const passes = (granted: readonly AuthorizationDetail[], asked: unknown): boolean => {
  try {
    narrowedDetails(granted, JSON.stringify(asked))
    return true
  } catch {
    return false
  }
}

describe('RFC 9396 §6 never more than was granted', () => {
  test('the same, some of them, and fewer words of a list pass', () => {
    fc.assert(
      fc.property(fc.array(detail, { minLength: 1, maxLength: 3 }), fc.nat(), (granted, at) => {
        const one = granted[at % granted.length]
        expect(passes(granted, granted)).toBe(true)
        expect(passes(granted, [one])).toBe(true)
        expect(passes(granted, [{ ...one, actions: [one?.actions].flat().slice(0, 1) }])).toBe(true)
        expect(narrowedDetails(granted, undefined)).toBe(granted)
      }),
    )
  })

  test('a word more, no word at all, a field more, a field less, another value: none passes', () => {
    fc.assert(
      fc.property(detail, field, fc.jsonValue({ maxDepth: 2 }), (granted, name, value) => {
        const asked = (change: object) => passes([granted], [{ ...granted, ...change }])
        expect(asked({ actions: [...(granted.actions as string[]), 'another one'] })).toBe(false)
        expect(asked({ locations: [] })).toBe(false)
        expect(asked({ [`${name}-more`]: value })).toBe(false)
        for (const left_out of Object.keys(granted)) {
          const { [left_out]: _, ...rest } = granted
          expect(passes([granted], [rest])).toBe(false)
        }
        const changed = JSON.parse(JSON.stringify({ value })) as { value: unknown }
        const same = JSON.stringify(granted[name]) === JSON.stringify(changed.value)
        if (!same && !deeplySame(granted[name], changed.value)) expect(asked({ [name]: value })).toBe(false)
      }),
    )
  })

  test('parts of two of them do not make a third', () => {
    const granted = [
      { type: 'a', actions: ['read'], account: '1' },
      { type: 'a', actions: ['write'], account: '2' },
    ]
    expect(passes(granted, [{ type: 'a', actions: ['write'], account: '1' }])).toBe(false)
    expect(passes(granted, [{ type: 'a', actions: ['read', 'write'], account: '1' }])).toBe(false)
  })

  test('names that every object has are fields like others', () => {
    const granted = [JSON.parse('{"type":"a","__proto__":{"x":1},"constructor":"y"}') as AuthorizationDetail]
    expect(narrowedDetails(granted, '[{"type":"a","__proto__":{"x":1},"constructor":"y"}]')).toHaveLength(1)
    expect(() => narrowedDetails(granted, '[{"type":"a","__proto__":{"x":2},"constructor":"y"}]')).toThrow()
    expect(() => narrowedDetails(granted, '[{"type":"a","toString":{"x":1},"constructor":"y"}]')).toThrow()
  })
})

/** By another way than the one that is tested: keys in order, as text. */
function deeplySame(a: unknown, b: unknown): boolean {
  const ordered = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : Array.isArray(value)
        ? value.map(ordered)
        : Object.entries(value)
            .toSorted(([x], [y]) => (x < y ? -1 : 1))
            .map(([name, one]) => [name, ordered(one)])
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))
}

describe('RFC 9396 §5 the types', () => {
  const read = (given: unknown, change: Parameters<typeof client>[0] = {}) =>
    readAuthorizationDetails(client(change), [bank], new Map([['authorization_details', JSON.stringify(given)]]))

  test('those of the APIs, and of the client where it lists any', () => {
    expect(read([{ type: 'a' }, { type: 'b' }])).toHaveLength(2)
    expect(() => read([{ type: 'c' }])).toThrow(/not allowed/)
    expect(read([{ type: 'a' }], { authorization_details_types: ['a'] })).toHaveLength(1)
    expect(() => read([{ type: 'b' }], { authorization_details_types: ['a'] })).toThrow(/not allowed/)
    expect(() => read([{ type: 'a' }], { authorization_details_types: [] })).toThrow(/not allowed/)
    expect(readAuthorizationDetails(client(), [bank], new Map())).toBeUndefined()
  })

  test('a token carries those of its own APIs', () => {
    const other = api({ identifier: 'other', authorization_details: [{ type: 'b' }] })
    expect(detailsAt([other], [{ type: 'a' }, { type: 'b' }])).toEqual({ authorization_details: [{ type: 'b' }] })
    expect(detailsAt([api()], [{ type: 'a' }])).toEqual({})
    expect(detailsAt([other], undefined)).toEqual({})
  })
})
