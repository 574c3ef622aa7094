import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { problems } from '../../src/pages/problems.ts'
import { openCatalogue } from '../../src/pages/texts.ts'

const pages = new URL('../../src/pages/', import.meta.url)
const languages = ['en', 'ar'] as const
const catalogue = openCatalogue(createRequire(import.meta.url))
const entries = Object.fromEntries(languages.map((lang) => [lang, readEntries(lang)]))

function readEntries(lang: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const walk = (node: unknown, path: string): void => {
    if (typeof node === 'string') found.set(path, node)
    else if (typeof node === 'object' && node !== null) {
      for (const [key, value] of Object.entries(node)) walk(value, path === '' ? key : `${path}.${key}`)
    }
  }
  walk(JSON.parse(readFileSync(new URL(`locales/${lang}.json`, pages), 'utf8')), '')
  return found
}

/** Splits the plural off a key; only sentences that count have one. */
function base(key: string): { readonly name: string; readonly plural: string | undefined } {
  const [, name, plural] = /^(.*(?:length|minutes|hours|days))_(zero|one|two|few|many|other)$/.exec(key) ?? []
  return { name: name ?? key, plural }
}

function placeholders(text: string): readonly string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '').toSorted()
}

const english = entries.en ?? new Map<string, string>()

describe('the message catalogue', () => {
  for (const lang of languages) {
    const own = entries[lang] ?? new Map<string, string>()

    test(`${lang} has exactly the sentences of English`, () => {
      const names = (map: ReadonlyMap<string, string>) =>
        [...new Set([...map.keys()].map((key) => base(key).name))].toSorted()
      expect(names(own)).toEqual(names(english))
    })

    test(`${lang} has every plural its language has`, () => {
      const plurals = new Map<string, string[]>()
      for (const key of own.keys()) {
        const { name, plural } = base(key)
        if (plural !== undefined) plurals.set(name, [...(plurals.get(name) ?? []), plural])
      }
      expect(plurals.size).toBeGreaterThan(0)
      const categories = new Intl.PluralRules(lang).resolvedOptions().pluralCategories.toSorted()
      for (const found of plurals.values()) expect(found.toSorted()).toEqual(categories)
    })

    test(`${lang} has the same placeholders in every sentence`, () => {
      for (const [key, text] of own) {
        const { name, plural } = base(key)
        const expected = placeholders(english.get(key) ?? english.get(`${name}_other`) ?? '')
        // "One minute" and "two minutes" may be words without the number.
        const wanted = ['zero', 'one', 'two'].includes(plural ?? '') ? placeholders(text) : expected
        expect(placeholders(text), key).toEqual(wanted)
        expect(text, key).not.toBe('')
        expect(text, key).not.toMatch(/[<>]|\{\{(?!\w+\}\})/)
      }
    })
  }

  test('the second language is not English', () => {
    const same = [...english].filter(([key, text]) => entries.ar?.get(key) === text).map(([key]) => key)
    expect(same).toEqual(['page_title'])
  })

  test('every sentence that a template or a problem names exists', () => {
    const files = readdirSync(new URL('templates/', pages), { recursive: true, encoding: 'utf8' })
    const keys = files
      .filter((file) => file.endsWith('.liquid'))
      .flatMap((file) => {
        const text = readFileSync(new URL(`templates/${file}`, pages), 'utf8')
        return [...text.matchAll(/'([a-z_.]+)' \| (?:t|marked)\b/g), ...text.matchAll(/label: '([a-z_.]+)'/g)]
      })
      .map((match) => match[1] ?? '')
    expect(keys.length).toBeGreaterThan(80)
    for (const key of [...keys, ...Object.keys(problems).map((code) => `problems.${code}`)]) {
      expect(english.has(key), key).toBe(true)
    }
  })

  test('a number chooses the plural, in each language', () => {
    expect(catalogue.texts('en').t('lifetime.days', { count: 1 })).toBe('The link works for 1 day, and once.')
    expect(catalogue.texts('en').t('lifetime.days', { count: 5 })).toBe('The link works for 5 days, and once.')
    const arabic = [0, 1, 2, 3, 11, 100].map((count) => catalogue.texts('ar').t('lifetime.days', { count }))
    expect(new Set(arabic.map((text) => text.replaceAll(/\d/g, ''))).size).toBe(5)
  })

  test('a value is never read as a pattern', () => {
    const client = '$t(error.title) {{tenant}} {{- tenant}}'
    expect(catalogue.texts('en').t('login.to_client', { client, tenant: 'no' })).toBe(`to continue to ${client}`)
  })

  test('a value in a right-to-left sentence is isolated', () => {
    expect(catalogue.texts('ar').dir).toBe('rtl')
    expect(catalogue.texts('ar').t('login.heading', { tenant: 'Acme' })).toContain('\u2068Acme\u2069')
    expect(catalogue.texts('en').t('login.heading', { tenant: 'Acme' })).toBe('Log in to Acme')
  })

  test('an unknown language falls back to English, a regional one to its language', () => {
    expect(catalogue.texts('xx').lang).toBe('en')
    expect(catalogue.texts('../../etc/passwd').lang).toBe('en')
    expect(catalogue.texts('ar-EG').lang).toBe('ar')
  })
})
