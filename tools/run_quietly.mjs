// @ts-check
/** Owns running a program whose output is only worth reading when it fails. */
import { spawn } from 'node:child_process'
import { Stop } from './stop.mjs'

/**
 * Runs a program, keeps what it prints, and takes it along when this process is ended.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, shell?: boolean }} options
 * @returns {Promise<{ code: number, log: string }>}
 */
export function runQuietly(program, args, { cwd, env = process.env, shell = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] })
    /** @type {Buffer[]} */
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    const stop = () => {
      child.kill('SIGTERM')
      process.exit(130)
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    const end = () => process.off('SIGINT', stop).off('SIGTERM', stop)
    child.on('error', (cause) => {
      end()
      reject(new Stop(`${program} could not be started (${cause.message}). Install it, or put it on the PATH.`))
    })
    child.on('close', (code) => {
      end()
      resolve({ code: code ?? 1, log: Buffer.concat(chunks).toString('utf8') })
    })
  })
}
