// @ts-check
/** Owns which Node the tools run everything with: the one that came with the dependencies, else a new enough running one. */
import { spawnSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findInstalledNode, NEEDED, suits } from '../packages/cli/bin/find_node.js'
import { Stop } from './stop.mjs'

const OLDEST_FOR_TOOLS = 20

/** Refuses a Node that is too old even for the first steps. */
export function checkOwnNode() {
  const own = process.versions.node
  if (Number(own.split('.')[0]) >= OLDEST_FOR_TOOLS) return
  throw new Stop(
    `This needs Node ${OLDEST_FOR_TOOLS} or newer to begin with; this is ${own}. Install Node 24 (https://nodejs.org).`,
  )
}

/**
 * @param {string} root the clone, with its dependencies installed
 * @returns {string} the path of a Node that runs TypeScript
 */
export function chooseNode(root) {
  const installed = findInstalledNode(root)
  // It may be there and not run: the registry's build needs glibc.
  if (installed !== undefined && suits(spawnSync(installed, ['--version'], { encoding: 'utf8' }).stdout ?? '')) {
    linkNode(root, installed)
    return installed
  }
  if (suits(process.versions.node)) return process.execPath
  throw new Stop(
    `Latchkey needs ${NEEDED}; this is ${process.versions.node}, and the npm registry has no other for ${process.platform} ${process.arch}. ` +
      'Install Node 24 (https://nodejs.org, or your package manager) and run the same command again.',
  )
}

/**
 * Puts the Node among the installed commands, where npm's scripts look first. npm 10 leaves it out: it takes the links of the packages for
 * other systems away again, and theirs has the same name.
 * @param {string} root
 * @param {string} installed
 */
function linkNode(root, installed) {
  const link = join(root, 'node_modules', '.bin', 'node')
  if (process.platform !== 'win32' && !existsSync(link)) symlinkSync(relative(dirname(link), installed), link)
}

/**
 * The environment in which every `node` and every installed command is the clone's own.
 * @param {string} root
 * @returns {NodeJS.ProcessEnv}
 */
export function environment(root) {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const separator = process.platform === 'win32' ? ';' : ':'
  return { ...process.env, [key]: [join(root, 'node_modules', '.bin'), process.env[key]].join(separator) }
}
