/** Owns the processes that are measured: each on one core of its own, started, watched and stopped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

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

export interface Asked {
  readonly pid: number
  /** Writes a line to the program. @returns the line that it answers with */
  ask(line: string): Promise<string>
  stop(): Promise<void>
}

/** Starts a Node program on the measured core that does what its standard input says, line by line. */
export function startAsked(parameters: readonly string[]): Asked {
  const child = spawnMeasured(parameters, {}, 'pipe')
  running.add(child)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void ended.then(() => running.delete(child))
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  return {
    pid: child.pid ?? 0,
    ask: (line) =>
      new Promise((resolve, reject) => {
        lines.once('line', resolve)
        child.once('exit', () => reject(new Error(`The measured program ended at "${line}"`)))
        child.stdin?.write(`${line}\n`)
      }),
    stop() {
      child.stdin?.end()
      return ended
    },
  }
}

function spawnMeasured(
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const [command, ...rest] = commandOf(parameters)
  const output = input === 'pipe' ? 'inherit' : 'pipe'
  return spawn(command, rest, { env: { ...process.env, ...environment }, stdio: [input, 'pipe', output] })
}

function commandOf(parameters: readonly string[]): [string, ...string[]] {
  const node = [process.execPath, ...parameters]
  return canPin ? ['taskset', '-c', measuredCore, ...node] : [process.execPath, ...parameters]
}

/** Resident memory in MB. The kernel's kB is 1024 bytes. */
export function memoryOf({ pid }: Measured): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(line?.[1] ?? Number.NaN) * 1024) / 1e6
}

/**
 * How much a process does in a second of its core: other programs of the machine take time away, and that time is not counted. Where
 * the system does not tell what a process has used, it is a second of the clock.
 * @param work keeps the process busy for a while @returns how often it did its work
 */
export async function perSecond({ pid }: { readonly pid: number }, work: () => Promise<number>): Promise<number> {
  const [used, began] = [usedSeconds(pid), performance.now()]
  const done = await work()
  const [usedAfter, ended] = [usedSeconds(pid), performance.now()]
  return done / (used === undefined || usedAfter === undefined ? (ended - began) / 1000 : usedAfter - used)
}

/** Seconds of processor time of all threads, in the process and in the kernel; undefined where the system does not tell. */
function usedSeconds(pid: number): number | undefined {
  try {
    // Fields 14 and 15, counted behind the name in brackets, which may hold anything: hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}
