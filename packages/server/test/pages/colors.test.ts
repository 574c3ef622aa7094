import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { brandColors, brandStyle, contrast, readHex } from '../../src/pages/colors.ts'

const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)
const cards = { light: '#ffffff', dark: '#191c21' }

function ratio(a: string, b: string): number {
  const [left, right] = [readHex(a), readHex(b)]
  if (left === undefined || right === undefined) throw new Error(`${a} or ${b} is no colour`)
  return contrast(left, right)
}

describe('WCAG 2.2 §1.4.3 and §1.4.11 contrast of any branding', () => {
  for (const scheme of ['light', 'dark'] as const) {
    test(`texts reach 4.5 and edges 3 in ${scheme}, whatever the administrator chose`, () => {
      fc.assert(
        fc.property(hex, hex, (primary, page_background) => {
          const colors = brandColors(scheme, { primary, page_background })
          expect(ratio(colors['brand-ink'], colors.brand)).toBeGreaterThanOrEqual(4.5)
          expect(ratio(colors['brand-ink'], colors['brand-hover'])).toBeGreaterThanOrEqual(4.5)
          expect(ratio(colors['brand-edge'], cards[scheme])).toBeGreaterThanOrEqual(3)
          expect(ratio(colors.accent, cards[scheme])).toBeGreaterThanOrEqual(4.5)
          expect(ratio(colors['page-ink'], colors.page)).toBeGreaterThanOrEqual(4.5)
        }),
        { numRuns: 2_000 },
      )
    })
  }

  test('a readable brand colour is kept in light mode', () => {
    expect(brandColors('light', { primary: '#3B5BDB' })).toMatchObject({ brand: '#3b5bdb', accent: '#3b5bdb' })
  })

  test('a bright page background is left out in dark mode', () => {
    expect(brandColors('dark', { page_background: '#ffffff' }).page).toBe(brandColors('dark', {}).page)
    expect(brandColors('dark', { page_background: '#001030' }).page).toBe('#001030')
  })

  for (const bad of ['red', 'url(x)', '#12', '#12345g', '#fff}body{display:none', 'var(--x)', '#ffffff80', '']) {
    test(`${JSON.stringify(bad)} is no colour and changes nothing`, () => {
      expect(brandStyle({ primary: bad, page_background: bad })).toBe(brandStyle(undefined))
    })
  }
})
