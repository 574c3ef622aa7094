/** The first steps of the command: finding a Node, and standing in for the process it runs. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findInstalledNode, suits } from '../bin/find_node.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-bin-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('which Node', () => {
  for (const [version, answer] of [
    ['v24.21.0', true],
    ['22.19.0', true],
    ['22.18.0', false],
    ['23.5.0', false],
    ['23.6.0', true],
    ['20.20.2', false],
    ['v26.0.0', true],
    ['', false],
  ] as const) {
    test(`"${version}" ${answer ? 'runs' : 'does not run'} TypeScript`, () => expect(suits(version)).toBe(answer))
  }

  test('the one in node_modules is found from a folder beneath it', () => {
    const place = join(folder, 'node_modules', '.bin')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'node'), '')
    mkdirSync(join(folder, 'packages', 'cli'), { recursive: true })
    expect(findInstalledNode(join(folder, 'packages', 'cli'))).toBe(join(place, 'node'))
  })

  test('it is found where npm made no link to it', () => {
    const place = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'node'), '')
    expect(findInstalledNode(folder)).toBe(join(place, 'node'))
  })

  test('the running one is not found again, which would be a circle', () => {
    const place = join(folder, 'node_modules', '.bin')
    mkdirSync(place, { recursive: true })
    symlinkSync(process.execPath, join(place, 'node'))
    expect(findInstalledNode(folder)).toBeUndefined()
  })
})

describe('handing over', () => {
  const handOver = join(import.meta.dirname, '..', 'bin', 'hand_over.js')

  /** Starts a process that hands over to another one running `program`. */
  function start(program: string) {
    const code = `import { handOver } from ${JSON.stringify(handOver)}; handOver(process.execPath, ['-e', ${JSON.stringify(program)}])`
    return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  }

  function ended(child: ReturnType<typeof start>): Promise<{ code: number | null; signal: string | null }> {
    return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
  }

  test('keeps the exit code', async () => {
    expect(await ended(start('process.exit(7)'))).toEqual({ code: 7, signal: null })
  })

  test('keeps the signal that ended it', async () => {
    expect(await ended(start("process.kill(process.pid, 'SIGKILL')"))).toEqual({ code: null, signal: 'SIGKILL' })
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`passes ${signal} on and waits for the graceful end`, async () => {
      const program = `process.on('${signal}', () => setTimeout(() => { console.log('ended well'); process.exit(3) }, 100)); setInterval(() => {}, 1000); console.log('ready')`
      const child = start(program)
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
        if (output === 'ready\n') child.kill(signal)
      })
      expect(await ended(child)).toEqual({ code: 3, signal: null })
      expect(output).toBe('ready\nended well\n')
    })
  }

  test('says which program cannot be started', async () => {
    const code = `import { handOver } from ${JSON.stringify(handOver)}; handOver('/nowhere/node', [])`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    expect(stderr).toContain('/nowhere/node could not be started')
    expect(status).toBe(1)
  })
})

/** A Node that is too old, where the system has one. */
const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return status === 0 && !suits(stdout)
})

describe.skipIf(old === undefined)('an old Node', () => {
  const run = (file: string, ...args: string[]) =>
    new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile(old ?? '', [file, ...args], (_error, stdout, stderr) => resolve({ stdout, stderr }))
    })

  test('starts the command with the installed one', async () => {
    const { stdout, stderr } = await run(join(import.meta.dirname, '..', 'bin', 'latchkey.js'), 'version')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/\d+\.\d+\.\d+/)
  })

  test('says what to install where there is no other', async () => {
    mkdirSync(join(folder, 'bin'))
    for (const name of ['latchkey.js', 'find_node.js', 'hand_over.js']) {
      copyFileSync(join(import.meta.dirname, '..', 'bin', name), join(folder, 'bin', name))
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const { stderr } = await run(join(folder, 'bin', 'latchkey.js'), 'version')
    expect(stderr).toMatch(/^latchkey needs Node 22\.19 or newer; this is .*Run "npm install" .* or install Node 24/)
  })
})
