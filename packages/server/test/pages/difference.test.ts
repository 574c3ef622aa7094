import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { difference, type Segment } from '../../src/pages/difference.ts'

const marked = (segments: readonly Segment[]) => segments.map(({ text, same }) => (same ? text : `[${text}]`)).join('')
const plain = (segments: readonly Segment[]) => segments.map(({ text }) => text).join('')

describe('where two addresses differ', () => {
  for (const [registered, requested, left, right] of [
    ['http://a/cb', 'http://a/cb', 'http://a/cb', 'http://a/cb'],
    ['http://a/cb', 'http://a/cb/', 'http://a/cb[]', 'http://a/cb[/]'],
    ['http://a:8401/cb', 'http://a:8400/cb', 'http://a:840[1]/cb', 'http://a:840[0]/cb'],
    ['http://a/cb', 'https://a/cb', 'http[]://a/cb', 'http[s]://a/cb'],
    ['http://a:8401/cb', 'http://a:8400/cb/', 'http://a:840[1]/cb[]', 'http://a:840[0]/cb[/]'],
    ['http://a/Callback', 'http://a/callback', 'http://a/[C]allback', 'http://a/[c]allback'],
    ['', 'x', '[]', '[x]'],
    ['http://café/', 'http://cafe/', 'http://caf[é]/', 'http://caf[e]/'],
  ] as const) {
    test(`${registered} and ${requested}`, () => {
      const found = difference(registered, requested)
      expect(marked(found.registered)).toBe(left)
      expect(marked(found.requested)).toBe(right)
    })
  }

  test('the pieces always make up both texts, and both sides have the same marks', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '1', '😀'), maxLength: 40 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const found = difference(a, b)
        expect(plain(found.registered)).toBe(a)
        expect(plain(found.requested)).toBe(b)
        const marks = (side: readonly Segment[]) => side.filter(({ same }) => !same).length
        expect(marks(found.registered)).toBe(marks(found.requested))
        expect(marks(found.registered) === 0).toBe(a === b)
      }),
      { numRuns: 2_000 },
    )
  })

  test('long texts cost little', () => {
    const started = performance.now()
    difference(`https://a/${'x'.repeat(100_000)}`, `https://b/${'y'.repeat(100_000)}`)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
