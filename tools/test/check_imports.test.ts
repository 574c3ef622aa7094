/** Proves that every rule of the import table can fail, and that what is allowed passes. */
import { describe, expect, test } from 'vitest'
import { findProblems, type Manifests } from '../import_problems.ts'
import { AREAS, EXCEPTIONS } from '../import_rules.ts'

const manifests: Manifests = {
  '': { devDependencies: { vitest: '1.0.0', hono: '1.0.0' } },
  'packages/oauth': { name: '@latchkey/oauth' },
  'packages/core': { name: '@latchkey/core', dependencies: { jose: '1.0.0', kysely: '1.0.0' } },
  'packages/api': { name: '@latchkey/api', dependencies: { jose: '1.0.0' } },
  'packages/server': { name: '@latchkey/server', dependencies: { fastify: '1.0.0', '@fastify/cookie': '1.0.0' } },
}

function problemsOf(files: Readonly<Record<string, string>>) {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }))
  return findProblems(sources, { areas: AREAS, exceptions: EXCEPTIONS, manifests })
}

const rulesOf = (path: string, text: string) => problemsOf({ [path]: text }).map(({ rule }) => rule)

describe('a break of the table is found', () => {
  for (const [name, path, text, rule] of [
    ['a package above', 'packages/core/src/a.ts', "import { x } from '@latchkey/server'", 'layer'],
    ['only types of a package above', 'packages/core/src/a.ts', "import type { X } from '@latchkey/server'", 'layer'],
    ['a package above, exported on', 'packages/core/src/a.ts', "export * from '@latchkey/identity'", 'layer'],
    ['a package above, imported late', 'packages/core/src/a.ts', "await import('@latchkey/identity')", 'layer'],
    [
      'the store from the command-line tests of the SDK',
      'packages/spa/test/a.test.ts',
      "import '@latchkey/store'",
      'layer',
    ],
    ['the core from a flow test', 'test/flows/a.test.ts', "import { x } from '@latchkey/core'", 'layer'],
    ['the store from an example', 'examples/api/main.ts', "import { x } from '@latchkey/store'", 'layer'],
    ['a library of another package', 'packages/core/src/a.ts', "import { Kysely } from 'kysely'", 'library'],
    ['any library in the SDK', 'packages/spa/src/a.ts', "import { x } from 'jose'", 'library'],
    ['a value of a library for types', 'packages/api/src/a.ts', "import { Hono } from 'hono'", 'library'],
    ['a library nobody declared', 'packages/server/src/a.ts', "import pino from 'pino'", 'declared'],
    ['an undeclared library in a test', 'test/flows/a.test.ts', "import x from 'left-pad'", 'declared'],
    ['Node in the SDK', 'packages/spa/src/a.ts', "import { join } from 'node:path'", 'node'],
    ['HTTP in the core', 'packages/core/src/a.ts', "import { createServer } from 'node:http'", 'node'],
    ['Node without its prefix', 'packages/core/src/a.ts', "import { readFileSync } from 'fs'", 'node'],
    ['a path into another package', 'packages/server/src/a.ts', "import { x } from '../../core/src/b.ts'", 'border'],
    ['a path from a test into a package', 'test/flows/a.test.ts', "import '../../packages/core/src/b.ts'", 'border'],
    ['a path from one example to another', 'examples/spa/a.ts', "import '../api/main.ts'", 'border'],
    ['a folder without a line', 'packages/unheard/src/a.ts', 'export const a = 1', 'area'],
    ['a file that does not parse', 'packages/core/src/a.ts', 'export const = 1', 'syntax'],
    ['the environment', 'packages/core/src/a.ts', 'export const a = process.env.HOME', 'environment'],
    ['the environment, quoted', 'packages/core/src/a.ts', "export const a = process['env']", 'environment'],
    [
      'the environment, from the global object',
      'packages/core/src/a.ts',
      'export const a = globalThis.process.env',
      'environment',
    ],
    ['the environment, taken apart', 'packages/core/src/a.ts', 'const { env } = process', 'environment'],
    ['the environment, imported', 'packages/server/src/a.ts', "import { env } from 'node:process'", 'environment'],
    [
      'the environment in an example’s other files',
      'examples/api/routes.ts',
      'export const a = process.env.PORT',
      'environment',
    ],
    ['the console', 'packages/server/src/a.ts', "console.log('hello')", 'console'],
    ['the clock', 'packages/core/src/a.ts', 'export const a = Date.now()', 'injected'],
    ['the clock, passed on', 'packages/identity/src/a.ts', 'export const clock = Date.now', 'injected'],
    ['a date of now', 'packages/store/src/a.ts', 'export const a = new Date()', 'injected'],
    ['chance', 'packages/server/src/a.ts', 'export const a = Math.random()', 'injected'],
    ['chance from crypto', 'packages/core/src/a.ts', "import { randomBytes } from 'node:crypto'", 'injected'],
    ['chance from the global crypto', 'packages/core/src/a.ts', 'export const a = crypto.randomUUID()', 'injected'],
  ] as const) {
    test(name, () => expect(rulesOf(path, text)).toEqual([rule]))
  }

  test('a ring of files', () => {
    const found = problemsOf({
      'packages/core/src/a.ts': "import { b } from './b.ts'\nexport const a = () => b",
      'packages/core/src/b.ts': "import { c } from './deep/c.ts'\nexport const b = () => c",
      'packages/core/src/deep/c.ts': "import { a } from '../a.ts'\nexport const c = () => a",
    })
    expect(found).toMatchObject([{ rule: 'cycle', advice: expect.stringContaining('a.ts → b.ts → c.ts → a.ts') }])
  })

  test('the problem names the line', () => {
    const text = "/** Owns a. */\nimport { x } from 'jose'\n\nexport const a = [x, Date.now()]"
    const lines = problemsOf({ 'packages/core/src/a.ts': text }).map(({ line, rule }) => `${line} ${rule}`)
    expect(lines).toEqual(['4 injected'])
  })
})

describe('what the table allows passes', () => {
  for (const [name, path, text] of [
    ['a package below', 'packages/core/src/a.ts', "import { x } from '@latchkey/store'"],
    ['its own library', 'packages/core/src/a.ts', "import { jwtVerify } from 'jose'"],
    ['a part of its own library', 'packages/core/src/a.ts', "import { x } from 'jose/jwt/verify'"],
    ['a library of its scope', 'packages/server/src/a.ts', "import cookie from '@fastify/cookie'"],
    ['types of a framework', 'packages/api/src/a.ts', "import type { Hono } from 'hono'"],
    ['its own files', 'packages/core/src/grants/a.ts', "import { x } from '../b.ts'"],
    ['its own source from a test', 'packages/core/test/a.test.ts', "import { x } from '../src/b.ts'"],
    ['the server from the SDK’s tests', 'packages/spa/test/a.test.ts', "import { x } from '@latchkey/server'"],
    ['a date of a given moment', 'packages/core/src/a.ts', 'export const a = (now: number) => new Date(now)'],
    ['a comment about process.env', 'packages/core/src/a.ts', '// process.env and Date.now() are elsewhere\nexport {}'],
    ['the environment where it is read', 'packages/server/src/config.ts', 'export const a = process.env.HOME'],
    ['the environment in an example’s main file', 'examples/api/main.ts', 'export const a = process.env.PORT'],
    ['the console in the command', 'packages/cli/src/a.ts', "console.log('hello')"],
    ['the clock in the SDK', 'packages/spa/src/a.ts', 'export const a = Date.now()'],
  ] as const) {
    test(name, () => expect(rulesOf(path, text)).toEqual([]))
  }

  test('files that only know each other’s types', () => {
    const found = problemsOf({
      'packages/core/src/a.ts': "import type { B } from './b.ts'\nexport interface A { b: B }",
      'packages/core/src/b.ts': "import type { A } from './a.ts'\nexport interface B { a: A }",
    })
    expect(found).toEqual([])
  })
})
