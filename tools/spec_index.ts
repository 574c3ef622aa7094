/** Owns the spec index as a command: writes docs/spec_index.md, or with `--check` compares it (`--strict`: and demands that it has no holes). */
import { parseArgs } from 'node:util'
import { root, writeOrCheck } from './generated_page.ts'
import { sourceFiles } from './source_files.ts'
import { holesOf, indexSections, renderIndex } from './spec_table.ts'

const { values } = parseArgs({ options: { check: { type: 'boolean' }, strict: { type: 'boolean' } } })
const entries = indexSections(sourceFiles(root))
const holes = holesOf(entries)
writeOrCheck('docs/spec_index.md', renderIndex(entries))

console.log(`docs/spec_index.md: ${entries.length} sections, ${holes.length} enforced in code and named by no test.`)
if (values.strict && holes.length > 0) {
  for (const { document, number, code } of holes) console.error(`  hole: ${document} §${number} in ${code.join(', ')}`)
  console.error('Name the section in the describe() of the test that proves it; write that test where there is none.')
  process.exitCode = 1
}
