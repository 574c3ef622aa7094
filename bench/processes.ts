/** Owns the processes that are measured: each on one core of its own, started, watched and stopped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** The measured process has one core, whoever sends the requests another: neither takes the other's time. */
const measuredCore = '0'
const senderCore = '1'
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** Whether measured processes are held on one core; told with the results. */
export const onOneCore: boolean = canPin

const running = new Set<ChildProcess>()

/** Ends whatever is still running, when a measurement fails. */
export function stopAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

export interface Measured {
  readonly pid: number
  /** Milliseconds from the start of the process to its first answer. */
  readonly started_in: number
  /** Everything it has printed. */
  output(): string
  stop(): Promise<void>
}

/** Keeps this process, which sends the requests, off the measured core. */
export function pinSender(): void {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', senderCore, String(process.pid)])
}

/**
 * Starts a Node program on the measured core and waits until it answers.
 * @param ready an address to ask, or undefined for a program that ends by itself
 */
export async function startMeasured(
  parameters: readonly string[],
  ready: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<Measured> {
  const began = performance.now()
  const child = spawnMeasured(parameters, environment)
  running.add(child)
  child.once('exit', () => running.delete(child))
  let output = ''
  child.stdout?.on('data', (text: Buffer) => {
    output += text
  })
  child.stderr?.on('data', (text: Buffer) => {
    output += text
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The measured program ended: ${output}`)
    const answered = await fetch(ready).then(
      (response) => response.ok,
      () => false,
    )
    if (answered) break
    if (performance.now() - began > 30_000) throw new Error(`No answer from ${ready}: ${output}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const started_in = performance.now() - began
  return {
    pid: child.pid ?? 0,
    started_in,
    output: () => output,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

/** Runs a Node program on the measured core to its end. @returns what it printed */
export function runMeasured(parameters: readonly string[]): string {
  const [command, ...rest] = commandOf(parameters)
  const { stdout, stderr, status } = spawnSync(command, rest, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The measured program failed: ${stderr}`)
  return stdout
}

function spawnMeasured(parameters: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const [command, ...rest] = commandOf(parameters)
  return spawn(command, rest, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
}

function commandOf(parameters: readonly string[]): [string, ...string[]] {
  const node = [process.execPath, ...parameters]
  return canPin ? ['taskset', '-c', measuredCore, ...node] : [process.execPath, ...parameters]
}

/** Resident memory in MB. */
export function memoryOf({ pid }: Measured): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1000
}
