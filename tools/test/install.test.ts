/** The installation against a real npm, in small workspaces that need no registry. */
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { install } from '../install.mjs'
import { Stop } from '../stop.mjs'

let root: string

const write = (name: string, content: unknown) =>
  writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content))

const lock = (version: string) => ({
  name: 'root',
  lockfileVersion: 3,
  packages: {
    '': { name: 'root', workspaces: ['one'] },
    one: { name: 'one', version },
    'node_modules/one': { resolved: 'one', link: true },
  },
})

beforeEach(() => {
  // The progress is for people, not for the log of the tests.
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  root = mkdtempSync(join(tmpdir(), 'latchkey-install-'))
  mkdirSync(join(root, 'one'))
  write('package.json', { name: 'root', private: true, workspaces: ['one'] })
  write('one/package.json', { name: 'one', version: '1.0.0' })
  write('package-lock.json', lock('1.0.0'))
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(root, { recursive: true, force: true })
})

describe('bringing the dependencies', () => {
  test('happens once, and again when the lock file changes', async () => {
    expect(await install(root)).toBe(true)
    expect(lstatSync(join(root, 'node_modules', 'one')).isSymbolicLink()).toBe(true)
    expect(await install(root)).toBe(false)
    rmSync(join(root, 'node_modules'), { recursive: true })
    expect(await install(root)).toBe(true)
  })

  test('is not repeated after an installation by hand', async () => {
    await install(root)
    rmSync(join(root, 'node_modules', '.cache'), { recursive: true })
    expect(await install(root)).toBe(false)
  })

  test('is repeated when npm’s record lacks what the lock file asks for', async () => {
    await install(root)
    rmSync(join(root, 'node_modules', '.cache'), { recursive: true })
    write('node_modules/.package-lock.json', { packages: {} })
    expect(await install(root)).toBe(true)
  })

  for (const [name, breakIt, sentence] of [
    ['no lock file', () => rmSync(join(root, 'package-lock.json')), /is missing here/],
    ['an unresolved merge', () => write('package-lock.json', '{\n<<<<<<< HEAD\n'), /unresolved merge/],
    ['a damaged lock file', () => write('package-lock.json', '{'), /is damaged/],
    [
      'a lock file of other packages',
      () => {
        mkdirSync(join(root, 'two'))
        write('two/package.json', { name: 'two', version: '1.0.0' })
        write('one/package.json', { name: 'one', version: '1.0.0', dependencies: { two: 'file:../two' } })
      },
      /disagree: run "npm install"/,
    ],
  ] as const) {
    test(`${name} stops with a sentence`, async () => {
      breakIt()
      const failure = install(root)
      await expect(failure).rejects.toBeInstanceOf(Stop)
      await expect(failure).rejects.toThrow(sentence)
    })
  }
})
