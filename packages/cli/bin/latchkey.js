#!/usr/bin/env node
// @ts-check
/**
 * Owns the first step of the command: a Node that can run it. Plain JavaScript in old syntax, since a system's own Node may read it.
 */
import * as nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findInstalledNode, NEEDED, suits } from './find_node.js'
import { handOver } from './hand_over.js'

const folder = dirname(fileURLToPath(import.meta.url))
const args = process.argv.slice(2)

if (suits(process.versions.node)) await runHere()
else runWithInstalledNode()

async function runHere() {
  // Not the default folder under the system's temporary one: there, another user of the machine could prepare the code we load.
  nodeModule.enableCompileCache?.(join(folder, '..', '..', '..', 'node_modules', '.cache', 'latchkey', 'compiled'))
  const { main } = await import('../src/main.ts')
  // A server is often ended by a signal that leaves no time to write, so the cache is written while it runs.
  setTimeout(() => nodeModule.flushCompileCache?.(), 3000).unref()
  await main(args)
}

function runWithInstalledNode() {
  const node = findInstalledNode(folder)
  if (node !== undefined) return handOver(node, [fileURLToPath(import.meta.url), ...args])
  console.error(
    `latchkey needs ${NEEDED}; this is ${process.versions.node}, and no newer one was found beside it. ` +
      'Run "npm install" where latchkey is installed, or install Node 24 (https://nodejs.org).',
  )
  process.exitCode = 1
}
