/**
 * Owns reading the samples out of the pages. Every fenced block has a comment on the line before it that says what a test does with it:
 *
 *   <!-- sample: file PATH -->       a file of the page's own folder; a tenant file is also applied
 *   <!-- sample: api PATH -->        the same, and run as an API that has to guard GET /messages
 *   <!-- sample: app PATH -->        the same, and a part of the app that a browser runs
 *   <!-- sample: node -->            run by Node in that folder
 *   <!-- sample: shell -->           run by a shell in that folder
 *   <!-- sample: http [signed-in] -->  sent to the server
 *   <!-- sample: claims WHAT -->     compared with what the server issues: access_token, id_token, userinfo …
 *   <!-- sample: consent SCOPE -->   compared with the consent page of the demo app
 *   <!-- sample: greeting -->        what `npm start` prints when everything runs
 *   <!-- sample: output -->          what the block before it has to print or to be answered; … stands for anything
 *   <!-- sample: shown, WHY -->      shown and not run
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

export const kinds = [
  'file',
  'api',
  'app',
  'node',
  'shell',
  'http',
  'claims',
  'consent',
  'greeting',
  'output',
  'shown',
] as const
export type Kind = (typeof kinds)[number]

export interface Block {
  /** Of the fence. */
  readonly line: number
  readonly language: string
  readonly code: string
  /** Undefined where there is no comment, or one that says nothing known. */
  readonly kind: Kind | undefined
  /** What stands behind the kind. */
  readonly detail: string
  /** What it has to print, where the page says so. */
  readonly output: string | undefined
}

export interface Page {
  /** Relative to the root. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

/** Pages whose samples are another test's. */
const elsewhere = new Set(['docs/configuration.md', 'docs/spec_index.md', 'docs/tenant_file.md'])

/** The pages at the root and in docs, with their samples. */
export function readPages(): readonly Page[] {
  const inDocs = globSync('docs/**/*.md', { cwd: root }).map((path) => path.replaceAll('\\', '/'))
  return ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...inDocs.toSorted()].map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text, blocks: elsewhere.has(path) ? [] : readBlocks(text) }
  })
}

export function readBlocks(text: string): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent, language] = /^(\s*)```(\w*)\s*$/.exec(lines[at] ?? '') ?? []
    if (indent === undefined) continue
    const end = lines.findIndex((line, index) => index > at && line.trim() === '```')
    if (end < 0) throw new Error(`The block in line ${at + 1} does not end`)
    const code = lines.slice(at + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({
      ...{ line: at + 1, language: language ?? '', code: `${code.join('\n')}\n`, output: undefined },
      ...readMarker(lines[at - 1] ?? ''),
    })
    at = end
  }
  return withOutputs(blocks)
}

function readMarker(line: string): Pick<Block, 'kind' | 'detail'> {
  const [, word = '', detail = ''] = /^\s*<!-- sample: (\w+),?(?: (.+))? -->$/.exec(line) ?? []
  return { kind: kinds.find((kind) => kind === word), detail }
}

function withOutputs(blocks: readonly Block[]): readonly Block[] {
  return blocks.map((block, index) => {
    const next = blocks[index + 1]
    return next?.kind === 'output' ? { ...block, output: next.code } : block
  })
}
