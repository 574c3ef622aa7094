/** Owns the spec index as a command: writes docs/spec_index.md, or with `--check` says whether it is up to date (`--strict`: and without holes). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sourceFiles } from './source_files.ts'
import { holesOf, indexSections, renderIndex } from './spec_table.ts'

const { values } = parseArgs({ options: { check: { type: 'boolean' }, strict: { type: 'boolean' } } })
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = join(root, 'docs', 'spec_index.md')
const entries = indexSections(sourceFiles(root))
const page = renderIndex(entries)

if (values.check) check()
else writeFileSync(file, page)

const holes = holesOf(entries)
console.log(`docs/spec_index.md: ${entries.length} sections, ${holes.length} enforced in code and named by no test.`)
if (values.strict && holes.length > 0) {
  for (const { document, number, code } of holes) console.error(`  hole: ${document} §${number} in ${code.join(', ')}`)
  console.error('Name the section in the describe() of the test that proves it; write that test where there is none.')
  process.exitCode = 1
}

function check(): void {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (present === page) return
  const old = new Set(present.split('\n'))
  const fresh = new Set(page.split('\n'))
  for (const line of old) if (!fresh.has(line)) console.error(`- ${line}`)
  for (const line of fresh) if (!old.has(line)) console.error(`+ ${line}`)
  console.error('docs/spec_index.md is not what the code and the tests say now: run "npm run generate" and commit it.')
  process.exitCode = 1
}
