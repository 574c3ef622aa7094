/** Owns the files that a tenant file refers to: where they lie, and what is said when one cannot be used. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Keywords } from './keyword_sources.ts'
import { replaceKeywords } from './keywords.ts'

/** Gives the text of a file that a tenant file names. @throws Error saying why it cannot */
export type ReadFile = (path: string) => string

/** Characters of one script. */
export const maxScript = 100_000

/** Reads what stands beside a tenant file; paths are relative to it. */
export function filesBeside(file: string): ReadFile {
  return (path) => readFileSync(resolve(dirname(file), path), 'utf8')
}

/** True for the path of a script, as an export writes it, and false for its text. */
export function isScriptPath(text: string): boolean {
  return /^[^\n\r(){};]+\.[cm]?js$/.test(text.trim())
}

/** The text of a script, its keywords replaced. */
export function readScript(
  path: string,
  { read_file, keywords }: { readonly read_file?: ReadFile; readonly keywords: Keywords },
): { readonly text: string } | { readonly problem: string } {
  if (read_file === undefined)
    return { problem: 'Files beside the tenant file cannot be read here: put the text of the script in its place.' }
  let source: string
  try {
    source = read_file(path.trim())
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const reason = isMissing ? 'there is no such file beside the tenant file' : String(error)
    return { problem: `The script ${path} cannot be read: ${reason}.` }
  }
  const { text, unresolved } = replaceKeywords(source, keywords)
  const [open] = unresolved
  return open === undefined ? { text } : { problem: `The script ${path}: ${open.sentence}` }
}
