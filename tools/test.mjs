// @ts-check
/** Owns `npm test`: installs what is missing, runs every part, and closes with the one line that counts them all. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { ensureChromium } from './chromium.mjs'
import { endWithNpm } from './end_with_npm.mjs'
import { install } from './install.mjs'
import { checkOwnNode, chooseNode, environment } from './node.mjs'
import { secondsSince } from './progress.mjs'
import { runTool, Stop } from './stop.mjs'
import { PARTS } from './test_parts.mjs'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {import('./test_parts.mjs').Part} Part */

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const LONGEST_PART_MS = 30 * 60_000

const USAGE = `npm test [-- [PART …] [--bail]]

Runs everything, or only the parts that are named. --bail stops at the first part that fails.

${PARTS.map(({ name, title }) => `  ${name.padEnd(10)}${title}`).join('\n')}
`

await runTool(async () => {
  endWithNpm()
  const { parts, bail, help } = readArguments(process.argv.slice(2))
  if (help) return void process.stdout.write(USAGE)
  checkOwnNode()
  await install(root)
  const node = chooseNode(root)
  const rows = await runParts(parts, node, bail)
  const total = summarize(rows, parts.length)
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1
})

/** @param {readonly string[]} args */
function readArguments(args) {
  const names = args.filter((arg) => !arg.startsWith('-'))
  const unknown = args.find((arg) =>
    arg.startsWith('-') ? !['--bail', '--help'].includes(arg) : !PARTS.some(({ name }) => name === arg),
  )
  if (unknown !== undefined) throw new Stop(`npm test does not know "${unknown}".\n\n${USAGE}`)
  const parts = names.length === 0 ? PARTS : PARTS.filter(({ name }) => names.includes(name))
  return { parts, bail: args.includes('--bail'), help: args.includes('--help') }
}

/** @typedef {{ part: Part, counts: Counts, time: string }} Row */

/** @param {readonly Part[]} parts @param {string} node @param {boolean} bail */
async function runParts(parts, node, bail) {
  /** @type {Row[]} */
  const rows = []
  for (const part of parts) {
    const began = Date.now()
    process.stdout.write(`\n━━ ${part.title}\n`)
    const counts = await runPart(part, node)
    const time = secondsSince(began)
    process.stdout.write(`━━ ${part.title}: ${counts.failed === 0 ? 'passed' : 'failed'} in ${time}\n`)
    rows.push({ part, counts, time })
    if (bail && counts.failed > 0) break
  }
  return rows
}

/** @param {Part} part @param {string} node @returns {Promise<Counts>} */
async function runPart(part, node) {
  try {
    const env = environment(root)
    if (part.needsBuild) await build(root, node)
    if (part.needsChromium) env.CHROMIUM = await ensureChromium(root)
    if (part.project !== undefined) return await runVitest(part.project, node, env)
    const isGood = part.command === undefined || (await run(node, part.command, env)) === 0
    return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0 }
  } catch (cause) {
    console.error(cause instanceof Stop ? cause.message : cause)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/** @param {string} project @param {string} node @param {NodeJS.ProcessEnv} env @returns {Promise<Counts>} */
async function runVitest(project, node, env) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'))
  try {
    const file = join(folder, 'result.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const code = await run(node, ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters], env)
    if (!existsSync(file)) throw new Stop(`vitest ended with code ${code} and without a result.`)
    const result = JSON.parse(readFileSync(file, 'utf8'))
    const counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
    }
    const ranNone = counts.passed + counts.failed === 0
    if (ranNone) process.stdout.write(`The project "${project}" ran no test.\n`)
    // A file that does not load, or an error outside of every test, fails the run without a failed test.
    if (counts.failed === 0 && (code !== 0 || ranNone)) return { ...counts, failed: 1 }
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} node @param {readonly string[]} args @param {NodeJS.ProcessEnv} env @returns {Promise<number>} the exit code */
function run(node, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: LONGEST_PART_MS,
    })
    let interrupted = false
    const stop = () => {
      interrupted = true
      child.kill('SIGTERM')
    }
    process.on('SIGTERM', stop).on('SIGINT', stop)
    child.on('error', reject)
    child.on('exit', (code) => {
      process.off('SIGTERM', stop).off('SIGINT', stop)
      if (interrupted) process.exit(130)
      resolve(code ?? 1)
    })
  })
}

/** @param {readonly Row[]} rows @param {number} planned @returns {Counts} */
function summarize(rows, planned) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  process.stdout.write(`\n${'part'.padEnd(18)}${'time'.padStart(9)}${'passed'.padStart(8)}${'failed'.padStart(8)}\n`)
  for (const { part, counts, time } of rows) {
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
    process.stdout.write(
      `${part.title.padEnd(18)}${time.padStart(9)}${String(counts.passed).padStart(8)}${String(counts.failed).padStart(8)}\n`,
    )
  }
  if (rows.length < planned)
    process.stdout.write(`Stopped at the first failure; ${planned - rows.length} parts did not run.\n`)
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`)
  return total
}
