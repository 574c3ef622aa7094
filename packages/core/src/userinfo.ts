/** Owns the UserInfo answer. */
import { OAuthError, words } from '@latchkey/oauth'
import { userClaims } from './claims.ts'
import type { Context } from './context.ts'
import { isOpaque, userinfoAudience } from './tokens/access_token.ts'
import { verifyOwn } from './tokens/verify.ts'

const invalid = 'The access token is invalid or has expired'

/**
 * The claims about the user of an access token, as they are now.
 * @throws OAuthError `invalid_token` or `insufficient_scope`
 * @spec OpenID Connect Core §5.3
 */
export async function userinfo(ctx: Context, token: string): Promise<Record<string, unknown>> {
  const access = isOpaque(token) ? await readOpaque(ctx, token) : await readJwt(ctx, token)
  if (access === undefined) throw new OAuthError('invalid_token', invalid)
  if (!access.scope.includes('openid'))
    throw new OAuthError('insufficient_scope', 'The access token was not issued for the scope openid')
  const user = await ctx.store.users.find(access.user_id)
  if (user === undefined || user.blocked) throw new OAuthError('invalid_token', invalid)
  const claims = userClaims(user, access.scope)
  if (ctx.rules === undefined) return { sub: user.user_id, ...claims }
  return { ...claims, ...(await ctx.store.tokenClaims.find(token, ctx.now())), sub: user.user_id }
}

interface Access {
  readonly user_id: string
  readonly scope: readonly string[]
}

async function readOpaque(ctx: Context, token: string): Promise<Access | undefined> {
  const stored = await ctx.store.accessTokens.find(token, ctx.now())
  return stored === undefined ? undefined : { user_id: stored.user_id, scope: words(stored.scope) }
}

/** Only a token whose audience names this endpoint counts: an ID token, or a token for the API alone, does not. */
async function readJwt(ctx: Context, token: string): Promise<Access | undefined> {
  const claims = await verifyOwn(ctx, token)
  if (claims?.sub === undefined || !Array.isArray(claims.aud)) return undefined
  const ours =
    ctx.issuers.some((issuer) => claims.aud?.includes(`${issuer}userinfo`)) ||
    claims.aud.includes(userinfoAudience(ctx))
  if (!ours || claims.nonce !== undefined) return undefined
  return { user_id: claims.sub, scope: typeof claims.scope === 'string' ? words(claims.scope) : [] }
}
