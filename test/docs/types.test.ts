import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readPages, root } from './support/blocks.ts'
import { run } from './support/run.ts'

const parent = join(root, 'test-results', 'docs')
mkdirSync(parent, { recursive: true })
const folder = mkdtempSync(join(parent, 'types_'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every TypeScript sample is correctly typed', async () => {
  const samples = readPages().flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language }) => language === 'ts')
      .map(({ code, kind, detail, line }) => {
        const name = kind === 'node' ? `line_${line}.ts` : detail
        const file = join(folder, path.replaceAll(/\W+/g, '_'), name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, code)
        return file
      }),
  )
  expect(samples.length).toBeGreaterThan(0)
  const settings = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: { lib: ['es2024', 'dom', 'dom.iterable'], noUnusedLocals: false },
    files: samples,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const { code, stdout } = await run(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--project', join(folder, 'tsconfig.json')],
    root,
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
}, 60_000)
