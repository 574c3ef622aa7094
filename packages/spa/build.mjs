// Builds the SDK into dist/ (or `--out DIR`): an ES module, a script for a plain <script> tag, and the types.

import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({ options: { out: { type: 'string', default: resolve(here, 'dist') } } })
const outDir = resolve(values.out)

await build({
  root: here,
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    lib: {
      entry: resolve(here, 'src/index.ts'),
      name: 'Latchkey',
      formats: ['es', 'iife'],
      fileName: (format) => (format === 'es' ? 'latchkey-spa.js' : 'latchkey-spa.iife.js'),
    },
    rolldownOptions: { output: { minify: true } },
  },
})

const tsc = resolve(here, '../../node_modules/typescript/bin/tsc')
const types = spawnSync(process.execPath, [tsc, '-p', resolve(here, 'tsconfig.build.json'), '--outDir', outDir], {
  stdio: 'inherit',
})
process.exitCode = types.status ?? 1
