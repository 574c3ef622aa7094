/** Owns the APIs of one authorization, where there are several: which are meant, what each yields, and which of them a token is for. */
import { OAuthError, type Parameters, parseUri, reservedScopes, words } from '@latchkey/oauth'
import type { ResourceServer } from '@latchkey/store'
import type { Audience, PersonalAuthorization } from './authorization.ts'
import { detailsAt, narrowedDetails } from './authorization_details.ts'
import type { Context } from './context.ts'

/** One authorization names no more. */
const mostResources = 10

/** Every API of an authorization; none where it serves `/userinfo` alone. */
export function apisOf({ api, more }: Audience): readonly ResourceServer[] {
  if (api === undefined) return []
  return more === undefined ? [api] : [api, ...more]
}

/** The audience of these APIs, of which there is at least one. */
function audienceOf([api, ...more]: readonly [ResourceServer, ...ResourceServer[]]): Audience {
  return { api, grant_audience: api.identifier, ...(more.length === 0 ? {} : { more }) }
}

/**
 * Adds the APIs that `resource` names to what `audience` says.
 * @throws OAuthError `invalid_target`
 * @spec RFC 8707 §2
 */
export function withResources(ctx: Context, audience: Audience, resource: string | undefined): Audience {
  const named = words(resource)
  if (named.length === 0) return audience
  if (named.length > mostResources) throw invalidTarget(`More than ${mostResources} resources`)
  const found = named.map((one) => findResource(ctx, one)).filter((api) => api !== undefined)
  const [first, ...rest] = new Set([...apisOf(audience), ...found])
  return first === undefined ? audience : audienceOf([first, ...rest])
}

/** @returns undefined for `/userinfo`, which every token with `openid` serves */
function findResource(ctx: Context, resource: string): ResourceServer | undefined {
  const shown = resource.slice(0, 300)
  const uri = parseUri(resource)
  if (uri === undefined || resource.includes('#'))
    throw invalidTarget(`resource must be an absolute URI without a fragment: ${shown}`)
  if (isUserinfo(ctx, resource)) return undefined
  const api = spellings(resource, uri)
    .map((text) => ctx.configuration.resourceServer(text))
    .find((one) => one !== undefined)
  if (api !== undefined) return api
  throw new OAuthError('invalid_target', `Service not found: ${shown}`, {
    explanation: {
      summary: `No API with the identifier ${shown} is configured. Identifiers are compared exactly; only after a bare host the slash may be left out.`,
      fix: 'Send the identifier of a configured API as resource, or add the API to the tenant file.',
      setting: 'resourceServers[].identifier',
    },
  })
}

/** An address without a path means the same with a slash behind it. @spec RFC 3986 §6.2.3 */
function spellings(resource: string, { origin, pathname, search, username }: URL): readonly string[] {
  const bare = origin !== 'null' && pathname === '/' && search === '' && username === ''
  return bare ? [resource, origin, `${origin}/`] : [resource]
}

function isUserinfo(ctx: Context, text: string): boolean {
  return ctx.issuers.some((issuer) => text === `${issuer}userinfo`)
}

function invalidTarget(description: string): OAuthError {
  return new OAuthError('invalid_target', description)
}

/** What of the scopes counts at an API: OpenID Connect's, and those it defines. */
export function scopesAt(apis: readonly ResourceServer[], scope: readonly string[]): readonly string[] {
  return scope.filter(
    (word) => reservedScopes.includes(word) || apis.some((api) => api.scopes.some(({ value }) => value === word)),
  )
}

/** What a person allows with one yes: for each API, what counts there. */
export function grantsOf(
  audience: Audience,
  scope: readonly string[],
): readonly { readonly audience: string; readonly scope: readonly string[] }[] {
  if (audience.more === undefined) return [{ audience: audience.grant_audience, scope }]
  return apisOf(audience).map((api) => ({ audience: api.identifier, scope: scopesAt([api], scope) }))
}

/**
 * The part of an authorization that one token is for: the APIs that the parameters name, or all of them where one token can serve all,
 * and of the rich requests those that are named.
 * @throws OAuthError `invalid_target`, `invalid_authorization_details` for what was not granted
 * @spec RFC 8707 §2.2
 * @spec RFC 9396 §6
 */
export function forTarget(
  ctx: Context,
  authorization: PersonalAuthorization,
  parameters?: Parameters,
): PersonalAuthorization {
  const asked = parameters?.get('authorization_details')
  if (asked === undefined) return atApis(ctx, authorization, parameters)
  const authorization_details = narrowedDetails(authorization.authorization_details ?? [], asked)
  return atApis(ctx, { ...authorization, authorization_details }, parameters)
}

function atApis(
  ctx: Context,
  authorization: PersonalAuthorization,
  parameters: Parameters | undefined,
): PersonalAuthorization {
  const named = [...words(parameters?.get('audience')), ...words(parameters?.get('resource'))]
  const granted = apisOf(authorization.audience)
  if (named.length === 0) {
    const whole = granted.length < 2 || canShare(granted)
    return whole ? authorization : forApis(ctx, authorization, granted.slice(0, 1))
  }
  const chosen = [...new Set(named.map((one) => grantedApi(ctx, granted, one)).filter((api) => api !== undefined))]
  if (chosen.length > 1 && !canShare(chosen))
    throw invalidTarget('These APIs cannot share a token: ask for one token each')
  return chosen.length === granted.length ? authorization : forApis(ctx, authorization, chosen)
}

function grantedApi(ctx: Context, granted: readonly ResourceServer[], named: string): ResourceServer | undefined {
  if (isUserinfo(ctx, named)) return undefined
  const uri = parseUri(named)
  const texts = uri === undefined ? [named] : spellings(named, uri)
  const api = granted.find(({ identifier }) => texts.includes(identifier))
  if (api === undefined) throw invalidTarget(`Nothing was granted for ${named.slice(0, 300)}`)
  return api
}

function forApis(
  ctx: Context,
  authorization: PersonalAuthorization,
  apis: readonly ResourceServer[],
): PersonalAuthorization {
  const [first, ...rest] = apis
  const audience = first === undefined ? { grant_audience: `${ctx.issuers[0]}userinfo` } : audienceOf([first, ...rest])
  const { authorization_details, ...kept } = authorization
  return {
    ...kept,
    ...{ audience, scope: scopesAt(apis, authorization.scope) },
    ...detailsAt(apis, authorization_details),
  }
}

/** Whoever can check one signature can check the other, and nobody who checks can sign. */
function canShare([first, ...rest]: readonly ResourceServer[]): boolean {
  const form = ({ signing_alg, token_dialect }: ResourceServer) =>
    `${signing_alg} ${token_dialect.startsWith('rfc9068_profile')}`
  return first?.signing_alg !== 'HS256' && rest.every((api) => first !== undefined && form(api) === form(first))
}
