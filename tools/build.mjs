// @ts-check
/** Owns what has to be built before the clone can be used, and knowing when it is still fresh. The server itself needs no build. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from './node.mjs'
import { showProgress } from './progress.mjs'
import { runQuietly } from './run_quietly.mjs'
import { hashOf, readStamp, writeStamp } from './stamps.mjs'
import { Stop } from './stop.mjs'

/** What is built by Vite: its folder, the file that shows it is there, and everything it is made of. */
const BUILDS = [
  {
    name: 'demo app',
    folder: 'examples/spa',
    result: 'examples/spa/dist/index.html',
    sources: ['examples/spa', 'packages/spa/src', 'packages/oauth/src', 'package-lock.json', 'tsconfig.base.json'],
  },
]

/**
 * Builds what is missing or was made from other sources.
 * @param {string} root the clone, with its dependencies installed
 * @param {string} node the Node to build with
 */
export async function build(root, node) {
  for (const { name, folder, result, sources } of BUILDS) {
    const stamp = `build_${folder.replaceAll('/', '_')}`
    const wanted = hashOf(root, sources)
    if (existsSync(join(root, result)) && readStamp(root, stamp) === wanted) continue
    const line = showProgress(`Building the ${name}`)
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
    const { code, log } = await runQuietly(node, [vite, 'build'], { cwd: join(root, folder), env: environment(root) })
    if (code !== 0) {
      line.done(`Could not build the ${name}`)
      process.stderr.write(`\n${log}\n`)
      throw new Stop(`The ${name} does not build. The lines above say why; "npx vite build" in ${folder} repeats it.`)
    }
    writeStamp(root, stamp, wanted)
    line.done(`Built the ${name}`)
  }
}
