/** Owns the issuer's keys as this API remembers them: when they are fetched, how long they serve, what an outage changes. */
import { createLocalJWKSet, errors } from 'jose'
import { fetchKeySet, type KeySource } from './fetch_key_set.ts'
import { TokenError } from './token_error.ts'

export interface KeySetSettings extends KeySource {
  /** Seconds. */
  readonly cache_max_age: number
  /** Seconds. */
  readonly cooldown: number
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

export interface KeySet {
  /** @throws TokenError `unknown_key` or `keys_unavailable` */
  find(header: { readonly alg: string; readonly kid: string | undefined }): Promise<CryptoKey>
}

/** Seconds between two tries while no keys have ever been fetched, so that an API may start before its issuer. */
const firstRetry = 1

/**
 * One fetch is in flight at a time and everybody waits for that one. Keys older than `cache_max_age` are fetched again before
 * they are used; once that has failed they go on serving, and it is tried again in the background every `cooldown`.
 * An unknown `kid` causes one fetch, and another only after `cooldown` unless the last one brought what it was for.
 */
export function createKeySet(settings: KeySetSettings): KeySet {
  const { cache_max_age, cooldown, clock } = settings
  const never = Number.NEGATIVE_INFINITY
  let keys: ReturnType<typeof createLocalJWKSet> | undefined
  let failure: unknown
  let loadedAt = never
  let triedAt = never
  let soughtAt = never
  let pending: Promise<void> | undefined

  // A clock that was set back counts as time passed: better one fetch too many than keys that never age.
  const passed = (since: number, seconds: number) => clock() < since || clock() - since >= seconds * 1000

  const refresh = (): Promise<void> => {
    pending ??= load().finally(() => {
      pending = undefined
    })
    return pending
  }

  async function load(): Promise<void> {
    try {
      keys = createLocalJWKSet(await fetchKeySet(settings))
      failure = undefined
      loadedAt = clock()
    } catch (cause) {
      failure = cause
    }
    triedAt = clock()
  }

  async function freshen(): Promise<void> {
    if (keys === undefined) return passed(triedAt, firstRetry) ? refresh() : undefined
    if (!passed(loadedAt, cache_max_age)) return
    if (failure === undefined || passed(triedAt, cache_max_age)) return refresh()
    if (passed(triedAt, cooldown)) void refresh()
  }

  async function lookUp(alg: string, kid: string): Promise<CryptoKey | undefined> {
    if (keys === undefined) throw new TokenError('keys_unavailable', { cause: failure })
    try {
      return await keys({ alg, kid })
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey) return undefined
      throw new TokenError('unknown_key', { cause })
    }
  }

  /** Asks the issuer for a key that is not among the remembered ones. */
  async function seek(alg: string, kid: string): Promise<CryptoKey | undefined> {
    if (pending !== undefined) {
      await pending
      const key = await lookUp(alg, kid)
      if (key !== undefined) return key
    }
    if (!passed(soughtAt, cooldown)) return undefined
    soughtAt = clock()
    await refresh()
    const key = await lookUp(alg, kid)
    // Only a fruitless fetch brakes the next: nobody can forge a fruitful one.
    if (key !== undefined) soughtAt = never
    return key
  }

  return {
    async find({ alg, kid }) {
      // Without a kid the key would be a guess.
      if (kid === undefined)
        throw new TokenError('unknown_key', { description: 'The access token names no key (kid).' })
      await freshen()
      const key = (await lookUp(alg, kid)) ?? (await seek(alg, kid))
      if (key !== undefined) return key
      // An issuer that cannot be asked may well have the key.
      throw new TokenError(failure === undefined ? 'unknown_key' : 'keys_unavailable', { cause: failure })
    },
  }
}
