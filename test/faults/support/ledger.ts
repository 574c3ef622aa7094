/** Owns the ledger of acknowledged writes: a line each, on the disk before it counts. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

export type Entry =
  /** A sign-up that was answered with 200. */
  | { readonly kind: 'user'; readonly email: string }
  /** A sign-in that was answered with a cookie. */
  | { readonly kind: 'session'; readonly cookie: string }
  /** A sign-out about to be asked for, and one that was answered. */
  | { readonly kind: 'leaving' | 'ended'; readonly cookie: string }
  /** A yes whose answer carried an access token. */
  | { readonly kind: 'consent'; readonly cookie: string; readonly email: string }
  | { readonly kind: 'token'; readonly access_token: string }

export interface Ledger {
  write(entry: Entry): void
  close(): void
}

export function openLedger(file: string): Ledger {
  const descriptor = openSync(file, 'a')
  return {
    write(entry) {
      writeSync(descriptor, `${JSON.stringify(entry)}\n`)
      fsyncSync(descriptor)
    },
    close: () => closeSync(descriptor),
  }
}

/** The entries that are written wholly. */
export function readLedger(file: string): readonly Entry[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
}
