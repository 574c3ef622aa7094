/** Owns introspection: what a token says, to its own client and to the APIs it is for. */
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { authenticateClient, type EndpointRequest } from './client_auth/index.ts'
import { type Context, seconds } from './context.ts'
import { isAlive } from './refresh.ts'
import { apisOf } from './resources.ts'
import { restoreAuthorization } from './stored_authorization.ts'
import { subjectOf } from './subjects.ts'
import { makeFor } from './tokens/for_client.ts'
import { type AccessTokenFacts, readAccessToken } from './tokens/read_access_token.ts'
import { familyOf, madeAt } from './tokens/refresh_token.ts'

export type Introspection = { readonly active: boolean } & Readonly<Record<string, unknown>>

const inactive: Introspection = { active: false }

/** An answer, and the client that it is for. */
export interface IntrospectionAnswer {
  readonly client: Client
  readonly body: Introspection
}

/**
 * A token that is not known, is over, was revoked, or is no concern of the caller is told the same way: not active.
 * @throws OAuthError `invalid_client`, also for a public client: anybody could be it; `invalid_request` without a token
 * @spec RFC 7662 §2.1
 * @spec RFC 7662 §2.2
 */
export async function introspect(ctx: Context, request: EndpointRequest): Promise<IntrospectionAnswer> {
  const client = await authenticateClient(ctx, request)
  if (client.token_endpoint_auth_method === 'none')
    throw new OAuthError('invalid_client', 'A public client cannot look into tokens: it has no way to prove itself')
  const token = request.parameters.get('token')
  if (token === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: token')
  // Whatever token_type_hint says: each kind of token is known by its form.
  const body = (await ofRefreshToken(ctx, client, token)) ?? (await ofAccessToken(ctx, client, token)) ?? inactive
  return { client, body }
}

async function ofAccessToken(ctx: Context, caller: Client, token: string): Promise<Introspection | undefined> {
  const facts = await readAccessToken(ctx, token)
  if (facts === undefined || !mayLookInto(ctx, caller, facts)) return undefined
  const told: Readonly<Record<string, unknown>> = facts.claims ?? { ...facts.details }
  const username = await usernameOf(ctx, facts)
  if (username === undefined) return undefined
  const { cnf, act, acr, amr, auth_time, authorization_details, iss = ctx.issuer } = told
  return known({
    ...{ active: true, iss, sub: facts.sub, aud: audienceOf(facts), client_id: facts.client_id },
    ...{ scope: facts.scope.length === 0 ? undefined : facts.scope.join(' '), iat: facts.iat, exp: facts.exp },
    ...{ jti: facts.jti, token_type: facts.confirmation?.jkt === undefined ? 'Bearer' : 'DPoP' },
    ...{ username: username === '' ? undefined : username },
    ...{ cnf, act, acr, amr, auth_time, authorization_details },
  })
}

/**
 * The token's own client, and whoever stands for an API that the token is for: by a client grant there, or by being named as its client.
 * @spec RFC 7662 §4
 */
function mayLookInto(ctx: Context, caller: Client, { client_id, audience }: AccessTokenFacts): boolean {
  if (client_id === caller.client_id) return true
  return audience.some(
    (one) =>
      caller.resource_server_identifier === one || ctx.configuration.clientGrant(caller.client_id, one) !== undefined,
  )
}

/** @returns undefined when the person or the client of the token is no more, or is blocked; '' where no name may be told */
async function usernameOf(ctx: Context, { client_id, user_id, scope }: AccessTokenFacts): Promise<string | undefined> {
  // A client whose id is an address is not configured: it is read when it asks.
  if (ctx.configuration.client(client_id) === undefined && !/^https?:/.test(client_id)) return undefined
  if (user_id === undefined) return ''
  const user = await ctx.store.users.find(user_id)
  if (user === undefined || user.blocked) return undefined
  return (scope.includes('profile') ? user.username : undefined) ?? ''
}

/** A refresh token is for its client alone. */
async function ofRefreshToken(ctx: Context, caller: Client, token: string): Promise<Introspection | undefined> {
  const family_id = familyOf(ctx, token)
  const family = family_id === undefined ? undefined : await ctx.store.refreshTokens.find(family_id, token)
  if (family === undefined || family.client_id !== caller.client_id || family.presented !== 'current') return undefined
  if (!(await isAlive(ctx, family))) return undefined
  try {
    const { audience, scope, confirmation, user } = await restoreAuthorization(ctx, family.authorization)
    return known({
      ...{
        active: true,
        iss: ctx.issuer,
        sub: await subjectOf(ctx, caller, user.user_id),
        aud: audience.more === undefined ? audience.grant_audience : apisOf(audience).map((api) => api.identifier),
      },
      ...{ client_id: family.client_id, scope: scope.length === 0 ? undefined : scope.join(' ') },
      ...{
        iat: madeAt(token),
        exp: Math.floor(Math.min(family.idle_ends_at, family.ends_at) / 1000),
        cnf: confirmation,
      },
    })
  } catch (error) {
    // The person or the client is no more, or is blocked.
    if (error instanceof OAuthError) return undefined
    throw error
  }
}

function audienceOf({ audience }: AccessTokenFacts): string | readonly string[] {
  return audience.length === 1 ? (audience[0] ?? '') : audience
}

function known({ active, ...claims }: Introspection): Introspection {
  return { active, ...Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)) }
}

/**
 * The answer as a JWT, so that it can be shown to others later.
 * @spec RFC 9701 §5
 */
export function introspectionJwt(ctx: Context, { client, body }: IntrospectionAnswer): Promise<string> {
  return makeFor(ctx, client, 'introspection', 'token-introspection+jwt', {
    ...{ iss: ctx.issuer, aud: client.client_id, iat: seconds(ctx.now()) },
    token_introspection: body,
  })
}
