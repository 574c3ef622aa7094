/** Owns an authorization between two requests: kept with a code or a refresh token, and put together again from what is true then. */
import { OAuthError } from '@latchkey/oauth'
import { resolveAudience } from './audience.ts'
import type { Audience, PersonalAuthorization } from './authorization.ts'
import type { Context } from './context.ts'
import { apisOf, scopesAt } from './resources.ts'

type Kept = Omit<PersonalAuthorization, 'client' | 'user' | 'audience'>

interface StoredAuthorization extends Kept {
  readonly client_id: string
  readonly user_id: string
  /** The API's identifier; absent for `/userinfo` alone. */
  readonly audience?: string
  /** Those of the other APIs. */
  readonly resources?: readonly string[]
}

/** As text, without anything that must be looked up again. */
export function storeAuthorization({ client, user, audience, ...kept }: PersonalAuthorization): string {
  const stored: StoredAuthorization = {
    ...kept,
    client_id: client.client_id,
    user_id: user.user_id,
    ...(audience.api === undefined ? {} : { audience: audience.api.identifier }),
    ...(audience.more === undefined ? {} : { resources: audience.more.map((api) => api.identifier) }),
  }
  return JSON.stringify(stored)
}

/**
 * The client, the user and the API are those of now: what was deleted or blocked meanwhile gets no token, and a scope that the API
 * has no more is granted no more.
 * @throws OAuthError `invalid_grant`
 */
export async function restoreAuthorization(ctx: Context, text: string): Promise<PersonalAuthorization> {
  const { client_id, user_id, audience: identifier, resources, ...kept } = JSON.parse(text) as StoredAuthorization
  const client = ctx.configuration.client(client_id)
  const user = await ctx.store.users.find(user_id)
  if (client === undefined || user === undefined)
    throw new OAuthError('invalid_grant', 'The user or the client no longer exists')
  if (user.blocked) throw new OAuthError('invalid_grant', 'user is blocked')
  const audience = audienceOf(ctx, identifier, resources)
  return { ...kept, client, user, audience, scope: scopesAt(apisOf(audience), kept.scope) }
}

function audienceOf(ctx: Context, identifier: string | undefined, resources: readonly string[] | undefined): Audience {
  try {
    const audience = resolveAudience(ctx, identifier ?? `${ctx.issuer}userinfo`)
    if (resources === undefined) return audience
    // Of the others, those that are still there count.
    const more = resources.map((one) => ctx.configuration.resourceServer(one)).filter((api) => api !== undefined)
    return { ...audience, more }
  } catch (cause) {
    throw new OAuthError('invalid_grant', 'The API no longer exists', { cause })
  }
}
