/** Owns where a request may carry its token: in one Authorization header and nowhere else. */
import { TokenError } from './token_error.ts'

export interface Credentials {
  /** The Authorization header; several joined by a comma and a space, as HTTP joins them. */
  readonly authorization: string | undefined
  /** The query of the request target, without the question mark. */
  readonly query: string
}

// A comma, then another scheme with credentials: a second header, whether it came as one or was joined on the way.
const secondCredentials = /,\s*[\w!#$%&'*+.^`|~-]+\s+\S/

/**
 * Takes the token out of a request. A token in the query or the body is never accepted.
 * @throws TokenError
 * @spec RFC 6750 §2
 * @spec RFC 6750 §2.1
 * @spec RFC 9449 §7.1
 */
export function readToken({ authorization, query }: Credentials): { token: string; scheme: 'bearer' | 'dpop' } {
  const header = authorization?.trim() ?? ''
  if (secondCredentials.test(header)) throw new TokenError('repeated_authorization')
  // Another scheme is a method that is not supported, and counts as no token at all (RFC 6750 §3.1).
  const scheme = /^(bearer|dpop)(?:\s|$)/i.exec(header)?.[1]?.toLowerCase()
  if (scheme === undefined) throw new TokenError('missing_token')
  const token = /^\w+ +([^\s]+)$/.exec(header)?.[1]
  if (token === undefined) throw new TokenError('malformed_authorization')
  if (namesAccessToken(query)) throw new TokenError('token_in_two_places')
  return { token, scheme: scheme === 'dpop' ? 'dpop' : 'bearer' }
}

/** True when form-encoded text has a parameter `access_token`. */
export function namesAccessToken(form: string): boolean {
  return form !== '' && new URLSearchParams(form).has('access_token')
}
