/** Owns which API a request means, and which of the scopes asked for exist there. */
import { OAuthError, type Parameters, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Audience } from './authorization.ts'
import type { Context } from './context.ts'
import { refreshScopes } from './refresh_scopes.ts'
import { apisOf, scopesAt, withResources } from './resources.ts'

/** What a request names as its target. */
export interface Target {
  readonly audience?: string
  /** Words of `resource`. */
  readonly resource?: string
}

export function targetOf(parameters: Parameters): Target {
  const audience = parameters.get('audience')
  const resource = parameters.get('resource')
  return { ...(audience === undefined ? {} : { audience }), ...(resource === undefined ? {} : { resource }) }
}

/**
 * The APIs that a request is for: `audience` names one, and `resource` any number. The tenant's default audience counts where
 * neither is there.
 * @throws OAuthError `access_denied` for an unknown audience, `invalid_target` for an unknown resource
 */
export function resolveTarget(ctx: Context, { audience, resource }: Target): Audience {
  if (resource === undefined) return resolveAudience(ctx, audience)
  return withResources(ctx, resolveAudience(ctx, audience ?? `${ctx.issuer}userinfo`), resource)
}

/**
 * @param requested the `audience` parameter; without it the tenant's default audience is meant
 * @throws OAuthError `access_denied` when no API has this identifier
 */
export function resolveAudience(ctx: Context, requested: string | undefined): Audience {
  const canonical = `${ctx.issuers[0]}userinfo`
  if (ctx.issuers.some((issuer) => requested === `${issuer}userinfo`)) return { grant_audience: canonical }
  const identifier = requested ?? ctx.configuration.settings.default_audience
  if (identifier === undefined || identifier === '') return { grant_audience: canonical }
  const api = ctx.configuration.resourceServer(identifier)
  if (api === undefined) {
    throw new OAuthError('access_denied', `Service not found: ${identifier.slice(0, 300)}`, {
      explanation: {
        summary: `No API with the identifier ${identifier.slice(0, 300)} is configured. Identifiers are compared exactly, a trailing slash included.`,
        fix: 'Send the identifier of a configured API as audience, or add the API to the tenant file.',
        setting: 'resourceServers[].identifier',
      },
    })
  }
  return { api, grant_audience: api.identifier }
}

/**
 * The scopes that can be granted of those asked for: OpenID Connect's, and those the API defines. The others are dropped, and the
 * answer then says what was granted. `offline_access` and `online_access` count only where a refresh token can come of them, which the
 * implicit grant never has.
 * @spec RFC 6749 §3.3
 * @spec OpenID Connect Core §11
 */
export function grantableScopes(
  client: Client,
  audience: Audience,
  asked: readonly string[],
  response_type: string,
): readonly string[] {
  const defined = new Set(scopesAt(apisOf(audience), asked))
  const { offline_access, online_access } = refreshScopes(client, audience, words(response_type))
  return asked.filter((word) => {
    if (word === 'offline_access') return offline_access
    if (word === 'online_access') return online_access
    return defined.has(word)
  })
}
