/** Random bytes from the stock: as many as asked for, and never the same twice. */
import { describe, expect, test } from 'vitest'
import { openRandom } from '../src/random.ts'

describe('random bytes', () => {
  test.each([0, 1, 12, 16, 24, 32, 4095, 4096, 4097, 10_000])('%i of them', (bytes) => {
    const random = openRandom()
    for (const _ of [1, 2, 3]) {
      const text = random(bytes)
      expect(text).toMatch(/^[\w-]*$/)
      expect(Buffer.from(text, 'base64url')).toHaveLength(bytes)
    }
  })

  test('none twice, over many stocks and out of two of them', () => {
    const [one, other] = [openRandom(), openRandom()]
    const texts = Array.from({ length: 20_000 }, (_, index) => (index % 2 === 0 ? one : other)(16))
    expect(new Set(texts).size).toBe(texts.length)
  })

  test('every bit is a coin', () => {
    const random = openRandom()
    const bytes = Buffer.concat(Array.from({ length: 5000 }, () => Buffer.from(random(17), 'base64url')))
    for (let bit = 0; bit < 8; bit++) {
      const ones = bytes.filter((byte) => ((byte >> bit) & 1) === 1).length
      // Eight standard deviations.
      expect(Math.abs(ones - bytes.length / 2)).toBeLessThan(8 * Math.sqrt(bytes.length / 4))
    }
  })
})
