/** Owns running samples as programs of their own, the way a reader would. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { root } from './blocks.ts'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment of a reader's terminal inside the clone: the Node of the clone, and no settings of this run. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(LATCHKEY_|VITEST|NODE_OPTIONS|npm_)/.test(name))
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  return { ...Object.fromEntries(own), PATH: path, NODE_ENV: 'development', npm_config_loglevel: 'error', ...more }
}

/** Runs a program to its end, at most a minute. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    cwd,
    env: environment(more),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Starts a server program and waits until the address answers. */
export async function start(file: string, cwd: string, url: string): Promise<{ stop(): Promise<void> }> {
  const child = spawn(process.execPath, [file], { cwd, env: environment({}), stdio: ['ignore', 'inherit', 'inherit'] })
  await untilAnswering(url, child)
  return {
    async stop() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    if ((await fetch(url).catch(() => undefined)) !== undefined) return
    await pause(50)
  }
  child.kill()
  throw new Error(`${url} did not answer`)
}
