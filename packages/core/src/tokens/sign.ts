/** Owns the writing of signed JWTs. */
import type { KeyObject } from 'node:crypto'
import { algorithms } from './algorithms.ts'
import type { KeyRing } from './key_ring.ts'

/** Those that are undefined stay out of the token. */
export type Claims = Readonly<Record<string, unknown>>

const headers = new WeakMap<KeyObject, Map<string, string>>()

/**
 * Signs claims with the tenant's current key of an algorithm.
 * @param typ the `typ` header, such as `JWT`
 * @spec RFC 7515 §5.1
 */
export function signJwt(keys: KeyRing, alg: string, typ: string, claims: Claims): Promise<string> {
  const { key, kid } = keys.current(alg)
  return signWith(alg, key, headerOf(key, { alg, typ, kid }), claims)
}

/** Signs claims with a secret shared with the API. @spec RFC 7518 §3.2 */
export function signJwtWithSecret(secret: KeyObject, typ: string, claims: Claims): Promise<string> {
  return signWith('HS256', secret, headerOf(secret, { alg: 'HS256', typ }), claims)
}

async function signWith(alg: string, key: KeyObject, header: string, claims: Claims): Promise<string> {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) throw new Error(`The algorithm ${alg} is not known`)
  const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = await algorithm.sign(Buffer.from(input, 'latin1'), key)
  return `${input}.${signature.toString('base64url')}`
}

// The header is the same for every token of a key: encoded once.
function headerOf(
  key: KeyObject,
  header: { readonly alg: string; readonly typ: string; readonly kid?: string },
): string {
  const known = headers.get(key) ?? new Map<string, string>()
  headers.set(key, known)
  const encoded = known.get(header.typ) ?? Buffer.from(JSON.stringify(header)).toString('base64url')
  known.set(header.typ, encoded)
  return encoded
}
