/** Owns what is looked at before any cryptography: size, characters, parts and header of a token. */
import { parseObject } from './json_object.ts'
import { TokenError } from './token_error.ts'

export interface TokenHeader {
  readonly alg: string
  readonly kid: string | undefined
  /** True where the token says itself that it is an access token (RFC 9068). */
  readonly at_jwt: boolean
  /** The encoded claims, not to be believed before the signature has been checked. */
  readonly payload: string
}

/** Characters of a token, bounded before anything is parsed. */
const largest = 16_384

// One text for one sequence of bytes: no padding, no foreign character, the unused bits of the last character zero (RFC 4648 §3.5).
const canonicalBase64url = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

/**
 * Reads the header of a signed token. Key-bearing parameters (`jku`, `jwk`, `x5u`, `x5c`) are never looked at.
 * @throws TokenError
 * @spec RFC 7515 §7.1
 * @spec RFC 8725 §3.11
 * @spec RFC 9068 §4
 */
export function readHeader(token: unknown, algorithms: readonly string[]): TokenHeader {
  if (typeof token !== 'string' || token === '') throw new TokenError('missing_token')
  if (token.length > largest) throw new TokenError('token_too_large')
  const parts = token.split('.', 6)
  if (parts.length === 5) throw new TokenError('encrypted')
  const [encoded, payload, signature] = parts
  if (parts.length !== 3 || !encoded || !payload || signature === undefined) throw new TokenError('malformed')
  if (!parts.every((part) => canonicalBase64url.test(part))) throw new TokenError('malformed')

  const header = parseObject(encoded)
  if (header === undefined) throw new TokenError('malformed')
  const { alg, kid, typ, crit } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new TokenError('algorithm_refused')
  if (crit !== undefined) throw new TokenError('critical_header')
  const type = normalizedType(typ)
  if (type !== undefined && type !== 'jwt' && type !== 'at+jwt') throw new TokenError('wrong_type')
  if (kid !== undefined && typeof kid !== 'string') throw new TokenError('malformed')
  if (signature === '') throw new TokenError('malformed')
  return { alg, kid, at_jwt: type === 'at+jwt', payload }
}

/** Media types compare without regard to case, and `application/` may be left out (RFC 7515 §4.1.9). */
function normalizedType(typ: unknown): string | undefined {
  if (typ === undefined) return undefined
  if (typeof typ !== 'string') throw new TokenError('wrong_type')
  return typ.toLowerCase().replace(/^application\//, '')
}
