/** Proves that the spec index reads tags and test names as people write them, and that a missing proof shows. */
import { describe, expect, test } from 'vitest'
import { readSections, taggedSections, testNames } from '../spec_references.ts'
import { holesOf, indexSections, renderIndex } from '../spec_table.ts'

const written = (text: string) => readSections(text).map(({ document, number }) => `${document} §${number}`)

describe('sections as they are written', () => {
  for (const [text, expected] of [
    ['RFC 6749 §4.2.2', ['RFC 6749 §4.2.2']],
    ['RFC 6749 §4.2.1 authorization request', ['RFC 6749 §4.2.1']],
    ['RFC 6749 §4.2.2, §4.2.2.1', ['RFC 6749 §4.2.2', 'RFC 6749 §4.2.2.1']],
    ['RFC 6749 §4.2.2, RFC 9207 §2.4', ['RFC 6749 §4.2.2', 'RFC 9207 §2.4']],
    ['RFC 6749 §4.2 and OpenID Connect Core §3.2', ['RFC 6749 §4.2', 'OpenID Connect Core §3.2']],
    ['the answer of RFC 6750 §3.1.', ['RFC 6750 §3.1']],
    ['OpenID Connect Core 1.0 §3.1.2.1', ['OpenID Connect Core §3.1.2.1']],
    ['OIDC Core §2', ['OpenID Connect Core §2']],
    ['RFC 7636 §A', ['RFC 7636 §A']],
    ['OAuth 2.0 Form Post Response Mode §2', ['OAuth 2.0 Form Post Response Mode §2']],
    ['nothing of the kind', []],
    ['§4.2 of nothing', []],
  ] as const) {
    test(text, () => expect(written(text)).toEqual(expected))
  }
})

describe('reading files', () => {
  test('a tag counts in any comment, more than one per file', () => {
    const text = '/** Makes it. @spec RFC 6749 §4.2.2 */\n/**\n * @spec RFC 6750 §3\n * @param x §9\n */'
    expect(taggedSections(text).map(({ number }) => number)).toEqual(['4.2.2', '3'])
  })

  test('names of groups and tests, with their modifiers, and nothing else', () => {
    const text = "describe('a', () => { test.skipIf(x)('b', f); it.each([1])('c', f); test(`d e`, f); other('f') })"
    expect(testNames('a.test.ts', text)).toEqual(['a', 'b', 'c', 'd e'])
  })
})

describe('the index', () => {
  const entries = indexSections([
    { path: 'packages/core/src/a.ts', text: '/** @spec RFC 6749 §4.2.2 */' },
    { path: 'packages/core/src/b.ts', text: '/** @spec RFC 6749 §4.10 */' },
    { path: 'packages/core/src/c.ts', text: '/** @spec RFC 6749 §4.2 */' },
    { path: 'packages/core/test/a.test.ts', text: "describe('RFC 6749 §4.2.2 the response', () => {})" },
    { path: 'test/flows/b.test.ts', text: "describe('RFC 9207 §2 issuer', () => {})" },
    { path: 'packages/core/test/c.test.ts', text: '// RFC 6749 §4.10 only in a comment' },
  ])

  test('is in the order of the numbers, and a test proves the sections above its own', () => {
    expect(entries.map(({ document, number, tests }) => [`${document} §${number}`, tests.length])).toEqual([
      ['RFC 6749 §4.2', 1],
      ['RFC 6749 §4.2.2', 1],
      ['RFC 6749 §4.10', 0],
      ['RFC 9207 §2', 1],
    ])
  })

  test('a section with code and no test is a hole, shown first', () => {
    expect(holesOf(entries).map(({ number }) => number)).toEqual(['4.10'])
    expect(renderIndex(entries)).toMatch(
      /## Holes\n\n.*\n.*\n\| RFC 6749 §4\.10 \| \[core\/src\/b\.ts\]\(.*\) \| \*\*none\*\* \|/,
    )
  })
})
