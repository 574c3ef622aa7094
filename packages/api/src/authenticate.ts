/** Owns the walk that every adapter takes: find the token, check it, look for a second one. */
import type { AccessTokenClaims } from './claims.ts'
import { type Credentials, namesAccessToken, readBearer } from './credentials.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

export interface PresentedRequest extends Credentials {
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

/** Whoever is refused is told where to find out about getting a token. @spec RFC 9728 §5.1 */
async function verified(verifier: Verifier, request: PresentedRequest): Promise<AccessTokenClaims> {
  try {
    return await verifier.verify(readBearer(request))
  } catch (error) {
    const { resource_metadata } = verifier
    if (!(error instanceof TokenError) || resource_metadata === undefined) throw error
    const { code, description, scope, cause, challenge } = error
    throw new TokenError(code, { description, scope, cause, challenge: { ...challenge, resource_metadata } })
  }
}
