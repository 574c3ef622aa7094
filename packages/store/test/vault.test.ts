/** Keyed hashes and sealed texts: with the right secret, the wrong one, an older one, and after tampering. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equal, openVault } from '../src/index.ts'
import { secrets } from './support/stores.ts'

const old = openVault([secrets.old])
const rotated = openVault([secrets.current, secrets.old])
const other = openVault([secrets.other])

/** Any character but NUL: a byte's worth of them as often as all the others. */
const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code))

describe('secrets', () => {
  test('one is needed, and none may be short', () => {
    expect(() => openVault([])).toThrow(/LATCHKEY_SECRET/)
    expect(() => openVault(['x'.repeat(31)])).toThrow(/32 characters or more/)
    expect(() => openVault([secrets.current, 'short'])).toThrow(/32 characters or more/)
    expect(() => openVault(['x'.repeat(31)])).not.toThrow(/x{31}/)
  })
})

describe('keyed hashes', () => {
  test('are 256 bits, the same each time, and of this secret, kind and value alone', () => {
    const hash = old.hash('session', 'value')
    expect(Buffer.from(hash, 'base64url')).toHaveLength(32)
    expect(openVault([secrets.old]).hash('session', 'value')).toBe(hash)
    const others = [old.hash('silent', 'value'), old.hash('session', 'Value'), other.hash('session', 'value')]
    expect(new Set([hash, old.derive('session', 'value'), ...others]).size).toBe(5)
    expect(hash).not.toBe(createHmac('sha256', secrets.old).update('session\nvalue').digest('base64url'))
  })

  test('what was derived before the secret was rotated is known', () => {
    expect(rotated.derivations('silent', 'value')).toEqual([
      rotated.derive('silent', 'value'),
      old.derive('silent', 'value'),
    ])
    expect(old.derivations('silent', 'value')).toEqual([old.derive('silent', 'value')])
  })

  test('a kind cannot pass for another one with a longer value', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z ]{1,9}$/),
        fc.stringMatching(/^[a-z ]{1,9}$/),
        fc.string(),
        (a, b, value) => {
          fc.pre(a !== b)
          expect(old.hash(a, value)).not.toBe(old.hash(b, value))
          expect(old.derive(a, value)).not.toBe(old.hash(a, value))
        },
      ),
    )
  })

  test('a rotated secret: new hashes are of the new one, old hashes are still found', () => {
    const before = old.hash('client_secret', 's')
    expect(rotated.hash('client_secret', 's')).toBe(openVault([secrets.current]).hash('client_secret', 's'))
    expect(rotated.hash('client_secret', 's')).not.toBe(before)
    expect(rotated.hashes('client_secret', 's')).toEqual([rotated.hash('client_secret', 's'), before])
    expect(rotated.matches('client_secret', 's', before)).toBe(true)
    expect(rotated.matches('client_secret', 's', rotated.hash('client_secret', 's'))).toBe(true)
    expect(other.matches('client_secret', 's', before)).toBe(false)
    expect(rotated.matches('client_secret', 't', before)).toBe(false)
    expect(rotated.matches('session', 's', before)).toBe(false)
    expect(rotated.matches('client_secret', 's', '')).toBe(false)
    expect(rotated.matches('client_secret', '', '')).toBe(false)
  })

  test('equal compares whole texts', () => {
    expect(equal('abc', 'abc')).toBe(true)
    expect(['abd', 'ab', 'abcd', '', 'ABC'].map((text) => equal('abc', text))).toEqual(Array(5).fill(false))
    expect(equal('', '')).toBe(true)
    expect(equal('é', 'e\u0301')).toBe(false)
  })
})

describe('sealed texts', () => {
  test('open with any secret still known, never with another', () => {
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        const sealed = old.seal(text)
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/)
        expect([old.open(sealed), rotated.open(sealed)]).toEqual([text, text])
        expect(rotated.open(rotated.seal(text))).toBe(text)
        expect(() => old.open(rotated.seal(text))).toThrow(/LATCHKEY_SECRET/)
        expect(() => other.open(sealed)).toThrow(/LATCHKEY_SECRET/)
      }),
      { numRuns: 50 },
    )
  })

  test('are never twice the same, and do not show their text', () => {
    const [one, two] = [old.seal('private key'), old.seal('private key')]
    expect(one).not.toBe(two)
    expect(Buffer.from(one, 'base64url').includes('private')).toBe(false)
  })

  test('any changed bit, any cut and any addition is refused, with the sentence that says what to do', () => {
    const sealed = Buffer.from(rotated.seal('-----BEGIN PRIVATE KEY-----'), 'base64url')
    const open = (bytes: Buffer) => () => rotated.open(bytes.toString('base64url'))
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(open(changed)).toThrow(/LATCHKEY_SECRET/)
    }
    for (let length = 0; length < sealed.length; length++)
      expect(open(sealed.subarray(0, length))).toThrow(/LATCHKEY_SECRET/)
    expect(open(Buffer.concat([sealed, Buffer.of(0)]))).toThrow(/LATCHKEY_SECRET/)
    expect(() => rotated.open('not sealed at all')).toThrow(/LATCHKEY_SECRET/)
  })
})
