/** Owns the reading of `id_token_hint`. */
import { OAuthError } from '@latchkey/oauth'
import type { Context } from './context.ts'
import { verifyOwn } from './tokens/verify.ts'

/**
 * @returns the user that the hint names; an expired ID token is as good as a fresh one here
 * @throws OAuthError `invalid_request` when the hint is not an ID token of ours
 * @spec OpenID Connect Core §3.1.2.1
 */
export async function readIdTokenHint(ctx: Context, hint: string | undefined): Promise<string | undefined> {
  if (hint === undefined) return undefined
  const claims = await verifyOwn(ctx, hint, { expired_too: true })
  const forClient = typeof claims?.aud === 'string' && ctx.configuration.client(claims.aud) !== undefined
  if (claims === undefined || !forClient || claims.sub === undefined) {
    throw new OAuthError('invalid_request', 'id_token_hint is not an ID token of this issuer')
  }
  return claims.sub
}
