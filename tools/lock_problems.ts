/** Owns what a lock file must be so that `npm ci` works on every machine without running anybody's script. Pure. */

import type { Manifest } from './manifests.ts'

export interface Locked extends Manifest {
  readonly version?: string
  readonly link?: boolean
  readonly license?: string
  readonly hasInstallScript?: boolean
}

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/** Packages with an install script that is never run, each with the reason why that does no harm. */
const UNRUN_SCRIPTS: Readonly<Record<string, string>> = {
  'better-sqlite3': 'its binaries lie in the package; the script would only compile them again',
  'browser-tabs-lock': 'a library of an unmodified client in the tests; the script only prints a greeting',
  fsevents: 'its binary lies in the package, and only Vite’s watcher on macOS loads it',
}

const LICENSES =
  /^\(?(?:0BSD|Apache-2\.0|BlueOak-1\.0\.0|BSD-[23]-Clause|CC0-1\.0|CC-BY-4\.0|ISC|MIT|MIT-0|MPL-2\.0|Python-2\.0|Unlicense|Zlib)\b/

/**
 * @param lock the lock file's packages by path, `''` being the root
 * @param manifests the package.json files by folder, `''` being the root
 * @returns a sentence for each thing that is wrong
 */
export function findLockProblems(
  lock: Readonly<Record<string, Locked>>,
  manifests: Readonly<Record<string, Manifest>>,
): string[] {
  const problems: string[] = []
  for (const [folder, manifest] of Object.entries(manifests)) {
    problems.push(
      ...manifestProblems(folder === '' ? 'package.json' : `${folder}/package.json`, manifest, lock[folder]),
    )
  }
  const names = new Set(Object.keys(lock).map(nameOf))
  for (const [path, locked] of Object.entries(lock)) {
    const name = nameOf(path)
    for (const wanted of Object.keys(locked.optionalDependencies ?? {})) {
      if (!names.has(wanted)) {
        problems.push(
          `${name} wants ${wanted} on another system, and the lock file lacks it: npm ci refuses. Choose a version that is published whole.`,
        )
      }
    }
    if (!path.includes('node_modules/') || locked.link === true) continue
    if (locked.hasInstallScript === true && UNRUN_SCRIPTS[name] === undefined) {
      problems.push(
        `${name} has an install script. Choose another package, or say in tools/lock_problems.ts why it works without.`,
      )
    }
    if (!LICENSES.test(locked.license ?? '')) {
      problems.push(
        `${name} has the licence ${locked.license ?? '(none)'}, which is not in the list of tools/lock_problems.ts.`,
      )
    }
  }
  return problems
}

function manifestProblems(file: string, manifest: Manifest, locked: Locked | undefined): string[] {
  const problems: string[] = []
  for (const kind of KINDS) {
    const wanted = manifest[kind] ?? {}
    if (!isSame(wanted, locked?.[kind] ?? {})) {
      problems.push(`${file} and package-lock.json disagree about ${kind}: run "npm install" and commit the lock file.`)
    }
    if (kind === 'peerDependencies') continue
    for (const [name, version] of Object.entries(wanted)) {
      if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) {
        problems.push(`${file} asks for ${name} ${version}: name one exact version.`)
      }
    }
  }
  return problems
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => a[name] === b[name])
}

function nameOf(path: string): string {
  return path.split('node_modules/').at(-1) ?? path
}
