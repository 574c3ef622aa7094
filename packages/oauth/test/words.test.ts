/** The space-separated lists, and the two alphabets of RFC 6749. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  asDescription,
  errorCodes,
  isScopeText,
  OAuthError,
  reservedScopes,
  sameWords,
  scopeClaims,
  words,
} from '../src/index.ts'

/** Any character but NUL: a byte's worth of them as often as all the others. */
const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code))

describe('RFC 6749 §3.3 scope', () => {
  test.each<[string | undefined, readonly string[]]>([
    [undefined, []],
    ['', []],
    [' ', []],
    ['openid', ['openid']],
    ['openid profile', ['openid', 'profile']],
    ['  openid   profile ', ['openid', 'profile']],
    ['b a b a', ['b', 'a']],
    ['a\tb', ['a\tb']],
  ])('%j is the list %j', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  test('case counts', () => {
    expect(words('Openid openid')).toEqual(['Openid', 'openid'])
    expect(sameWords(['Token'], ['token'])).toBe(false)
  })

  test('the order does not', () => {
    expect(sameWords(['id_token', 'token'], ['token', 'id_token'])).toBe(true)
    expect(sameWords([], [])).toBe(true)
    expect(sameWords(['a'], ['a', 'b'])).toBe(false)
    expect(sameWords(['a', 'b'], ['a'])).toBe(false)
    expect(sameWords(['a', 'b'], ['a', 'c'])).toBe(false)
  })

  test('what words gives, joined and split again, is the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(' ', 'a', 'b', ':', 'é') }), (text) => {
        const list = words(text)
        expect(words(list.join(' '))).toEqual(list)
        expect(new Set(list).size).toBe(list.length)
        expect(sameWords(list, list.toReversed())).toBe(true)
      }),
    )
  })

  test('a scope-token is %x21 / %x23-5B / %x5D-7E, and nothing else passes', () => {
    for (let code = 0; code <= 0x2ff; code++) {
      const allowed = code === 0x20 || code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e)
      expect([code, isScopeText(`a${String.fromCharCode(code)}`)]).toEqual([code, allowed])
    }
    expect(isScopeText('')).toBe(true)
    expect(isScopeText('read:a\n')).toBe(false)
    expect(isScopeText('🔑')).toBe(false)
  })
})

describe('RFC 6749 §5.2 error response', () => {
  test('every character outside %x20-21 / %x23-5B / %x5D-7E is replaced in a description', () => {
    for (let code = 0; code <= 0x2ff; code++) {
      const text = asDescription(String.fromCharCode(code))
      expect(text).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]$/)
      const kept = code === 0x20 || code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e)
      expect(text === String.fromCharCode(code)).toBe(kept)
    }
  })

  test('whatever goes in, the description and the code fit the wire', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        const error = new OAuthError('invalid_request', text)
        expect(error.description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
        expect(error.description).toHaveLength(text.length)
      }),
    )
    for (const [code, { status, spec }] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[a-z_]+$/)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
      expect(spec).toMatch(/ §\d/)
    }
  })

  test('an error keeps its cause and its explanation away from the description', () => {
    const cause = new Error('secret')
    const explanation = { summary: 'why', fix: 'how' }
    const error = new OAuthError('access_denied', 'no', { cause, explanation })
    expect(error).toMatchObject({ name: 'OAuthError', code: 'access_denied', status: 403, description: 'no', cause })
    expect(error.explanation).toBe(explanation)
    expect(error.message).toBe('access_denied: no')
    expect('cause' in new OAuthError('access_denied', 'no')).toBe(false)
  })
})

describe('OpenID Connect Core §5.4 scopes and their claims', () => {
  test('profile stands for fourteen claims, and every scope with claims is reserved', () => {
    expect(scopeClaims.profile).toHaveLength(14)
    expect(scopeClaims.email).toEqual(['email', 'email_verified'])
    expect(scopeClaims.phone).toEqual(['phone_number', 'phone_number_verified'])
    expect(scopeClaims.address).toEqual(['address'])
    for (const scope of Object.keys(scopeClaims)) expect(reservedScopes).toContain(scope)
    expect(reservedScopes).toContain('offline_access')
  })
})
