/** Owns a page of docs/ that a program writes: writing it, or saying how it differs from what it should be. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Writes the page, or with `--check` on the command line compares it and ends with 1 if it differs.
 * @param path relative to the root
 */
export function writeOrCheck(path: string, page: string): void {
  const file = join(root, path)
  if (!process.argv.includes('--check')) {
    writeFileSync(file, page)
    return
  }
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (present === page) return
  for (const line of differences(present, page)) console.error(line)
  console.error(`${path} is not what it should be now: run "npm run generate" and commit it.`)
  process.exitCode = 1
}

/** The lines that only one of two texts has; enough to see what changed in a table. */
export function differences(old: string, fresh: string): string[] {
  const before = new Set(old.split('\n'))
  const after = new Set(fresh.split('\n'))
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ]
}
