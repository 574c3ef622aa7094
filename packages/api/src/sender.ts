/** Owns the question whether a bound token comes from the one it is bound to: by a DPoP proof, or by the certificate of the connection. */
import { isProofShaped, proofClaims, proofKey, proofLasts } from '@latchkey/oauth'
import { base64url, calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import type { Nonces } from './dpop_nonce.ts'
import type { ProofMemory } from './proof_memory.ts'
import { TokenError } from './token_error.ts'

/** How a token was sent. */
export interface TokenSender {
  /** Of the Authorization header. */
  readonly scheme: 'bearer' | 'dpop'
  /** Each `DPoP` header. */
  readonly dpop?: readonly string[] | undefined
  readonly method?: string | undefined
  /** The address that was called, whole. */
  readonly url?: string | undefined
  /** The certificate of the TLS connection, in DER. */
  readonly certificate?: Uint8Array | undefined
}

export interface SenderRules {
  /** The origin by which callers know this API; without it that of the request counts. */
  readonly origin: string | undefined
  /** Whether a token that is bound to nothing is refused. */
  readonly require_bound_tokens: boolean
  readonly nonces: Nonces | undefined
  readonly memory: ProofMemory
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

const thumbprint = /^[\w-]{43}$/

/**
 * @param cnf the claim of a token that is good in every other way
 * @throws TokenError
 * @spec RFC 7800 §3.1
 * @spec RFC 9449 §7.1
 * @spec RFC 9449 §7.2
 * @spec RFC 8705 §3
 */
export async function checkSender(
  cnf: unknown,
  token: string,
  sender: TokenSender | undefined,
  rules: SenderRules,
): Promise<void> {
  const { jkt, 'x5t#S256': x5t, ...unknown } = readConfirmation(cnf)
  const scheme = sender?.scheme ?? 'bearer'
  if (Object.keys(unknown).length > 0) throw new TokenError('proof_required')
  if (cnf === undefined && rules.require_bound_tokens) throw new TokenError('bound_token_required', { scheme: 'DPoP' })
  if (x5t !== undefined) await checkCertificate(x5t, sender?.certificate)
  if (jkt === undefined && scheme === 'bearer') return
  if (jkt === undefined) throw new TokenError('not_bound')
  if (sender === undefined || scheme === 'bearer') throw new TokenError('proof_required', { scheme: 'DPoP' })
  await checkProof(jkt, token, sender, rules)
}

function readConfirmation(cnf: unknown): Readonly<Record<string, string>> {
  if (cnf === undefined) return {}
  const members = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  // A binding that cannot be checked is not passed over.
  if (members.length === 0 || !members.every(([, value]) => typeof value === 'string' && thumbprint.test(value)))
    throw new TokenError('proof_required')
  return Object.fromEntries(members)
}

async function checkCertificate(x5t: string, certificate: Uint8Array | undefined): Promise<void> {
  if (certificate === undefined) throw new TokenError('certificate_required')
  if ((await hashOf(certificate)) !== x5t) throw new TokenError('wrong_sender')
}

/** @spec RFC 9449 §4.3 */
async function checkProof(jkt: string, token: string, sender: TokenSender, rules: SenderRules): Promise<void> {
  const [proof, second] = sender.dpop ?? []
  if (proof === undefined || second !== undefined) throw badProof('Send exactly one DPoP proof')
  if (!isProofShaped(proof)) throw badProof('The DPoP proof is not a well-formed signed JWT')
  const signed = await readSigned(proof, rules)
  const now = Math.floor(rules.clock() / 1000)
  const { method = '', url = '' } = sender
  const claims = proofClaims(signed.payload, {
    ...{ method, now, url: publicUrl(url, rules.origin) },
    ath: await hashOf(new TextEncoder().encode(token)),
  })
  if (typeof claims === 'string') throw badProof(claims)
  await checkNonce(claims.nonce, rules.nonces)
  if (signed.jkt !== jkt) throw new TokenError('wrong_sender', { scheme: 'DPoP' })
  await takeOnce(`${jkt} ${claims.jti}`, (Math.ceil(claims.iat) + proofLasts + 1) * 1000, rules.memory)
}

async function readSigned(proof: string, { clock }: SenderRules) {
  try {
    const header = decodeProtectedHeader(proof)
    const jwk = proofKey({ ...header })
    if (typeof jwk === 'string') throw badProof(jwk)
    const alg = String(header.alg)
    const key = await importJWK({ ...jwk }, alg)
    const currentDate = new Date(clock())
    const { payload } = await jwtVerify(proof, key, { algorithms: [alg], currentDate, clockTolerance: 60 })
    return { jkt: await calculateJwkThumbprint({ ...jwk }), payload }
  } catch (cause) {
    throw cause instanceof TokenError ? cause : badProof('The DPoP proof cannot be verified', cause)
  }
}

/** @spec RFC 9449 §9 */
async function checkNonce(nonce: string | undefined, nonces: Nonces | undefined): Promise<void> {
  if (nonces === undefined || (nonce !== undefined && (await nonces.accepts(nonce)))) return
  throw new TokenError('use_dpop_nonce', { scheme: 'DPoP', dpop_nonce: await nonces.current() })
}

/** @spec RFC 9449 §11.1 */
async function takeOnce(id: string, ends_at: number, memory: ProofMemory): Promise<void> {
  let first: boolean
  try {
    first = await memory.take((await hashOf(new TextEncoder().encode(id))).slice(0, 22), ends_at)
  } catch (cause) {
    throw new TokenError('proofs_unavailable', { cause })
  }
  if (!first) throw badProof('The DPoP proof was used before')
}

function publicUrl(url: string, origin: string | undefined): string {
  if (origin === undefined || !URL.canParse(url)) return url
  return `${origin}${new URL(url).pathname}`
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))))
}

function badProof(description: string, cause?: unknown): TokenError {
  return new TokenError('invalid_dpop_proof', { description: `${description}.`, scheme: 'DPoP', cause })
}
