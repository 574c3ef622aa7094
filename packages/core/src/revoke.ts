/** Owns the revoking of tokens by the client that they were issued to. */
import { OAuthError } from '@latchkey/oauth'
import type { Client, RefreshFamily } from '@latchkey/store'
import { authenticateClient, type EndpointRequest } from './client_auth/index.ts'
import type { Context } from './context.ts'
import { exchangedId, revokeLineage } from './lineage.ts'
import { restoreAuthorization } from './stored_authorization.ts'
import { isOpaque } from './tokens/access_token.ts'
import { readAccessToken } from './tokens/read_access_token.ts'
import { familyOf } from './tokens/refresh_token.ts'

/**
 * A token that is not known, or is another client's, changes nothing and is no error: nobody learns anything about it.
 * @throws OAuthError `invalid_client`; `invalid_request` without a token
 * @spec RFC 7009 §2.1
 * @spec RFC 7009 §2.2
 */
export async function revoke(ctx: Context, request: EndpointRequest): Promise<void> {
  const client = await authenticateClient(ctx, request)
  const token = request.parameters.get('token')
  if (token === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: token')
  // Whatever token_type_hint says: each kind of token is known by its form.
  const family_id = familyOf(ctx, token)
  if (family_id !== undefined) await revokeRefreshToken(ctx, client, family_id, token)
  else await revokeAccessToken(ctx, client, token)
}

async function revokeRefreshToken(ctx: Context, client: Client, family_id: string, token: string): Promise<void> {
  const family = await ctx.store.refreshTokens.find(family_id, token)
  if (family === undefined || family.client_id !== client.client_id) return
  await revokeLineage(ctx, family.lineage)
  ctx.log.info({ client_id: client.client_id, user_id: family.user_id, family_id }, 'a refresh token was revoked')
  if (ctx.configuration.settings.flags?.revoke_refresh_token_grant === true) await revokeGrant(ctx, client, family)
}

/** Everything that the person gave this client at this API: all refresh tokens, and the remembered yes. */
async function revokeGrant(ctx: Context, client: Client, { user_id, authorization }: RefreshFamily): Promise<void> {
  const audience = await audienceOf(ctx, authorization)
  for (const other of await ctx.store.refreshTokens.listOf(user_id, client.client_id)) {
    if ((await audienceOf(ctx, other.authorization)) === audience) await revokeLineage(ctx, other.lineage)
  }
  for (const grant of await ctx.store.grants.list(user_id)) {
    if (grant.client_id === client.client_id && grant.audience === audience)
      await ctx.store.grants.revoke(grant.grant_id)
  }
}

/** @returns undefined when the API, the client or the person is no more */
async function audienceOf(ctx: Context, authorization: string): Promise<string | undefined> {
  try {
    return (await restoreAuthorization(ctx, authorization)).audience.grant_audience
  } catch (error) {
    if (error instanceof OAuthError) return undefined
    throw error
  }
}

async function revokeAccessToken(ctx: Context, client: Client, token: string): Promise<void> {
  const facts = await readAccessToken(ctx, token)
  if (facts === undefined || facts.client_id !== client.client_id) return
  const id = exchangedId(ctx, facts, token)
  await ctx.store.atomically(async (store) => {
    if (isOpaque(token)) await store.accessTokens.revoke(token)
    // A JWT by its own id; what was exchanged for either of them by the same.
    await store.revocations.add(id, facts.exp * 1000)
  })
  ctx.log.info({ client_id: client.client_id, user_id: facts.user_id }, 'an access token was revoked')
}
