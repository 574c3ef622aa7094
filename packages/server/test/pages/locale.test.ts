import { describe, expect, test } from 'vitest'
import { pickLocale } from '../../src/pages/index.ts'

describe('OpenID Connect Core §3.1.2.1 ui_locales, by the lookup of RFC 4647 §3.4', () => {
  const enabled = ['en', 'ar', 'pt-BR', 'de']
  for (const [ui_locales, accept, expected] of [
    [undefined, undefined, 'en'],
    ['ar', undefined, 'ar'],
    ['ar-EG', undefined, 'ar'],
    ['AR', undefined, 'ar'],
    ['pt', undefined, 'pt-BR'],
    ['pt_BR', undefined, 'pt-BR'],
    ['fr de', undefined, 'de'],
    ['fr', 'de', 'de'],
    ['fr', undefined, 'en'],
    [undefined, 'de;q=0.5, ar;q=0.9', 'ar'],
    [undefined, 'de;q=0, ar', 'ar'],
    [undefined, 'fr-FR, fr;q=0.9, *;q=0.1', 'en'],
    [undefined, 'de-AT-1996, en;q=0.2', 'de'],
    ['../../etc', '<script>, ;;;q=,,', 'en'],
    ['x'.repeat(100_000), ','.repeat(100_000), 'en'],
    [undefined, 'de;q=banana', 'en'],
    ['ar', 'de', 'ar'],
  ] as const) {
    test(`${String(ui_locales).slice(0, 20)} and ${String(accept).slice(0, 30)} choose ${expected}`, () => {
      expect(pickLocale(ui_locales, accept, enabled)).toBe(expected)
    })
  }

  test('without enabled languages it is English', () => {
    expect(pickLocale('ar', undefined, [])).toBe('en')
  })
})
