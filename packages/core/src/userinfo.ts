/** Owns the UserInfo answer. */
import { OAuthError } from '@latchkey/oauth'
import { namedClaims, userClaims } from './claims.ts'
import type { Context } from './context.ts'
import { checkPossession, type TokenSender } from './proofs/sender.ts'
import { encryptFor } from './tokens/encryption.ts'
import { encryptionOf, makeFor, signingAlgOf } from './tokens/for_client.ts'
import { type AccessTokenFacts, readAccessToken } from './tokens/read_access_token.ts'

const asBearer: TokenSender = { scheme: 'bearer', dpop: [], method: 'GET', url: '' }
const invalid = 'The access token is invalid or has expired'

/**
 * The claims about the user of an access token, as they are now.
 * @throws OAuthError `invalid_token` or `insufficient_scope`; what `checkPossession` throws for a bound token
 * @spec OpenID Connect Core §5.3
 * @spec OpenID Connect Core §5.5
 */
export async function userinfo(
  ctx: Context,
  token: string,
  sender: TokenSender = asBearer,
): Promise<Record<string, unknown>> {
  return (await readUserinfo(ctx, token, sender)).claims
}

export interface Userinfo {
  readonly claims: Record<string, unknown>
  /** Whose token it is. */
  readonly client_id: string
}

/** As {@link userinfo}, with the client that the answer is for. */
export async function readUserinfo(ctx: Context, token: string, sender: TokenSender): Promise<Userinfo> {
  const access = await readAccessToken(ctx, token)
  if (access === undefined || !servesUserinfo(ctx, access)) throw new OAuthError('invalid_token', invalid)
  await checkPossession(ctx, access, token, sender)
  if (!access.scope.includes('openid'))
    throw new OAuthError('insufficient_scope', 'The access token was not issued for the scope openid')
  const user = access.user_id === undefined ? undefined : await ctx.store.users.find(access.user_id)
  if (user === undefined || user.blocked) throw new OAuthError('invalid_token', invalid)
  const named = access.userinfo_claims === undefined ? {} : namedClaims(user, access.userinfo_claims)
  const claims = { ...userClaims(user, access.scope), ...named }
  const { sub, client_id } = access
  if (ctx.rules === undefined) return { client_id, claims: { sub, ...claims } }
  return { client_id, claims: { ...claims, ...(await ctx.store.tokenClaims.find(token, ctx.now())), sub } }
}

/**
 * The answer in the form that the client registered: plain JSON, signed, encrypted, or both.
 * @returns undefined for plain JSON
 * @throws OAuthError `unauthorized_client` when the client has no key to encrypt to
 * @spec OpenID Connect Core §5.3.2
 */
export async function userinfoJwt(ctx: Context, { claims, client_id }: Userinfo): Promise<string | undefined> {
  const client = ctx.configuration.client(client_id)
  if (client === undefined) return undefined
  const wish = encryptionOf(client, 'userinfo')
  if (signingAlgOf(client, 'userinfo') !== undefined)
    return makeFor(ctx, client, 'userinfo', 'JWT', { ...claims, iss: ctx.issuer, aud: client_id })
  return wish === undefined ? undefined : encryptFor(ctx, client, wish, JSON.stringify(claims), undefined)
}

/** Only a token whose audience names this endpoint counts: one for an API alone does not. */
function servesUserinfo(ctx: Context, { audience }: AccessTokenFacts): boolean {
  return ctx.issuers.some((issuer) => audience.includes(`${issuer}userinfo`))
}
