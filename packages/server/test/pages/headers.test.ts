import { describe, expect, test } from 'vitest'
import { contentSecurityPolicy, formActionSource, imageSources } from '../../src/pages/index.ts'

const parts = { nonce: 'AAAAAAAAAAAAAAAAAAAAAA', form_action: [], frame_ancestors: [], img_src: [] }

describe('CSP Level 3 §6 the policy of a page', () => {
  test('allows nothing but its own files, its nonce and what is listed', () => {
    expect(
      contentSecurityPolicy({
        ...parts,
        form_action: ['https://app.example', 'com.example.app:'],
        img_src: ['https://cdn.example', 'https://cdn.example'],
      }),
    ).toBe(
      "default-src 'none'; style-src 'self' 'nonce-AAAAAAAAAAAAAAAAAAAAAA'; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'self'; " +
        "img-src 'self' https://cdn.example; form-action 'self' https://app.example com.example.app:; frame-ancestors 'none'; base-uri 'none'",
    )
  })

  test('names the origins that may frame', () => {
    expect(contentSecurityPolicy({ ...parts, frame_ancestors: ['http://localhost:8401'] })).toContain(
      'frame-ancestors http://localhost:8401;',
    )
  })

  for (const source of [
    '*',
    "'self'",
    'https://a.example; script-src *',
    'https://a.example,b',
    'https://a.example/x',
    '\r\n',
    'https://*.a',
    'http://[::1]:8401',
    'http://a;b.example',
  ]) {
    test(`${JSON.stringify(source)} is left out of the policy`, () => {
      const strict = contentSecurityPolicy(parts)
      expect(contentSecurityPolicy({ ...parts, form_action: [source] })).toBe(strict)
      expect(contentSecurityPolicy({ ...parts, frame_ancestors: [source] })).toBe(strict)
      expect(contentSecurityPolicy({ ...parts, img_src: [source] })).toBe(strict)
    })
  }

  for (const nonce of ['', 'short', "x'; script-src *", 'AAAAAAAAAAAAAAAAAAAA AA']) {
    test(`${JSON.stringify(nonce)} is refused as a nonce`, () => {
      expect(() => contentSecurityPolicy({ ...parts, nonce })).toThrow(RangeError)
    })
  }

  for (const [uri, source] of [
    ['https://app.example/cb?x=1', 'https://app.example'],
    ['http://localhost:8401/cb', 'http://localhost:8401'],
    ['com.example.app:/cb', 'com.example.app:'],
    ['http://[::1]:8401/cb', 'http:'],
    ['javascript:alert(1)', undefined],
    ['no uri', undefined],
  ] as const) {
    test(`a form may lead to ${uri} by ${source}`, () => expect(formActionSource(uri)).toBe(source))
  }

  test('pictures come from the origins of http and https addresses alone', () => {
    expect(
      imageSources([
        'https://a.example/1.png',
        'https://a.example/2.png',
        undefined,
        'javascript:x',
        'data:x',
        'nonsense',
      ]),
    ).toEqual(['https://a.example'])
  })
})
