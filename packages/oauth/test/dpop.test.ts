/** What a DPoP proof must say: its key, its claims, and the address that it is for. */
import { describe, expect, test } from 'vitest'
import { dpopAlgorithms, isProofShaped, isSameTarget, proofClaims, proofKey } from '../src/index.ts'

const ec = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }
const okp = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }
const rsa = { kty: 'RSA', n: `s${'A'.repeat(341)}`, e: 'AQAB' }
const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: ec }

describe('RFC 9449 §11.6 algorithms', () => {
  test('are asymmetric, and none is not among them', () => {
    expect([...dpopAlgorithms].sort()).toEqual(['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])
    for (const alg of ['none', 'HS256', 'ES384', 'RS1', 'constructor', '__proto__', undefined, null, ['ES256']])
      expect(typeof proofKey({ ...header, alg })).toBe('string')
  })
})

describe('RFC 9449 §4.2 the header of a proof', () => {
  test.each([
    ['ES256', ec],
    ['EdDSA', okp],
    ['Ed25519', okp],
    ['RS256', rsa],
    ['PS256', rsa],
  ])('%s: the key comes without what does not belong to it', (alg, jwk) => {
    expect(proofKey({ ...header, alg, jwk: { ...jwk, kid: 'x', use: 'enc', key_ops: ['encrypt'] } })).toEqual(jwk)
  })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('a key with the private member %s is refused', (member) => {
    for (const jwk of [ec, rsa])
      expect(proofKey({ ...header, jwk: { ...jwk, [member]: '' } })).toMatch(/public key alone/)
  })

  test.each([
    ['typ', undefined],
    ['typ', 'DPOP+JWT'],
    ['typ', 'application/dpop+jwt'],
    ['crit', []],
    ['jwk', null],
    ['jwk', [ec]],
    ['jwk', rsa],
    ['jwk', { ...ec, crv: 'P-384' }],
    ['jwk', { ...ec, x: 1 }],
    ['jwk', { ...ec, x: 'A=' }],
    ['jwk', { kty: 'EC', crv: 'P-256', x: ec.x }],
    ['jwk', { ...ec, kty: 'OKP' }],
  ])('%s %j is refused', (member, value) => {
    expect(typeof proofKey({ ...header, [member]: value })).toBe('string')
  })
})

describe('RFC 7518 §3.3 the size of RSA keys', () => {
  test.each([
    ['too short', { n: 's'.repeat(341) }],
    ['too long', { n: `s${'A'.repeat(1366)}` }],
    ['with leading zeros', { n: 'A'.repeat(342) }],
    ['with an exponent to keep the server busy', { e: 's'.repeat(400) }],
  ])('%s', (_name, change) => {
    expect(proofKey({ ...header, alg: 'RS256', jwk: { ...rsa, ...change } })).toMatch(/2048 to 8192|not a key/)
  })
})

describe('RFC 9449 §4.3 the claims of a proof', () => {
  const expected = { method: 'GET', url: 'https://api.example.com/a', now: 1000, ath: 'hash' }
  const claims = { jti: 'x', htm: 'GET', htu: expected.url, iat: 1000, ath: 'hash' }

  test('are given back where they are right', () => {
    expect(proofClaims(claims, expected)).toEqual({ jti: 'x', iat: 1000 })
    expect(proofClaims({ ...claims, nonce: 'n' }, expected)).toEqual({ jti: 'x', iat: 1000, nonce: 'n' })
    const { ath: _ath, ...without } = expected
    expect(proofClaims({ ...claims, ath: undefined }, without)).toEqual({ jti: 'x', iat: 1000 })
  })

  test.each([
    [1060, true],
    [1061, false],
    [700, true],
    [699, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    ['1000', false],
    [undefined, false],
  ])('iat %s: %s', (iat, accepted) => {
    expect(typeof proofClaims({ ...claims, iat }, expected) === 'object').toBe(accepted)
  })
})

describe('RFC 9449 §4.3 the address', () => {
  const url = 'https://api.example.com/a/b%2Fc'
  test.each([
    url,
    'HTTPS://API.EXAMPLE.COM/a/b%2Fc',
    'https://api.example.com:443/a/b%2fc',
    'https://api.example.com/%61/b%2Fc',
    'https://api.example.com/x/../a/b%2Fc',
    `${url}?query#fragment`,
  ])('%s is the same', (htu) => expect(isSameTarget(htu, url)).toBe(true))

  test.each([
    '',
    '/a/b%2Fc',
    'https://api.example.com/a/b/c',
    'https://api.example.com/A/b%2Fc',
    'https://api.example.com/a/b%2Fc/',
    'https://api.example.com:8443/a/b%2Fc',
    'http://api.example.com/a/b%2Fc',
    'https://api.example.com.evil.example/a/b%2Fc',
    'https://api.example.com@evil.example/a/b%2Fc',
    'https://evil.example\\@api.example.com/a/b%2Fc',
    'https://user@api.example.com/a/b%2Fc',
    'ftp://api.example.com/a/b%2Fc',
    ' https://api.example.com/a/b%2Fc',
  ])('%j is another', (htu) => expect(isSameTarget(htu, url)).toBe(false))
})

describe('RFC 4648 §3.5 one spelling of a proof', () => {
  test.each([
    '',
    'a',
    'AAAA.AAAA',
    'AAAA.AAAA.',
    'AAAA..AAAA',
    'AAAA.AAAA.AAAA.AAAA',
    'AAAA.AAAA.AB',
    'AAAA.AAAA.AA==',
    'AAAA.AA A.AAAA',
    `AAAA.AAAA.${'A'.repeat(8192)}`,
  ])('%#: no proof', (text) => expect(isProofShaped(text)).toBe(false))
  test('three parts', () => expect(isProofShaped('AAAA.AAA.AA')).toBe(true))
})
