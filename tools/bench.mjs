// @ts-check
/** Owns `npm run bench`: what is missing is installed, then bench/main.ts measures, with the arguments given. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { handOver } from '../packages/cli/bin/hand_over.js'
import { endWithNpm } from './end_with_npm.mjs'
import { install } from './install.mjs'
import { checkOwnNode, chooseNode, environment } from './node.mjs'
import { runTool } from './stop.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

await runTool(async () => {
  endWithNpm()
  checkOwnNode()
  await install(root)
  handOver(chooseNode(root), [join(root, 'bench', 'main.ts'), ...process.argv.slice(2)], environment(root))
})
