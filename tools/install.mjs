// @ts-check
/** Owns bringing the dependencies: whether they are there, `npm ci` when not, and what to do when that fails. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { showProgress } from './progress.mjs'
import { runQuietly } from './run_quietly.mjs'
import { hashOf, readStamp, writeStamp } from './stamps.mjs'
import { Stop } from './stop.mjs'

const FLAGS = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress']

/** npm's explanation of all its options, which it prints with some failures. */
const NPM_USAGE = /^npm error Clean install a project$.*^npm error Run "npm help ci"[^\n]*\n/ms

/** What npm prints when it fails, and what helps. @type {readonly (readonly [RegExp, string])[]} */
const REMEDIES = [
  [/ENOSPC/, 'The disk is full: free some space and run the command again.'],
  [
    /EACCES|EPERM/,
    'Files here belong to another user: give the folder to yourself (sudo chown -R "$USER" .) and run it again.',
  ],
  [/EINTEGRITY/, 'A download was damaged: run "npm cache verify" and then the command again.'],
  [/in sync/, 'package.json and package-lock.json disagree: run "npm install" and commit the lock file.'],
  [/E401|E403/, 'The registry refused: look at "npm config get registry" and its sign-in.'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|CERT/,
    'The npm registry could not be reached: check the connection, a proxy ("npm config get proxy"), and run the command again.',
  ],
]

/**
 * Installs the dependencies when they are missing or are not those of the lock file.
 * @param {string} root the clone
 * @returns {Promise<boolean>} whether anything was installed
 */
export async function install(root) {
  const lock = readLock(root)
  const wanted = hashOf(root, ['package-lock.json'])
  if (readStamp(root, 'install') === wanted) return false
  if (isInstalled(root, lock)) {
    writeStamp(root, 'install', wanted)
    return false
  }
  await runNpm(root, wantedPaths(lock))
  writeStamp(root, 'install', wanted)
  return true
}

/** @typedef {{ version?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Locked */

/** @param {string} root @returns {Record<string, Locked>} the lock file's packages by path */
function readLock(root) {
  const file = join(root, 'package-lock.json')
  if (!existsSync(file)) {
    throw new Stop(
      'package-lock.json is missing here: run this in a complete clone of the repository ("git status" shows what is gone).',
    )
  }
  const text = readFileSync(file, 'utf8')
  if (/^(<{7}|>{7}) /m.test(text))
    throw new Stop('package-lock.json holds an unresolved merge: finish it, then run this again.')
  try {
    return JSON.parse(text).packages
  } catch {
    throw new Stop('package-lock.json is damaged: restore it with "git checkout package-lock.json".')
  }
}

/**
 * Whether npm's own record of what it installed has everything the lock file asks for, so that an installation by hand counts.
 * @param {string} root
 * @param {Record<string, Locked>} lock
 */
function isInstalled(root, lock) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  try {
    /** @type {Record<string, Locked>} */
    const present = JSON.parse(readFileSync(record, 'utf8')).packages
    return wantedPaths(lock).every(
      (path) => present[path] !== undefined && present[path].version === lock[path]?.version,
    )
  } catch {
    return false
  }
}

/**
 * The paths that will be there after an installation on this machine.
 * @param {Record<string, Locked>} lock
 */
function wantedPaths(lock) {
  const isWanted = (/** @type {Locked} */ entry) =>
    // What an optional package of another system would need is optional without naming a system; npm leaves it out.
    isForThisMachine(entry) && !(entry.optional === true && entry.os === undefined)
  return Object.entries(lock).flatMap(([path, entry]) =>
    path.includes('node_modules/') && isWanted(entry) ? [path] : [],
  )
}

/** @param {Locked} entry */
function isForThisMachine(entry) {
  const allows = (/** @type {string | string[] | undefined} */ list, /** @type {string} */ own) =>
    list === undefined || [list].flat().some((item) => item === own || (item.startsWith('!') && item !== `!${own}`))
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && allows(entry.libc, libc())
}

/** @type {string | undefined} */
let knownLibc

/** @returns {string} `glibc` or `musl`, as npm names them */
function libc() {
  if (knownLibc === undefined) {
    const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport() ?? {})
    knownLibc = report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  }
  return knownLibc
}

/** @param {string} root @param {readonly string[]} expected paths of the packages that will be there */
async function runNpm(root, expected) {
  const line = showProgress(
    'Installing the dependencies',
    () => `${countPresent(root, expected)} of ${expected.length} packages`,
  )
  const { program, args, shell } = findNpm()
  const { code, log } = await runQuietly(program, [...args, 'ci', ...FLAGS], { cwd: root, shell })
  if (code === 0) return line.done('Installed the dependencies')
  line.done('Could not install the dependencies')
  process.stderr.write(`\n${log.replace(NPM_USAGE, '')}\n`)
  const remedy =
    REMEDIES.find(([sign]) => sign.test(log))?.[1] ?? 'The lines above are what npm said; run "npm ci" to see it again.'
  throw new Stop(`npm ci ended with code ${code}. ${remedy}`)
}

/** @param {string} root @param {readonly string[]} expected */
function countPresent(root, expected) {
  if (!existsSync(join(root, 'node_modules')) || readdirSync(join(root, 'node_modules')).length === 0) return 0
  return expected.filter((path) => existsSync(join(root, path, 'package.json'))).length
}

/** The npm that started this script, run by its own Node; without one, whatever the PATH has. */
function findNpm() {
  const own = process.env.npm_execpath
  if (own !== undefined && basename(own) === 'npm-cli.js' && existsSync(own)) {
    return { program: process.env.npm_node_execpath ?? process.execPath, args: [own], shell: false }
  }
  return { program: 'npm', args: [], shell: process.platform === 'win32' }
}
