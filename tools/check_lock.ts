/** Owns the check of the lock file as a command: prints what is wrong with it, ends with 1 if anything is. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findLockProblems } from './lock_problems.ts'
import { readManifests } from './manifests.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
const problems = findLockProblems(lock.packages, readManifests(root))

for (const problem of problems) console.error(`  ${problem}`)
const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
console.log(
  `${Object.keys(lock.packages).length} locked packages checked: ${problems.length === 0 ? 'all fine' : count}.`,
)
if (problems.length > 0) process.exitCode = 1
