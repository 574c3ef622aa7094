/** Owns which files the checks read. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOTS = ['packages', 'examples', 'test', 'bench', 'tools']
const SKIPPED = new Set(['node_modules', 'dist', 'test-results'])
const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx)$/

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string
  readonly text: string
}

/** Every source file of the repository, in the order of the alphabet. */
export function sourceFiles(root: string): SourceFile[] {
  const files: SourceFile[] = []
  const add = (folder: string) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) add(path)
      if (entry.isFile() && SOURCE.test(entry.name)) files.push({ path, text: readFileSync(join(root, path), 'utf8') })
    }
  }
  for (const folder of ROOTS) add(folder)
  return files
}
