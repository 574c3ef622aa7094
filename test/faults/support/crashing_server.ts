/** Owns a real `latchkey serve` as a process of its own, which is killed and started again on the same file and port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const command = join(import.meta.dirname, '../../../packages/cli/bin/latchkey.js')

export interface CrashingServer {
  readonly issuer: string
  start(): void
  /** Waits until it takes requests. @returns milliseconds since its start @throws Error with its words when it has ended */
  ready(): Promise<number>
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
}

/** @param folder where `tenant.yaml` lies and the database comes to lie, as `latchkey.sqlite` */
export function crashingServer(folder: string, port: number): CrashingServer {
  const issuer = `http://localhost:${port}/`
  const options = [
    ...['--issuer', issuer, '--port', String(port), '--host', 'localhost', '--apply', 'tenant.yaml'],
    ...[
      '--log-level',
      'error',
      '--signups-per-address',
      '1000000',
      '--failures-per-address',
      '1000000',
      '--trips-per-address',
      '0',
    ],
  ]
  let child: ChildProcess | undefined
  let started = 0
  let words = ''
  let ended: Promise<void> = Promise.resolve()
  return {
    issuer,
    start() {
      started = performance.now()
      words = ''
      const one = spawn(process.execPath, [command, 'serve', ...options], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      for (const stream of [one.stdout, one.stderr])
        stream.on('data', (text) => {
          words = `${words}${text}`.slice(-4000)
        })
      ended = new Promise((resolve) => one.once('exit', () => resolve()))
      child = one
    },
    async ready() {
      for (;;) {
        const waited = Math.round(performance.now() - started)
        if (child?.exitCode !== null) throw new Error(`The server ended with ${child?.exitCode}: ${words}`)
        if (waited > 30_000) throw new Error(`The server is not ready after ${waited} ms: ${words}`)
        const status = await fetch(`${issuer}health/ready`, { signal: AbortSignal.timeout(5000) }).then(
          (answer) => answer.status,
          () => 0,
        )
        if (status === 200) return performance.now() - started
        await delay(10)
      }
    },
    async kill() {
      child?.kill('SIGKILL')
      await ended
    },
  }
}
