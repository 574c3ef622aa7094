/** Owns the keywords of a tenant file: `##NAME##` stands for a text as it is, `@@NAME@@` for a value as JSON, with or without quotes. */
import type { Keywords } from './keyword_sources.ts'

const marker = /(["']?)@@([A-Za-z0-9_.-]+)@@\1|##([A-Za-z0-9_.-]+)##/g

export interface Unresolved {
  readonly name: string
  /** Stands in the text for the marker, so that a marker in a comment does no harm. */
  readonly placeholder: string
  /** Where the marker stands in the file. */
  readonly offset: number
  readonly sentence: string
}

export interface Replaced {
  readonly text: string
  /** The place in the file of a place in the text. */
  original(offset: number): number
  readonly unresolved: readonly Unresolved[]
}

interface Piece {
  /** Where it begins in the text, and in the file. */
  readonly from: number
  readonly original: number
  /** True for the file's own characters, false for the value of a keyword. */
  readonly verbatim: boolean
}

export function replaceKeywords(file: string, keywords: Keywords): Replaced {
  const pieces: Piece[] = []
  const unresolved: Unresolved[] = []
  let text = ''
  let done = 0
  const add = (part: string, original: number, verbatim: boolean) => {
    pieces.push({ from: text.length, original, verbatim })
    text += part
  }
  for (const match of file.matchAll(marker)) {
    add(file.slice(done, match.index), done, true)
    const value = replacementFor(match, keywords)
    if ('problem' in value) {
      const placeholder = `\u{e000}${unresolved.length}\u{e001}`
      unresolved.push({ name: value.name, placeholder, offset: match.index, sentence: value.problem })
      add(`${match[1] ?? ''}${placeholder}${match[1] ?? ''}`, match.index, false)
    } else add(value.text, match.index, false)
    done = match.index + match[0].length
  }
  add(file.slice(done), done, true)
  return { text, unresolved, original: (offset) => originalOf(pieces, offset) }
}

type Value = { readonly text: string } | { readonly name: string; readonly problem: string }

function replacementFor(match: RegExpMatchArray, keywords: Keywords): Value {
  const [, , asJson, asText] = match
  const name = asJson ?? asText ?? ''
  if (!Object.hasOwn(keywords, name) || keywords[name] === undefined) {
    return {
      name,
      problem: `The keyword ${name} has no value: set it in the environment, in a file given with --env, or with --define ${name}=….`,
    }
  }
  const value = keywords[name]
  if (asJson !== undefined) return { text: jsonText(value, keywords) }
  if (typeof value === 'object') {
    return { name, problem: `The value of ${name} is a list or an object: write @@${name}@@ in place of ##${name}##.` }
  }
  return { text: String(value) }
}

/** Variables hold text alone, so a text that is JSON means its value. */
function jsonText(value: unknown, keywords: Keywords): string {
  const parsed = typeof value === 'string' ? parsedOr(value) : value
  // A value may itself hold text keywords, as in the Deploy CLI.
  return JSON.stringify(parsed).replace(/##([A-Za-z0-9_.-]+)##/g, (whole, name: string) => {
    const inner = Object.hasOwn(keywords, name) ? keywords[name] : undefined
    return typeof inner === 'string' ? JSON.stringify(inner).slice(1, -1) : whole
  })
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function originalOf(pieces: readonly Piece[], offset: number): number {
  const piece = pieces.findLast(({ from }) => from <= offset)
  if (piece === undefined) return offset
  return piece.verbatim ? piece.original + offset - piece.from : piece.original
}
