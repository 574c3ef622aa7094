/** Owns the logins in progress: one entry in the browser's storage for each, taken out when its answer comes. */

import { LatchkeyError } from './errors.ts'

/** What was asked for; the answer is measured by it. */
export interface Asked {
  readonly redirect_uri: string
  readonly response_type: string
  readonly scope: string
  readonly audience?: string | undefined
  readonly max_age?: number | undefined
}

export interface Transaction extends Asked {
  readonly state: string
  readonly nonce: string
  readonly app_state?: unknown
  /** Milliseconds since 1970. */
  readonly created: number
}

export type TransactionStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

const lifetime = 30 * 60_000
/** So many unanswered logins are kept; beyond it, the oldest go. */
const limit = 20
const prefix = 'latchkey.'

/** @throws {LatchkeyError} `storage_unavailable` when the browser refuses both kinds of storage. */
export function openTransactions(choice: 'session' | 'local' | TransactionStorage = 'session') {
  let opened: TransactionStorage | undefined
  const storage = () => {
    opened ??= typeof choice === 'object' ? choice : openStorage(choice)
    return opened
  }

  return {
    save(transaction: Transaction): void {
      const store = storage()
      const text = JSON.stringify(transaction)
      forgetOld(store)
      try {
        store.setItem(prefix + transaction.state, text)
      } catch (cause) {
        throw new LatchkeyError('storage_unavailable', 'The login in progress could not be stored.', cause)
      }
    },

    /** Reads an entry and removes it, so that no answer counts twice. */
    take(state: string): Transaction | undefined {
      const store = storage()
      const found = read(store, prefix + state)
      store.removeItem(prefix + state)
      return found?.state === state && isFresh(found) ? found : undefined
    },
  }
}

function openStorage(choice: 'session' | 'local'): Storage {
  for (const name of choice === 'session' ? (['session', 'local'] as const) : (['local', 'session'] as const)) {
    try {
      // Merely naming the storage throws where the browser blocks it.
      const storage = name === 'session' ? sessionStorage : localStorage
      storage.setItem(`${prefix}try`, '')
      storage.removeItem(`${prefix}try`)
      return storage
    } catch {}
  }
  throw new LatchkeyError('storage_unavailable', 'The browser lets this page store nothing.')
}

function isFresh({ created }: Transaction): boolean {
  const age = Date.now() - created
  return age >= 0 && age < lifetime
}

function read(store: TransactionStorage, key: string): Transaction | undefined {
  try {
    return JSON.parse(store.getItem(key) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

function forgetOld(store: TransactionStorage): void {
  const kept: Transaction[] = []
  for (const key of Array.from({ length: store.length }, (_, index) => store.key(index))) {
    if (!key?.startsWith(prefix)) continue
    const entry = read(store, key)
    if (entry && isFresh(entry)) kept.push(entry)
    else store.removeItem(key)
  }
  kept.sort((a, b) => b.created - a.created)
  for (const { state } of kept.slice(limit - 1)) store.removeItem(prefix + state)
}
