/**
 * Owns what a DPoP proof must say, whoever checks it: the form of its header and of its claims. Signature, thumbprint and hash are
 * for the two sides that have cryptography.
 */
import { parseUri } from './uris.ts'

/** Asymmetric, and never `none`. As discovery and challenges list them. @spec RFC 9449 §11.6 */
export const dpopAlgorithms: readonly string[] = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256']

/** Characters of a proof, bounded before anything is parsed. */
export const longestProof = 8192
/** Characters of a `jti`. */
const longestId = 256
/** Seconds after `iat` for which a proof counts. */
export const proofLasts = 300
/** Seconds by which the clock of whoever made the proof may be ahead. */
const ahead = 60

// One text for one sequence of bytes: no padding, no foreign character, the unused bits of the last character zero (RFC 4648 §3.5).
const canonicalBase64url = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

type Members = Readonly<Record<string, unknown>>

/** True for three canonical base64url parts, the signature among them. */
export function isProofShaped(proof: string): boolean {
  const parts = proof.length > longestProof ? [] : proof.split('.')
  return parts.length === 3 && parts.every((part) => part !== '' && canonicalBase64url.test(part))
}

/** The public members of a key of each algorithm. */
const keyMembers: Readonly<Record<string, { kty: string; crv?: string; members: readonly string[] }>> = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['x', 'y'] },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  PS256: { kty: 'RSA', members: ['n', 'e'] },
  RS256: { kty: 'RSA', members: ['n', 'e'] },
}
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Looks at the header, before the signature is checked.
 * @returns the key without anything that does not belong to it, or the sentence that says what is wrong
 * @spec RFC 9449 §4.2
 * @spec RFC 9449 §4.3
 */
export function proofKey({ typ, alg, jwk, crit }: Members): Readonly<Record<string, string>> | string {
  if (typ !== 'dpop+jwt') return 'typ of the DPoP proof must be dpop+jwt'
  const needed = typeof alg === 'string' ? keyMembers[alg] : undefined
  if (needed === undefined || !dpopAlgorithms.includes(String(alg)))
    return `alg of the DPoP proof must be one of ${dpopAlgorithms.join(', ')}`
  if (crit !== undefined) return 'The DPoP proof must not have crit'
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'The DPoP proof needs its public key as jwk'
  const key = jwk as Members
  if (privateMembers.some((name) => name in key)) return 'jwk of the DPoP proof must hold the public key alone'
  const { kty, crv, members } = needed
  const values = Object.fromEntries(members.map((name) => [name, key[name]]))
  const fits = Object.values(values).every((value) => typeof value === 'string' && canonicalBase64url.test(value))
  if (key.kty !== kty || key.crv !== crv || !fits) return 'jwk of the DPoP proof is not a key for its alg'
  if (kty === 'RSA' && (!isFitModulus(String(key.n)) || String(key.e).length > 8))
    return 'An RSA key of a DPoP proof needs 2048 to 8192 bits'
  return { kty, ...(crv === undefined ? {} : { crv }), ...(values as Record<string, string>) }
}

/** By its length in base64url; a smaller number cannot have that many digits. @spec RFC 7518 §3.3 */
function isFitModulus(n: string): boolean {
  return n.length >= 342 && n.length <= 1366 && !n.startsWith('A')
}

export interface ProofExpectation {
  /** The HTTP method of the request. */
  readonly method: string
  /** The address that was called. */
  readonly url: string
  /** Seconds since 1970. */
  readonly now: number
  /** The hash of the access token beside it, where there is one. */
  readonly ath?: string
}

export interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly nonce?: string
}

/**
 * Looks at the claims of a proof whose signature is good. Whether its nonce is known, and its `jti` new, is for the caller.
 * @returns the claims, or the sentence that says what is wrong
 * @spec RFC 9449 §4.3
 * @spec RFC 9449 §11.1
 */
export function proofClaims(claims: Members, expected: ProofExpectation): ProofClaims | string {
  const { jti, htm, htu, iat, ath, nonce } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > longestId)
    return `jti of the DPoP proof must be a text of 1 to ${longestId} characters`
  if (htm !== expected.method) return 'htm of the DPoP proof is not the method of the request'
  if (typeof htu !== 'string' || !isSameTarget(htu, expected.url))
    return 'htu of the DPoP proof is not the address of the request'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'iat of the DPoP proof must be a number of seconds'
  if (iat > expected.now + ahead) return 'The DPoP proof was made in the future: check the clock'
  if (iat < expected.now - proofLasts) return 'The DPoP proof is too old: check the clock'
  if (expected.ath !== undefined && ath !== expected.ath)
    return 'ath of the DPoP proof is not the hash of the access token'
  if (nonce !== undefined && typeof nonce !== 'string') return 'nonce of the DPoP proof must be a text'
  return { jti, iat, ...(nonce === undefined ? {} : { nonce }) }
}

/**
 * Compares addresses without query and fragment, after normalisation of what means the same by syntax and by scheme.
 * @spec RFC 9449 §4.3
 */
export function isSameTarget(htu: string, url: string): boolean {
  const [stated, called] = [normalized(htu), normalized(url)]
  return stated !== undefined && stated === called
}

function normalized(text: string): string | undefined {
  const uri = parseUri(text)
  if (uri === undefined || (uri.protocol !== 'https:' && uri.protocol !== 'http:')) return undefined
  if (uri.username !== '' || uri.password !== '') return undefined
  // The parser has lowered scheme and host, dropped the default port and resolved dots; escapes are left (RFC 3986 §6.2.2).
  const path = uri.pathname.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase()
  })
  return `${uri.origin}${path}`
}
