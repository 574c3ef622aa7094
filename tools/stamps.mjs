// @ts-check
/** Owns the memory of what was already done: a hash of what went in, kept inside node_modules, so that it goes when they go. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'test'])

/** @param {string} root @param {string} name @returns {string} */
const fileOf = (root, name) => join(root, 'node_modules', '.cache', 'latchkey', `${name}.stamp`)

/** @param {string} root @param {string} name @returns {string | undefined} the hash that was written last */
export function readStamp(root, name) {
  const file = fileOf(root, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** @param {string} root @param {string} name @param {string} hash */
export function writeStamp(root, name, hash) {
  mkdirSync(join(root, 'node_modules', '.cache', 'latchkey'), { recursive: true })
  writeFileSync(fileOf(root, name), hash)
}

/**
 * A hash over the names and contents of files and whole folders (without what was built or installed in them, and tests).
 * @param {string} root
 * @param {readonly string[]} paths relative to the root; one that does not exist counts as empty
 * @returns {string}
 */
export function hashOf(root, paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  /** @param {string} path */
  const add = (path) => {
    const full = join(root, path)
    if (!existsSync(full)) return
    if (!statSync(full).isDirectory()) {
      const content = readFileSync(full)
      hash.update(`${path} ${content.length}\n`).update(content)
      return
    }
    for (const name of readdirSync(full).sort()) if (!SKIPPED.has(name)) add(`${path}/${name}`)
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}
