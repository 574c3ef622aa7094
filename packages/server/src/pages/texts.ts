/** Owns the message catalogue: every word a page or mail says, in each language, with its plurals and its direction. */
import { readdirSync, readFileSync } from 'node:fs'
import type { createRequire } from 'node:module'
import { escapeHtml } from './escape.ts'
import { matchTag } from './locale.ts'

export type Values = Readonly<Record<string, string | number>>

/** The texts of one language. */
export interface Texts {
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  /** A sentence with its values, as plain text. A number `count` chooses the plural, a word `context` a variant of the sentence. */
  t(key: string, values?: Values): string
  /** The same as HTML: the words escaped, each value escaped, isolated from the direction around it, and marked as a name. */
  marked(key: string, values?: Values): string
  /** "a, b and c". */
  list(items: readonly string[]): string
  /** Date and time of day, in UTC. `time` is milliseconds since 1970. */
  time(time: number): string
}

export interface Catalogue {
  /** The texts of the nearest language there is, English where there is none. */
  texts(locale: string): Texts
}

type Part = string | { readonly name: string }
const rightToLeft = new Set(['ar', 'fa', 'he', 'ur'])
const directory = new URL('./locales/', import.meta.url)

/** The languages that have texts. */
export function listLocales(): readonly string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
}

/** Opens the catalogue. A language is read when it is first used. */
export function openCatalogue(require: ReturnType<typeof createRequire>, locales = listLocales()): Catalogue {
  const { createInstance } = require('i18next') as typeof import('i18next')
  const opened = new Map<string, Texts>()
  const instance = createInstance()
  instance.init({
    lng: 'en',
    fallbackLng: 'en',
    initAsync: false,
    resources: { en: { translation: readLocale('en') } },
  })
  return {
    texts(locale) {
      const known = opened.get(locale)
      if (known !== undefined) return known
      const lang = matchTag(locale, locales) ?? 'en'
      const texts = opened.get(lang)
      if (texts !== undefined) return texts
      instance.addResourceBundle(lang, 'translation', readLocale(lang))
      const lookUp = instance.getFixedT(lang)
      const created = openTexts(lang, (key, choice) => lookUp(key, { skipInterpolation: true, ...choice }))
      opened.set(lang, created)
      return created
    },
  }
}

function readLocale(lang: string): object {
  return JSON.parse(readFileSync(new URL(`${lang}.json`, directory), 'utf8')) as object
}

/** What chooses between the variants of a sentence. */
interface Choice {
  readonly count?: number
  readonly context?: string
}

function openTexts(lang: string, lookUp: (key: string, choice: Choice) => string): Texts {
  const dir = rightToLeft.has(lang.split('-')[0] ?? '') ? 'rtl' : 'ltr'
  const numbers = new Intl.NumberFormat(lang)
  const plurals = new Intl.PluralRules(lang)
  const known = new Map<string, readonly Part[]>()

  // The library chooses the sentence; the values go in here, so that no value is ever read as a pattern.
  function parts(key: string, values: Values): readonly Part[] {
    const { count, context } = values
    const choice = {
      ...(typeof count === 'number' ? { count } : {}),
      ...(typeof context === 'string' ? { context } : {}),
    }
    const plural = choice.count === undefined ? '' : choice.count === 0 ? 'zero' : plurals.select(choice.count)
    const id = `${key} ${plural} ${choice.context ?? ''}`
    const cached = known.get(id)
    if (cached !== undefined) return cached
    const split = lookUp(key, choice).split(/\{\{(\w+)\}\}/)
    const found = split.map((text, index): Part => (index % 2 === 0 ? text : { name: text }))
    if (known.size < 2_000) known.set(id, found)
    return found
  }

  // A Latin name inside a right-to-left sentence would pull the punctuation around it over: isolate it.
  function plain(value: string | number | undefined): string {
    if (value === undefined || value === '') return ''
    if (typeof value === 'number') return numbers.format(value)
    return dir === 'rtl' ? `\u2068${value}\u2069` : value
  }

  function marked(value: string | number | undefined): string {
    const text = typeof value === 'number' ? numbers.format(value) : (value ?? '')
    return `<bdi class="name">${escapeHtml(text)}</bdi>`
  }

  return {
    lang,
    dir,
    t: (key, values = {}) =>
      parts(key, values)
        .map((part) => (typeof part === 'string' ? part : plain(values[part.name])))
        .join(''),
    marked: (key, values = {}) =>
      parts(key, values)
        .map((part) => (typeof part === 'string' ? escapeHtml(part) : marked(values[part.name])))
        .join(''),
    list: (items) => new Intl.ListFormat(lang, { type: 'conjunction' }).format(items),
    time: (time) =>
      new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(time),
  }
}
