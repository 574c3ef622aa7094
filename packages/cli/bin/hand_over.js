// @ts-check
/** Owns standing in for another process: same terminal, same signals, same end. */
import { spawn } from 'node:child_process'

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Runs a program with this process's terminal and ends as it ends: the same exit code, or the same signal.
 * @param {string} program path of the executable
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function handOver(program, args, env = process.env) {
  const child = spawn(program, args, { stdio: 'inherit', env })
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the child by itself; a second one would read as "stop at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (cause) => {
    console.error(`${program} could not be started: ${cause.message}.`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of SIGNALS) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}
