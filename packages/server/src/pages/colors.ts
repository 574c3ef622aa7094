/** Owns the branding colours: strict reading, and the contrast that WCAG 2.2 AA asks for, in light and in dark. */
import type { Colors } from './models.ts'

type Rgb = readonly [number, number, number]

type Scheme = 'light' | 'dark'

const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]
const ink: Rgb = [22, 25, 29]
/** The card that texts and buttons stand on; the same values stand in the stylesheet. */
const cards: Readonly<Record<Scheme, Rgb>> = { light: white, dark: [25, 28, 33] }
const defaults: Readonly<Record<'primary' | Scheme, Rgb>> = {
  primary: [15, 95, 87],
  light: [244, 245, 243],
  dark: [15, 18, 21],
}
const cache = new Map<string, string>()

/** The colours of one scheme, by the name of their variable. */
export interface BrandColors {
  readonly brand: string
  readonly 'brand-ink': string
  readonly 'brand-hover': string
  readonly 'brand-edge': string
  readonly accent: string
  readonly page: string
  readonly 'page-ink': string
}

/** The colour variables of a page as CSS, for both schemes. */
export function brandStyle(colors: Colors | undefined): string {
  const key = `${colors?.primary} ${colors?.page_background}`
  const cached = cache.get(key)
  if (cached !== undefined) return cached
  const light = variables(brandColors('light', colors))
  const dark = variables(brandColors('dark', colors))
  const style = `:root{${light}}@media (prefers-color-scheme:dark){:root{${dark}}}`
  if (cache.size < 200) cache.set(key, style)
  return style
}

function variables(colors: BrandColors): string {
  return Object.entries(colors)
    .map(([name, color]) => `--${name}:${color}`)
    .join(';')
}

/**
 * Works out the colours of a scheme. Only hexadecimal colours are read, so nothing else can reach a page.
 * The primary colour is moved towards white or black just as far as its contrast needs: 4.5 to 1 for text, 3 to 1 for the
 * edge of a button and the focus ring. A page background that would glare in dark mode is left out there.
 */
export function brandColors(scheme: Scheme, colors: Colors | undefined): BrandColors {
  const primary = readHex(colors?.primary) ?? defaults.primary
  const card = cards[scheme]
  const away = scheme === 'light' ? ink : white
  const background = readHex(colors?.page_background)
  const page = background !== undefined && suits(scheme, background) ? background : defaults[scheme]
  // In light mode the brand's colour is kept as it is, and an edge added; in dark mode a dark brand would vanish.
  const brand = scheme === 'light' ? primary : mixUntil(primary, white, card, 3)
  const text = readable(brand)
  return {
    brand: toHex(brand),
    'brand-ink': toHex(text),
    'brand-hover': toHex(mix(brand, text === white ? black : white, 0.16)),
    'brand-edge': toHex(mixUntil(brand, away, card, 3)),
    // A thin line of text on dark looks dimmer than its ratio says.
    accent: toHex(mixUntil(primary, away, card, scheme === 'light' ? 4.6 : 6.5)),
    page: toHex(page),
    'page-ink': toHex(mixUntil(mix(readable(page), page, 0.3), readable(page), page, 4.6)),
  }
}

function suits(scheme: Scheme, background: Rgb): boolean {
  return scheme === 'light' || luminance(background) < 0.08
}

/** Reads `#rgb` or `#rrggbb`; undefined for anything else. */
export function readHex(text: string | undefined): Rgb | undefined {
  if (text === undefined || !/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text)) return undefined
  const digits = text.length === 4 ? [...text.slice(1)].map((digit) => digit + digit).join('') : text.slice(1)
  const value = Number.parseInt(digits, 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

function toHex(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`
}

/** White, else near-black, else black: the first that reads at 4.5 to 1; of white and black one always does. */
function readable(color: Rgb): Rgb {
  return [white, ink].find((text) => contrast(color, text) >= 4.5) ?? black
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * share)
  return [part(0), part(1), part(2)]
}

function mixUntil(from: Rgb, to: Rgb, against: Rgb, wanted: number): Rgb {
  for (let step = 0; step < 50; step++) {
    const mixed = mix(from, to, step / 50)
    if (contrast(mixed, against) >= wanted) return mixed
  }
  return to
}

/** The contrast ratio of two colours, from 1 to 21. @spec WCAG 2.2 §1.4.3 */
export function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)
}

function luminance(color: Rgb): number {
  const [r = 0, g = 0, b = 0] = color.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
