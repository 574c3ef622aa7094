/** Reading and writing form-encoded parameters: tables, and every generated text judged by a second reader that works on bytes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultLimits, encodeParameters, OAuthError, parametersFromObject, readParameters } from '../src/index.ts'

const runs = Number(process.env.PARAMETER_RUNS ?? 20_000)

/** Any character but NUL: a byte's worth of them as often as all the others. */
const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code))

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof OAuthError) return error.code
    throw error
  }
  return 'accepted'
}

describe('RFC 6749 §3.1 authorization endpoint parameters', () => {
  test.each<[string, Record<string, string>]>([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['b=2&a=1', { b: '2', a: '1' }],
    ['&a=1&&b=2&', { a: '1', b: '2' }],
    ['a', {}],
    ['a=', {}],
    ['a&b=2', { b: '2' }],
    ['=x', { '': 'x' }],
    ['a=1=2', { a: '1=2' }],
    ['a==', { a: '=' }],
    ['a=one+two', { a: 'one two' }],
    ['a=one%20two', { a: 'one two' }],
    ['a=%2B', { a: '+' }],
    ['a=%2b%26%3D', { a: '+&=' }],
    ['a=%25', { a: '%' }],
    ['a=%2525', { a: '%25' }],
    ['a=caf%C3%A9', { a: 'café' }],
    ['a=%F0%9F%94%91', { a: '🔑' }],
    ['a=%EF%BB%BFx', { a: '\ufeffx' }],
    ['a=x;b=y', { a: 'x;b=y' }],
    ['a[]=1', { 'a[]': '1' }],
    ['a%5B%5D=1', { 'a[]': '1' }],
    ['__proto__=1&constructor=2', { ['__proto__']: '1', constructor: '2' }],
  ])('%j is read', (text, expected) => {
    expect([...readParameters(text)]).toEqual(Object.entries(expected))
  })

  test.each([
    ['the same twice', 'a=1&a=1'],
    ['two values', 'a=1&a=2'],
    ['far apart', 'a=1&b=2&c=3&a=4'],
    ['the first one empty', 'a=&a=1'],
    ['the second one empty', 'a=1&a='],
    ['both without a value', 'a&a'],
    ['one name encoded', 'redirect_uri=x&redirect%5Furi=y'],
    ['one name with a plus, one with %20', 'a+b=1&a%20b=2'],
    ['no name twice', '=1&=2'],
  ])('a repeated parameter is refused: %s', (_, text) => {
    expect(codeOf(() => readParameters(text))).toBe('invalid_request')
  })

  test.each([
    ['a lone percent sign', 'a=%'],
    ['one digit', 'a=%4'],
    ['no digits', 'a=%zz'],
    ['in a name', '%=1'],
    ['a lone continuation byte', 'a=%80'],
    ['a cut sequence', 'a=%C3'],
    ['an overlong slash', 'a=%C0%AF'],
    ['an encoded surrogate', 'a=%ED%A0%80'],
    ['beyond Unicode', 'a=%F4%90%80%80'],
    ['Latin-1', 'a=caf%E9'],
    ['a fullwidth escape of the old kind', 'a=%u0041'],
    ['NUL', 'a=%00'],
    ['NUL in a name', 'a%00b=1'],
    ['NUL as it is', 'a=\0'],
  ])('what cannot be decoded is refused: %s', (_, text) => {
    expect(codeOf(() => readParameters(text))).toBe('invalid_request')
  })

  test('the error says which parameter, in the alphabet of error_description', () => {
    expect(() => readParameters('state=1&state=2')).toThrow('The parameter state is repeated')
    try {
      readParameters('%22%0A=1&%22%0A=2')
    } catch (error) {
      expect(error).toMatchObject({ description: "The parameter '? is repeated" })
    }
    expect.assertions(2)
  })
})

describe('RFC 6749 §3.2 limits of a body', () => {
  const limits = { total: 40, count: 3, value: 10 }
  test.each([
    ['as long as allowed', `a=${'x'.repeat(10)}`, 'accepted'],
    ['a value too long', `a=${'x'.repeat(11)}`, 'invalid_request'],
    ['a value too long once decoded', `a=${'%C3%A9'.repeat(6)}`, 'accepted'],
    ['everything too long', `a=${'%41'.repeat(13)}`, 'invalid_request'],
    ['as many as allowed', 'a=1&b=2&c=3', 'accepted'],
    ['one too many', 'a=1&b=2&c=3&d=4', 'invalid_request'],
    ['one too many, all empty', 'a&b&c&d', 'invalid_request'],
  ])('%s: %s', (_, text, expected) => {
    expect(codeOf(() => readParameters(text, limits))).toBe(expected)
  })

  test('names have an end too', () => {
    expect(codeOf(() => readParameters(`${'n'.repeat(256)}=1`))).toBe('accepted')
    expect(codeOf(() => readParameters(`${'n'.repeat(257)}=1`))).toBe('invalid_request')
    expect(codeOf(() => readParameters(`a=${'x'.repeat(16_384)}`))).toBe('accepted')
    expect(codeOf(() => readParameters(`a=${'x'.repeat(16_385)}`))).toBe('invalid_request')
    expect(codeOf(() => readParameters('x'.repeat(32_769)))).toBe('invalid_request')
  })
})

describe('a second reader, which decodes bytes, agrees', () => {
  /** The parameters, or undefined where any of them is repeated or is not percent-encoded UTF-8. */
  function readBytes(text: string): Map<string, string> | undefined {
    const found = new Map<string, string>()
    for (const pair of text.split('&').filter((one) => one.length > 0)) {
      const [, rawName = '', rawValue = ''] = /^([^=]*)=?([\s\S]*)$/.exec(pair) ?? []
      const [name, value] = [bytesOf(rawName), bytesOf(rawValue)]
      if (name === undefined || value === undefined || found.has(name)) return undefined
      found.set(name, value)
    }
    return found
  }

  function bytesOf(text: string): string | undefined {
    if (/%(?![0-9a-f]{2})/i.test(text)) return undefined
    const bytes = text.split(/(%..|\+)/).map((one) => {
      if (one.startsWith('%')) return Buffer.from(one.slice(1), 'hex')
      return Buffer.from(one === '+' ? ' ' : one)
    })
    try {
      const read = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes))
      return read.includes('\0') ? undefined : read
    } catch {
      return undefined
    }
  }

  const pieces =
    'a b c ab = = = & & & + %20 % %4 %41 %61 %C3%A9 %C3 %A9 é 🔑 %F0%9F%94%91 %ED%A0%80 %00 %26 %3D ; [] %5b \0 %EF%BB%BF \ufeff # ?'
  const piece = fc.constantFrom(...pieces.split(' '))
  test(`on ${runs} texts: nothing repeated or undecodable is ever accepted, nothing else refused`, () => {
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (list) => {
        const text = list.join('')
        const expected = readBytes(text)
        if (expected === undefined) {
          seen.refused++
          expect(codeOf(() => readParameters(text))).toBe('invalid_request')
        } else {
          seen.accepted++
          const full = [...expected].filter(([, value]) => value !== '')
          expect([...readParameters(text)]).toEqual(full)
        }
      }),
      { numRuns: runs },
    )
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(runs / 20)
  })
})

describe('encodeParameters', () => {
  const text = fc.string({ unit: character, minLength: 1, maxLength: 40 })
  test('what it writes is read back, by this reader and by the platform', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 8 }), (pairs) => {
        const encoded = encodeParameters(pairs)
        expect(encoded).toMatch(/^[A-Za-z0-9._~%=&-]*$/)
        expect([...readParameters(encoded)]).toEqual(pairs)
        expect([...new URLSearchParams(encoded)]).toEqual(pairs)
      }),
      { numRuns: Math.min(runs, 5000) },
    )
  })

  test('a reader that knows nothing of "+" reads it too', () => {
    expect(encodeParameters([['scope', "openid it's+(a)*!"]])).toBe('scope=openid%20it%27s%2B%28a%29%2A%21')
    expect(encodeParameters([])).toBe('')
    expect(encodeParameters([['a', '']])).toBe('a=')
  })
})

describe('parametersFromObject', () => {
  test('texts, numbers and switches are read; null and empty count as absent', () => {
    const body = JSON.parse('{"a":"x","n":7,"t":true,"f":false,"z":0,"nothing":null,"empty":"","__proto__":"p"}')
    expect([...parametersFromObject(body)]).toEqual([
      ...[['a', 'x'] as const, ['n', '7'] as const, ['t', 'true'] as const, ['f', 'false'] as const],
      ...[['z', '0'] as const, ['__proto__', 'p'] as const],
    ])
  })

  test.each([
    ['a list', '[]'],
    ['a text', '"a=1"'],
    ['nothing', 'null'],
    ['a list inside', '{"a":["1","2"]}'],
    ['an object inside', '{"a":{"b":"1"}}'],
    ['NUL', '{"a":"\\u0000"}'],
    ['half a character', '{"a":"\\ud800"}'],
    ['half a character in a name', '{"\\udfff":"1"}'],
    ['too long', JSON.stringify({ a: 'x'.repeat(16_385) })],
    ['too many', JSON.stringify(Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, 'x'])))],
  ])('refused: %s', (_, json) => {
    expect(codeOf(() => parametersFromObject(JSON.parse(json)))).toBe('invalid_request')
  })
})

describe('RFC 8707 §2 resource may be repeated', () => {
  test('in a form: one value with spaces between, in the order sent', () => {
    expect(readParameters('resource=https%3A%2F%2Fa&state=s&resource=https://b&resource=').get('resource')).toBe(
      'https://a https://b',
    )
    expect(readParameters('resource=').has('resource')).toBe(false)
  })

  test('in JSON: a list of texts', () => {
    expect(parametersFromObject({ resource: ['https://a', '', 'https://b'] }).get('resource')).toBe(
      'https://a https://b',
    )
    expect(parametersFromObject({ resource: 'https://a' }).get('resource')).toBe('https://a')
    expect(parametersFromObject({ resource: [] }).has('resource')).toBe(false)
    for (const resource of [[1], [['https://a']], { a: 'https://a' }])
      expect(() => parametersFromObject({ resource })).toThrow(/must be a string/)
    expect(() => parametersFromObject({ audience: ['https://a'] })).toThrow(/must be a string/)
  })

  test('all together keep within the limits of one', () => {
    const limits = { ...defaultLimits, value: 20, count: 5 }
    expect(() => readParameters('resource=https://abc&resource=https://def', limits)).toThrow(/longer than 20/)
    expect(() => readParameters('audience=a&audience=b')).toThrow(/repeated/)
  })
})
