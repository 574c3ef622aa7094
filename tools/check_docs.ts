/** Owns the check of the pages as a command: prints the links that lead nowhere, ends with 1 if there are any. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDeadLinks } from './dead_links.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isInstalled = (path: string) => /(?:^|[\\/])(?:node_modules|dist|test-results)(?:[\\/]|$)/.test(path)
const paths = globSync('**/*.md', { cwd: root, exclude: isInstalled }).map((path) => path.replaceAll('\\', '/'))
const pages = paths.toSorted().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const dead = findDeadLinks(pages, (path) => existsSync(join(root, path)))

for (const link of dead) console.error(`  ${link}`)
const count = dead.length === 1 ? '1 link leads' : `${dead.length} links lead`
console.log(`${pages.length} pages checked: ${dead.length === 0 ? 'every link leads somewhere' : `${count} nowhere`}.`)
if (dead.length > 0) process.exitCode = 1
