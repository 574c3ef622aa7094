/** How rich requests read on the consent page: nothing of them is left out. */
import { describe, expect, test } from 'vitest'
import { describeDetails } from '../../src/pages/index.ts'

const linesOf = (fields: object) =>
  describeDetails([{ type: 't', ...fields }])[0]?.lines.map(({ name, value }) => `${name}: ${value}`)

describe('RFC 9396 §4 every field has a line', () => {
  test('types and names as words where they are words', () => {
    const titles = ['payment_initiation', 'accountInformation', 'https://a.example/type', '__', '支付']
    expect(describeDetails(titles.map((type) => ({ type }))).map(({ title }) => title)).toEqual([
      ...['Payment initiation', 'Account information', 'https://a.example/type', '__', '支付'],
    ])
  })

  test('texts, numbers, truth, nothing, lists, and what is nested in them', () => {
    expect(linesOf({ a: 'x', b: 1, c: true, d: null, e: '', f: ['x', 2] })).toEqual([
      ...['A: x', 'B: 1', 'C: true', 'D: -', 'E: -', 'F: x, 2'],
    ])
    expect(linesOf({ amount: { value: '5', in: { currency: 'EUR' } } })).toEqual([
      ...['Amount, value: 5', 'Amount, in, currency: EUR'],
    ])
    expect(linesOf({ list: [{ a: 1 }, [2, { b: 3 }]] })).toEqual(['List, 1, a: 1', 'List, 2, 1: 2', 'List, 2, 2, b: 3'])
  })

  test('an empty list and an empty object are there as well', () => {
    expect(linesOf({ list: [], object: {} })).toEqual(['List: -', 'Object: -'])
  })
})
