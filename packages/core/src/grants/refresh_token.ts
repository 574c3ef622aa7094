/**
 * Owns the grant `refresh_token`. A family has one newest token; whoever shows an older one has either lost an answer or stolen a
 * token, and the two are told apart: the answer is given again as long as it is fresh and unused, and anything else ends the family.
 */
import { OAuthError, type Parameters, words } from '@latchkey/oauth'
import type { Client, RefreshFamily } from '@latchkey/store'
import type { PersonalAuthorization } from '../authorization.ts'
import type { Context } from '../context.ts'
import { AlreadyTaken, defineGrant, type Granted } from '../grant.ts'
import { revokeLineage } from '../lineage.ts'
import { checkRefreshSender } from '../proofs/sender.ts'
import { idleEnd, isAlive, refreshSettings } from '../refresh.ts'
import { forTarget } from '../resources.ts'
import { restoreAuthorization } from '../stored_authorization.ts'
import { familyOf, newRefreshToken } from '../tokens/refresh_token.ts'

// The words that Auth0's SDKs look for.
const invalid = () => new OAuthError('invalid_grant', 'Unknown or invalid refresh token.')

/**
 * @spec RFC 6749 §6
 * @spec RFC 9700 §4.14.2
 * @spec RFC 8707 §2.2
 */
export const refreshToken = defineGrant({
  type: 'refresh_token',
  async authorize(ctx, client, { parameters, confirmation }): Promise<Granted> {
    const token = parameters.get('refresh_token')
    if (token === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: refresh_token')
    const family_id = familyOf(ctx, token)
    const family = family_id === undefined ? undefined : await ctx.store.refreshTokens.find(family_id, token)
    // Another client learns nothing, and ends nothing.
    if (family === undefined || family.client_id !== client.client_id) throw invalid()
    if (!(await isAlive(ctx, family))) throw invalid()
    const authorization = await restoreAuthorization(ctx, family.authorization)
    // Before anything is ended: a thief without the key cannot end a family either.
    checkRefreshSender(client, authorization.confirmation, confirmation)
    const granted = narrowed(ctx, { ...authorization, lineage: family.lineage }, parameters)
    const next = await nextToken(ctx, client, family, token)
    return { ...granted, ...next }
  },
})

/** The token to answer with, and the act that makes it the newest. */
async function nextToken(
  ctx: Context,
  client: Client,
  family: RefreshFamily,
  token: string,
): Promise<Pick<Granted, 'refresh_token' | 'take'>> {
  const { family_id, ends_at, presented, successor, rotated_at = 0 } = family
  const { rotation_type, leeway } = refreshSettings(client)
  const idle_ends_at = idleEnd(client, ends_at, ctx.now())
  const stays = (newest: string, idle: number): Pick<Granted, 'refresh_token' | 'take'> => ({
    refresh_token: newest,
    async take(store) {
      if (!(await store.refreshTokens.see(family_id, newest, idle, ctx.now()))) throw new AlreadyTaken()
    },
  })
  if (presented === 'current' && rotation_type === 'non-rotating') {
    return stays(token, idle_ends_at)
  }
  if (presented === 'current') {
    const refresh_token = newRefreshToken(ctx, family_id, ends_at)
    return {
      refresh_token,
      async take(store) {
        const rotated = await store.refreshTokens.rotate(family_id, token, refresh_token, { idle_ends_at }, ctx.now())
        if (!rotated) throw new AlreadyTaken()
      },
    }
  }
  // The answer was lost, or another tab was quicker: the successor is the newest still, so nobody has used it.
  const isFresh = Math.abs(ctx.now() - rotated_at) < leeway * 1000
  if (presented === 'previous' && successor !== undefined && isFresh) return stays(successor, family.idle_ends_at)
  await revokeLineage(ctx, family.lineage)
  ctx.log.warn(
    { client_id: client.client_id, user_id: family.user_id, family_id, presented },
    'a used refresh token was presented: its family is revoked',
  )
  throw invalid()
}

/**
 * A refresh may ask for less: some of the scopes, some of the APIs.
 * @spec RFC 6749 §6
 * @spec RFC 8707 §2.2
 */
function narrowed(ctx: Context, authorization: PersonalAuthorization, parameters: Parameters): Granted {
  const asked = words(parameters.get('scope'))
  if (!asked.every((word) => authorization.scope.includes(word)))
    throw new OAuthError('invalid_scope', 'scope must not exceed what was granted first')
  const target = forTarget(ctx, authorization, parameters)
  if (asked.length === 0) return { authorization: target }
  return { authorization: { ...target, scope: asked.filter((word) => target.scope.includes(word)) }, asked }
}
