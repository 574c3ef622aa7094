/** Tests what is published: its size, its two shapes, its types, and that it stands alone. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorCodes } from '../src/index.ts'
import { type Built, buildSdk } from './support/browser.ts'

let built: Built
beforeAll(() => {
  built = buildSdk()
})
afterAll(() => built.remove())

describe('the build', () => {
  for (const file of ['latchkey-spa.js', 'latchkey-spa.iife.js'])
    test(`${file} is under 8 kB gzipped and imports nothing`, () => {
      const code = built.read(file)
      expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThan(8000)
      expect(code).not.toMatch(/\bimport\b|\brequire\(/)
    })

  test('the module exports what the source exports', async () => {
    const module: object = await import(join(built.directory, 'latchkey-spa.js'))
    expect(Object.keys(module).sort()).toEqual(['LatchkeyError', 'createClient', 'errorCodes'])
  })

  test('the script makes one global', () => {
    const world = createContext({})
    runInContext(built.read('latchkey-spa.iife.js'), world)
    expect(Object.keys(world)).toEqual(['Latchkey'])
    expect(runInContext('typeof Latchkey.createClient', world)).toBe('function')
  })

  test('the types are there', () => {
    expect(built.read('index.d.ts')).toContain('createClient')
    expect(built.read('client.d.ts')).toContain('handleCallback')
  })
})

describe('the table of failures', () => {
  const [, readme = ''] = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8').split('## Failures')

  test('the documentation has every code with its advice, and no other', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, code, fix]) => [code, fix])
    expect(Object.fromEntries(rows)).toEqual(errorCodes)
  })

  test('every advice is a sentence', () => {
    for (const fix of Object.values(errorCodes)) expect(fix).toMatch(/^[A-Z].*\.$/)
  })
})
