/** Owns the public keys of clients: read from the registration or from the client's own address, and found by what a JWT says of its key. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Client, Jwk } from '@latchkey/store'
import type { Context } from './context.ts'
import type { Document } from './documents.ts'

export interface ClientKey {
  readonly key: KeyObject
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  /** `sig` or `enc`; without it the key serves for both. */
  readonly use?: string
}

/** Whoever publishes keys: a client, or an issuer that is trusted. */
export type KeyHolder = Pick<Client, 'client_id' | 'jwks' | 'jwks_uri'>

export interface ClientKeys {
  readonly keys: readonly ClientKey[]
  /** Where they were fetched. */
  readonly document?: Document
}

/** Keys of one client that are looked at. */
const mostKeys = 20

const accept = ['application/json', 'application/jwk-set+json']

/** What was made of a registration or of a document; the same object is not read twice. */
const parsed = new WeakMap<object, readonly ClientKey[]>()

/**
 * @param newer_than keys that lack the one that is needed: where the client publishes its keys they are fetched again, with a brake
 * @throws FetchError when the client's address does not answer
 * @spec OpenID Connect Core §10.1.1
 */
export async function clientKeys(ctx: Context, client: KeyHolder, newer_than?: ClientKeys): Promise<ClientKeys> {
  const { jwks, jwks_uri } = client
  if (jwks !== undefined) return { keys: remembered(jwks, () => jwks.keys) }
  if (jwks_uri === undefined) return { keys: [] }
  const old = newer_than?.document
  const document = await ctx.documents.read(jwks_uri, { accept, ...(old === undefined ? {} : { newer_than: old }) })
  return { document, keys: remembered(document, () => listOf(document.text)) }
}

function remembered(source: object, read: () => readonly Jwk[]): readonly ClientKey[] {
  const known = parsed.get(source)
  if (known !== undefined) return known
  const keys = read().slice(0, mostKeys).flatMap(readKey)
  parsed.set(source, keys)
  return keys
}

function listOf(text: string): readonly Jwk[] {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown }
    return Array.isArray(keys) ? keys.filter((one) => typeof one === 'object' && one !== null) : []
  } catch {
    return []
  }
}

/** What is no public key of a kind that we know is passed over: a set may hold keys for others. @spec RFC 7517 §5 */
function readKey(jwk: Jwk): readonly ClientKey[] {
  const { kty, kid, alg, use } = jwk
  // Who publishes a private key has no key.
  if (typeof kty !== 'string' || !['RSA', 'EC', 'OKP'].includes(kty) || jwk.d !== undefined) return []
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const details = Object.fromEntries(Object.entries({ kid, alg, use }).filter(([, one]) => typeof one === 'string'))
    return [{ key, kty, ...details }]
  } catch {
    return []
  }
}
