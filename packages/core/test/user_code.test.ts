/** The code that a person reads off a device. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newUserCode, readUserCode } from '../src/device/user_code.ts'

const random = (bytes: number) => randomBytes(bytes).toString('base64url')

describe('RFC 8628 §6.1 the user code', () => {
  test('is eight consonants that are not taken for one another, each as likely as any', () => {
    const counts = new Map<string, number>()
    for (let index = 0; index < 5000; index++) {
      const code = newUserCode(random)
      expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
      for (const letter of code.replace('-', '')) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
    expect(counts.size).toBe(20)
    // 2000 of each are expected, with a spread of 44.
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(300)
  })

  test('goes on when chance gives bytes that would favour a letter', () => {
    let calls = 0
    const stubborn = (bytes: number) => (calls++ === 0 ? Buffer.alloc(bytes, 255).toString('base64url') : random(bytes))
    expect(newUserCode(stubborn)).toHaveLength(9)
    expect(calls).toBeGreaterThan(1)
  })

  test('is read in any case, with any signs between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(' ', '-', '.', '_', '·', '\t', ''), { minLength: 9, maxLength: 9 }),
        (signs) => {
          const code = newUserCode(random)
          const letters = code.replace('-', '')
          const typed = [...letters].map(
            (letter, index) => `${signs[index]}${index % 2 ? letter : letter.toLowerCase()}`,
          )
          expect(readUserCode(`${typed.join('')}${signs[8]}`)).toBe(code)
        },
      ),
    )
  })

  test.each(['', 'BCDF', 'BCDFBCDFB', 'BCDF-BCDA', 'BCDF-BCD1', 'ΒCDF-BCDF', 'x'.repeat(100_000)])(
    '%j is none',
    (typed) => expect(readUserCode(typed)).toBeUndefined(),
  )
})
