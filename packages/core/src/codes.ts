/** Owns authorization codes: what is kept with one, and how long it lives. */
import type { PersonalAuthorization } from './authorization.ts'
import type { AuthorizationRequest } from './authorization_request.ts'
import type { Context } from './context.ts'
import type { CodeChallenge } from './pkce.ts'
import { storeAuthorization } from './stored_authorization.ts'

/** Milliseconds. @spec RFC 6749 §4.1.2 */
const codeLasts = 60_000
/** Milliseconds that a used code is remembered, so that its second use is seen. */
const codeKept = 24 * 3_600_000

/** What a code is bound to besides its client. */
export interface StoredCodeRequest {
  /** As text; see `restoreAuthorization`. */
  readonly authorization: string
  readonly redirect_uri: string
  /** True where the authorization request named the redirect URI: then the exchange must name it too. */
  readonly redirect_uri_given: boolean
  readonly challenge?: CodeChallenge
  /** The key whose proof the exchange must bring. */
  readonly dpop_jkt?: string
}

/** @returns the code: 256 random bits */
export async function issueCode(
  ctx: Context,
  authorization: PersonalAuthorization,
  request: AuthorizationRequest,
): Promise<string> {
  const code = ctx.random(32)
  const now = ctx.now()
  const kept: StoredCodeRequest = {
    authorization: storeAuthorization(authorization),
    redirect_uri: request.redirect_uri,
    redirect_uri_given: request.redirect_uri_given === true,
    ...(request.challenge === undefined ? {} : { challenge: request.challenge }),
    ...(request.dpop_jkt === undefined ? {} : { dpop_jkt: request.dpop_jkt }),
  }
  await ctx.store.codes.create(
    code,
    {
      lineage: authorization.lineage ?? ctx.random(16),
      client_id: authorization.client.client_id,
      authorization: JSON.stringify(kept),
      ends_at: now + codeLasts,
      kept_until: now + codeKept,
    },
    now,
  )
  return code
}
