/** Owns the import check as a command: reads the repository, prints what breaks the table, ends with 1 if anything does. */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProblems } from './import_problems.ts'
import { AREAS, EXCEPTIONS } from './import_rules.ts'
import { readManifests } from './manifests.ts'
import { sourceFiles } from './source_files.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const files = sourceFiles(root)
const problems = findProblems(files, { areas: AREAS, exceptions: EXCEPTIONS, manifests: readManifests(root) })

for (const { path, line, rule, advice } of problems) console.error(`${path}:${line}  [${rule}]\n    ${advice}`)
const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
console.log(`${files.length} files checked against the import table: ${problems.length === 0 ? 'all fine' : count}.`)
if (problems.length > 0) process.exitCode = 1
