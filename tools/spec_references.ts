/** Owns how a section of a specification is written in the code and in the names of tests, and how it is read from there. */
import { parseSync } from 'vite'

export interface Section {
  /** `RFC 6749`, `OpenID Connect Core`, … */
  readonly document: string
  /** `4.2.2`. */
  readonly number: string
}

/** Names that mean the same document. */
const ALIASES: readonly (readonly [RegExp, string])[] = [
  [/^OIDC /, 'OpenID Connect '],
  [/ 1\.0$/, ''],
  [/^RFC(?=\d)/, 'RFC '],
]

/**
 * Reads `RFC 6749 §4.2.2, §4.2.2.1, OpenID Connect Core §3.2.2.5 and whatever follows`.
 * A section without a document belongs to the one before it.
 */
export function readSections(text: string): Section[] {
  const sections: Section[] = []
  let document = ''
  for (const [, before = '', number = ''] of text.matchAll(/([^§]*)§\s*([A-Z]?\d*(?:\.\d+)*)/g)) {
    const named = documentIn(before)
    if (named !== undefined) document = named
    if (document !== '' && number !== '') sections.push({ document, number })
  }
  return sections
}

/** The document named at the end of a piece of text: an RFC or OpenID specification anywhere in a sentence, others between commas. */
function documentIn(text: string): string | undefined {
  const known = /(?:RFC ?\d+|(?:OIDC|OpenID Connect)(?: [A-Z][\w-]*)+)(?: 1\.0)?\s*$/.exec(text)?.[0]
  const name = (known ?? text.split(/[,;:(]|\band\b/).at(-1) ?? '').trim().replace(/\s+/g, ' ')
  if (name === '') return undefined
  return ALIASES.reduce((value, [pattern, replacement]) => value.replace(pattern, replacement), name)
}

/** The sections that the `@spec` tags of a source file name. */
export function taggedSections(text: string): Section[] {
  const tags = [...text.matchAll(/@spec[ \t]+([^\n]*)/g)]
  return tags.flatMap(([, tag = '']) => readSections(tag.replace(/\*\/.*$/, '')))
}

interface Call {
  readonly type: string
  readonly [key: string]: unknown
}

/** The names of the tests and groups in a test file, as far as they stand there as text. */
export function testNames(path: string, text: string): string[] {
  const names: string[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) walk(item)
    if (!isNode(value)) return
    if (value.type === 'CallExpression' && Array.isArray(value.arguments) && isTestFunction(value.callee)) {
      const name = literalText(value.arguments[0])
      if (name !== undefined) names.push(name)
    }
    for (const child of Object.values(value)) walk(child)
  }
  walk(parseSync(path, text).program)
  return names
}

/** `describe(…)`, `test.skipIf(…)(…)`, `describe.each([…])(…)` and the like. */
function isTestFunction(callee: unknown): boolean {
  if (!isNode(callee)) return false
  if (callee.type === 'Identifier') return /^(?:describe|test|it)$/.test(String(callee.name))
  if (callee.type === 'MemberExpression') return isTestFunction(callee.object)
  return callee.type === 'CallExpression' && isTestFunction(callee.callee)
}

function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis)) return undefined
  return node.quasis.map((part) => (isNode(part) && isRaw(part.value) ? part.value.raw : '')).join('…')
}

function isRaw(value: unknown): value is { readonly raw: string } {
  return typeof value === 'object' && value !== null && 'raw' in value && typeof value.raw === 'string'
}

function isNode(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
