/** Owns the walk that every adapter takes: find the token, check it, look for a second one. */
import type { AccessTokenClaims } from './claims.ts'
import { type Credentials, namesAccessToken, readToken } from './credentials.ts'
import { certificateFrom } from './passed_certificate.ts'
import type { TokenSender } from './sender.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

export interface PresentedRequest extends Credentials, Omit<TokenSender, 'scheme' | 'certificate'> {
  /** The certificate of the TLS connection, in DER. */
  certificate?(): Uint8Array | undefined
  /** One header of the request, by its name in small letters. */
  header?(name: string): string | undefined
  /** Sets a header of the answer. */
  tell?(name: string, value: string): void
  /** The form-encoded body, where there is a small one; otherwise an empty text. */
  form(): Promise<string>
}

/** Bytes of a form-encoded body that is searched for a second token. */
export const largestForm = 16_384

export function isForm(contentType: string | null | undefined): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType ?? '')
}

/**
 * @throws TokenError
 * @spec RFC 6750 §2
 */
export async function authenticate(verifier: Verifier, request: PresentedRequest): Promise<AccessTokenClaims> {
  const claims = await verified(verifier, request)
  // Last, so that a stranger cannot make the API read a body.
  if (namesAccessToken(await request.form())) throw new TokenError('token_in_two_places')
  return claims
}

async function verified(verifier: Verifier, request: PresentedRequest): Promise<AccessTokenClaims> {
  try {
    const { token, scheme } = readToken(request)
    const { dpop, method, url } = request
    const certificate = certificateOf(verifier, request)
    const claims = await verifier.verify(token, { scheme, dpop, method, url, certificate })
    if (scheme === 'dpop' && verifier.dpopNonce !== undefined) request.tell?.('DPoP-Nonce', await verifier.dpopNonce())
    return claims
  } catch (error) {
    throw error instanceof TokenError ? forCaller(error, verifier, request) : error
  }
}

/**
 * Whoever is refused is told where to find out about getting a token, in the scheme that he used or has to use.
 * @spec RFC 9728 §5.1
 * @spec RFC 9449 §7.1
 */
function forCaller(error: TokenError, verifier: Verifier, { authorization = '' }: PresentedRequest): TokenError {
  const { resource_metadata, require_bound_tokens = false } = verifier
  const { code, description, scope, cause, challenge, dpop_nonce } = error
  const isDpop = error.scheme === 'DPoP' || /^\s*dpop\b/i.test(authorization) || require_bound_tokens
  const more = resource_metadata === undefined ? {} : { resource_metadata }
  const scheme = isDpop ? 'DPoP' : undefined
  return new TokenError(code, { description, scope, cause, scheme, dpop_nonce, challenge: { ...challenge, ...more } })
}

/** What a proxy passes on counts in place of the connection, which is then the proxy's. @spec RFC 8705 §3 */
function certificateOf({ client_certificate_header: name }: Verifier, request: PresentedRequest) {
  return name === undefined ? request.certificate?.() : certificateFrom(request.header?.(name))
}
