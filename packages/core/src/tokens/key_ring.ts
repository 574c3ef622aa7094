/** Owns the signing keys of a tenant in memory: the current one of each algorithm, the public ones as a JWKS, and their rotation. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { SigningKey, Store } from '@latchkey/store'
import { longestTokenLifetime } from '../lineage.ts'
import { decryptionAlgs } from './algorithms.ts'
import type { generateSigningKey as GenerateSigningKey } from './key_generation.ts'

export interface PrivateKey {
  readonly kid: string
  readonly alg: string
  readonly key: KeyObject
}

export interface PublicKey {
  readonly kid: string
  readonly alg: string
  readonly key: KeyObject
}

export interface KeyRing {
  /** The key that signs now. @throws Error when the algorithm has none */
  current(alg: string): PrivateKey
  /** A key whose signatures still count. */
  find(kid: string): PublicKey | undefined
  /** A key of ours that clients encrypt with; without a `kid` the current one of the algorithm. */
  decrypting(alg: string, kid: string | undefined): KeyObject | undefined
  /** The body of `/.well-known/jwks.json`. */
  readonly jwks: Buffer
  /** Those that sign. */
  readonly algorithms: readonly string[]
}

/** Makes the missing keys: a current and a next one for every algorithm in use. The next is published before it is used. */
export async function ensureKeys(store: Store, algs: Iterable<string>, subject: string, now: number): Promise<void> {
  const there = await store.signingKeys.list()
  for (const alg of algs) {
    for (const state of ['current', 'next'] as const) {
      if (there.some((key) => key.alg === alg && key.state === state)) continue
      await store.signingKeys.addIfMissing(await generateKey(alg, state, subject, now), now)
    }
  }
}

/** Making keys needs libraries that a running server has no use for: they are loaded when a key is made. */
async function generateKey(...parameters: Parameters<typeof GenerateSigningKey>): Promise<SigningKey> {
  const { generateSigningKey, generateDecryptionKey } = await import('./key_generation.ts')
  const [alg, state, , now] = parameters
  return decryptionAlgs.has(alg) ? generateDecryptionKey(alg, state, now) : generateSigningKey(...parameters)
}

export async function readKeyRing(store: Store): Promise<KeyRing> {
  return keyRing(await store.signingKeys.list())
}

/** @spec RFC 7517 §5 */
export function keyRing(keys: readonly SigningKey[]): KeyRing {
  const all = keys.filter((key) => key.state !== 'revoked')
  const valid = all.filter((key) => !decryptionAlgs.has(key.alg))
  const decrypting = all
    .filter((key) => decryptionAlgs.has(key.alg))
    .map(({ kid, alg, state, private_key }) => ({ kid, alg, state, key: createPrivateKey(private_key) }))
  const signing = new Map<string, PrivateKey>()
  for (const key of valid) {
    if (key.state === 'current')
      signing.set(key.alg, { kid: key.kid, alg: key.alg, key: createPrivateKey(key.private_key) })
  }
  const verifying = new Map(
    valid.map((key) => [
      key.kid,
      { kid: key.kid, alg: key.alg, key: createPublicKey({ key: key.public_jwk, format: 'jwk' }) } satisfies PublicKey,
    ]),
  )
  const order = ['current', 'next', 'previous', 'revoked']
  const listed = all.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  return {
    current(alg) {
      const key = signing.get(alg)
      if (key === undefined) throw new Error(`There is no current signing key for ${alg}`)
      return key
    },
    find: (kid) => verifying.get(kid),
    decrypting: (alg, kid) =>
      decrypting.find((one) => one.alg === alg && (kid === undefined ? one.state === 'current' : one.kid === kid))?.key,
    jwks: Buffer.from(JSON.stringify({ keys: listed.map((key) => key.public_jwk) })),
    algorithms: [...signing.keys()],
  }
}

/**
 * Rotates the keys of an algorithm: next signs from now on, current still verifies, a new next is published.
 * @param previous_since keys from before still verify unless they were replaced by then, in milliseconds since 1970; without it they go
 * @returns the kid that signs now, or undefined when another process rotated at the same time
 */
export async function rotateKeys(
  store: Store,
  alg: string,
  subject: string,
  now: number,
  previous_since?: number,
): Promise<string | undefined> {
  const keys = await store.signingKeys.list()
  const current = keys.find((key) => key.alg === alg && key.state === 'current')
  const next = keys.find((key) => key.alg === alg && key.state === 'next')
  if (current === undefined || next === undefined) throw new Error(`There are no keys for ${alg} to rotate`)
  const made = await generateKey(alg, 'next', subject, now)
  return store.atomically(async (trx) => {
    if (!(await trx.signingKeys.rotate(alg, current.kid, made, now, previous_since))) return undefined
    await trx.configuration.touch(now)
    return next.kid
  })
}

const day = 86_400_000

/**
 * Rotates the algorithms whose current key has signed for so many days. Keys of earlier rotations go once nothing that they signed can
 * be alive.
 * @returns what signs from now on
 */
export async function rotateDueKeys(
  store: Store,
  days: number,
  subject: string,
  now: number,
): Promise<readonly { readonly alg: string; readonly kid: string }[]> {
  const rotated: { alg: string; kid: string }[] = []
  for (const alg of await store.signingKeys.algorithmsSince(now - days * day)) {
    const kid = await rotateKeys(store, alg, subject, now, now - longestTokenLifetime * 1000)
    if (kid !== undefined) rotated.push({ alg, kid })
  }
  return rotated
}
