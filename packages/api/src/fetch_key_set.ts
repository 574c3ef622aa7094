/** Owns one fetch of an issuer's key set: bounded in time and size, no redirects. */
import type { JSONWebKeySet } from 'jose'

export interface KeySource {
  readonly jwks_uri: string
  /** Seconds. */
  readonly timeout: number
  readonly fetch: typeof fetch
}

/** Bytes of a key set, and keys in it. */
const largest = 65_536
const mostKeys = 100

/** @throws Error saying what was wrong with the answer of `jwks_uri` */
export async function fetchKeySet(source: KeySource): Promise<JSONWebKeySet> {
  const response = await source.fetch(source.jwks_uri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(source.timeout * 1000),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`${source.jwks_uri} answered ${response.status}; expected 200 with a key set`)
  }
  const keySet: unknown = JSON.parse(await readBounded(response))
  if (!isKeySet(keySet)) throw new Error(`${source.jwks_uri} answered something that is not a key set`)
  return keySet
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let size = 0
  let text = ''
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > largest) throw new Error(`The key set is longer than ${largest} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value)) return false
  const { keys } = value
  return Array.isArray(keys) && keys.length <= mostKeys && keys.every((key) => typeof key === 'object' && key !== null)
}
