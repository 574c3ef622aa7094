/** Owns the server's public keys: fetched once, and again when a token names a key that is not among them. */

import { LatchkeyError } from './errors.ts'

/** How WebCrypto is told each algorithm: to import the key, to verify with it, and to hash for `at_hash`. */
export const signingAlgs = {
  RS256: { kty: 'RSA', key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, hash: 'SHA-256' },
  PS256: { kty: 'RSA', key: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 }, hash: 'SHA-256' },
  ES256: { kty: 'EC', key: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }, hash: 'SHA-256' },
  EdDSA: { kty: 'OKP', key: { name: 'Ed25519' }, hash: 'SHA-512' },
} as const

export type SigningAlg = keyof typeof signingAlgs

interface Jwk {
  readonly kid?: string
  readonly kty?: string
  readonly use?: string
  readonly alg?: string
  readonly [member: string]: unknown
}

/** Finds the key of a token's header. */
export type FindKey = (alg: SigningAlg, kid: string | undefined) => Promise<CryptoKey>

/** Milliseconds between two fetches: made-up key ids must not become a flood of requests. */
const brake = 30_000

/**
 * A finder over `{issuer}.well-known/jwks.json`.
 * @spec OpenID Connect Core §10.1.1
 */
export function openKeys(issuer: string): FindKey {
  let keys: Promise<readonly Jwk[]> | undefined
  let fetched = 0

  const load = () => {
    fetched = Date.now()
    const loading = fetchKeys(`${issuer}.well-known/jwks.json`)
    keys = loading
    loading.catch(() => {
      if (keys === loading) keys = undefined
    })
    return loading
  }

  return async (alg, kid) => {
    let found = choose(await (keys ?? load()), alg, kid)
    if (!found) found = choose(await (!keys || Date.now() - fetched >= brake ? load() : keys), alg, kid)
    if (!found) throw new LatchkeyError('id_token_key', `The server publishes no ${alg} key "${kid}".`)
    try {
      const { kty, n, e, crv, x, y } = found
      // Only the numbers are taken over: what the key is for is decided here, not in the file.
      const jwk = { kty, n, e, crv, x, y } as JsonWebKey
      return await crypto.subtle.importKey('jwk', jwk, signingAlgs[alg].key, false, ['verify'])
    } catch (cause) {
      throw new LatchkeyError('id_token_key', `The key "${kid}" of the server cannot be used.`, cause)
    }
  }
}

function choose(keys: readonly Jwk[], alg: SigningAlg, kid: string | undefined): Jwk | undefined {
  const fitting = keys.filter(
    (key) =>
      key.kty === signingAlgs[alg].kty &&
      (key.use ?? 'sig') === 'sig' &&
      (key.alg ?? alg) === alg &&
      (kid === undefined || key.kid === kid),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

async function fetchKeys(url: string): Promise<readonly Jwk[]> {
  try {
    const answer = await fetch(url, { credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(10_000) })
    if (!answer.ok) throw new TypeError(`status ${answer.status}`)
    const { keys } = await answer.json()
    if (!Array.isArray(keys)) throw new TypeError('no list of keys')
    return keys
  } catch (cause) {
    throw new LatchkeyError('jwks_unavailable', `The keys of the server could not be read from ${url}.`, cause)
  }
}
