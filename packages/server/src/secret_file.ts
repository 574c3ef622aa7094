/** Owns the server secret of an installation that was given none: a file beside the database, readable by its owner alone. */
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from './config.ts'

/** A secret file that cannot be used. The message says what to change. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError'
}

const secretBytes = 48

/**
 * The secrets to open the vault with: the configured ones, or the one kept beside the database. A database in memory gets one that
 * nobody needs to know.
 * @throws SecretFileError
 */
export function serverSecrets(
  { secret, database }: Pick<Config, 'secret' | 'database'>,
  random: (bytes: number) => string,
): readonly string[] {
  if (secret !== undefined && secret.length > 0) return secret
  const file = database.slice('sqlite:'.length)
  return [file === ':memory:' ? random(secretBytes) : readOrCreateSecret(`${file}-secret`, random)]
}

/**
 * Reads the secret, or makes it. It is on the disk before it is used, as losing it would lose what it sealed; and of two processes
 * that make it at once, both use the one that was first.
 * @param random random bytes as base64url
 * @throws SecretFileError when others may read the file, or it holds no secret, or it cannot be made
 */
export function readOrCreateSecret(file: string, random: (bytes: number) => string): string {
  const there = readSecret(file)
  if (there !== undefined) return there
  const draft = `${file}.${process.pid}-${random(6)}`
  try {
    writeDurably(draft, `${random(secretBytes)}\n`)
    linkSync(draft, file)
    syncDirectory(dirname(file))
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST'))
      throw new SecretFileError(
        `The secret file ${file} cannot be made (${messageOf(cause)}): make its directory writable, or set LATCHKEY_SECRET.`,
        { cause },
      )
  } finally {
    rmSync(draft, { force: true })
  }
  const made = readSecret(file)
  if (made === undefined) throw new SecretFileError(`The secret file ${file} went away while it was made: start again.`)
  return made
}

function readSecret(file: string): string | undefined {
  try {
    const { mode } = statSync(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new SecretFileError(`Others may read the secret file ${file}: run chmod 600 on it, or set LATCHKEY_SECRET.`)
    const secret = readFileSync(file, 'utf8').trim()
    if (secret.length >= 32) return secret
    throw new SecretFileError(
      `The secret file ${file} holds no secret: restore it from a backup, as the database was written with it.`,
    )
  } catch (cause) {
    if (cause instanceof SecretFileError) throw cause
    if (hasCode(cause, 'ENOENT')) return undefined
    throw new SecretFileError(`The secret file ${file} cannot be read (${messageOf(cause)}).`, { cause })
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function syncDirectory(directory: string): void {
  // Windows cannot open a directory, and needs no telling.
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
