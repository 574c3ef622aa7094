/** Owns reading the text of a tenant file: keywords, YAML, and where in the file each value stands. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type ParsedNode, parseDocument, visit } from 'yaml'
import type { Keywords } from './keyword_sources.ts'
import { replaceKeywords, type Unresolved } from './keywords.ts'
import { type Path, type Place, type Remark, TenantFileError } from './problems.ts'

export interface TenantDocument {
  /** Plain values; the root is a mapping. */
  readonly root: Readonly<Record<string, unknown>>
  /** Where a value stands, or the nearest thing around it that has a place. */
  locate(path: Path): Place
}

/** References to one anchor, each of which may hold more: enough for people, too few to fill the memory. */
const maxAliasCount = 100

/** @throws TenantFileError when the text is not YAML, its root is no mapping, or a keyword has no value */
export function readDocument(file: string, source: string, keywords: Keywords): TenantDocument {
  const { text, original, unresolved } = replaceKeywords(source, keywords)
  const placeOf = placesOf(file, source)
  const place = (offset: number) => placeOf(original(offset))
  const document = parseDocument(text, { merge: true, prettyErrors: false })
  const remark = (at: Place, sentence: string): Remark => ({ ...at, path: '', sentence })
  const open = unresolved.filter(({ placeholder }) => holds(document, placeholder))
  if (open.length > 0) throw new TenantFileError(open.map(({ offset, sentence }) => remark(placeOf(offset), sentence)))
  if (document.errors.length > 0) {
    throw new TenantFileError(
      document.errors.map(({ pos, message }) => remark(place(pos[0]), `This is not YAML: ${withoutBreaks(message)}`)),
    )
  }
  const root = plainValue(document, (sentence) => new TenantFileError([remark(placeOf(0), sentence)]))
  return { root, locate: (path) => place(offsetOf(document, path)) }
}

function plainValue(document: Document, failure: (sentence: string) => Error): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = document.toJS({ maxAliasCount }) ?? {}
    if (isMapping(value)) return value
  } catch (cause) {
    throw failure(`This YAML cannot be used: ${cause instanceof Error ? withoutBreaks(cause.message) : cause}`)
  }
  throw failure('A tenant file is a mapping with keys such as tenant, clients and resourceServers.')
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function holds(document: Document, placeholder: Unresolved['placeholder']): boolean {
  let found = false
  visit(document, {
    Scalar(_key, { value }) {
      found ||= typeof value === 'string' && value.includes(placeholder)
    },
  })
  return found
}

/** The key of a collection, or the scalar itself: where an editor should put the cursor. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const step of path) {
    const container = isAlias(node) ? node.resolve(document) : node
    const next = stepInto(container, step)
    if (next === undefined) return offset
    node = next.value
    const start = isScalar(node) && node.value !== null ? startOf(node) : undefined
    offset = start ?? startOf(next.key) ?? startOf(node) ?? offset
  }
  return offset
}

function stepInto(container: unknown, step: string | number): { key: unknown; value: unknown } | undefined {
  if (isSeq(container) && typeof step === 'number') return { key: undefined, value: container.items[step] }
  if (!isMap(container)) return undefined
  return container.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
}

function startOf(node: unknown): number | undefined {
  return (node as Node | ParsedNode | null | undefined)?.range?.[0]
}

function placesOf(file: string, source: string): (offset: number) => Place {
  const starts = [0]
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset)
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
  }
}

function withoutBreaks(message: string): string {
  return message.replaceAll(/\s+/g, ' ').trim()
}
