// @ts-check
/** Owns `npm start`: what is missing is installed and built, then `latchkey dev` takes over. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { handOver } from '../packages/cli/bin/hand_over.js'
import { build } from './build.mjs'
import { endWithNpm } from './end_with_npm.mjs'
import { install } from './install.mjs'
import { checkOwnNode, chooseNode, environment } from './node.mjs'
import { runTool } from './stop.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

await runTool(async () => {
  endWithNpm()
  checkOwnNode()
  await install(root)
  const node = chooseNode(root)
  await build(root, node)
  const command = join(root, 'packages', 'cli', 'bin', 'latchkey.js')
  handOver(node, [command, 'dev', ...process.argv.slice(2)], environment(root))
})
