/**
 * Owns Auth0's grants by password: an application of the house asks for the password itself. There is no session, and no page: off
 * unless a client lists the grant.
 */
import { OAuthError, type Parameters, scopeClaims, words } from '@latchkey/oauth'
import type { Client, Connection, User } from '@latchkey/store'
import { resolveAudience } from '../audience.ts'
import type { Audience, PersonalAuthorization } from '../authorization.ts'
import type { Context } from '../context.ts'
import { defineGrant, type Granted, type GrantRequest } from '../grant.ts'
import type { PasswordAttempt, PasswordProblem } from '../password_check.ts'
import { boundTo } from '../proofs/sender.ts'
import { beginFamily, isRefreshable } from '../refresh.ts'
import { refreshScopes } from '../refresh_scopes.ts'
import { ruledWithoutBrowser } from '../rules/without_browser.ts'

/** @spec RFC 6749 §4.3.2 */
export const password = defineGrant({
  type: 'password',
  where_listed: true,
  authorize: (ctx, client, request) => signIn(ctx, client, request, defaultConnection(ctx, client)),
})

/** @spec RFC 6749 §4.5 */
export const passwordRealm = defineGrant({
  type: 'http://auth0.com/oauth/grant-type/password-realm',
  where_listed: true,
  authorize: (ctx, client, request) => signIn(ctx, client, request, realmOf(ctx, client, request.parameters)),
})

function defaultConnection(ctx: Context, client: Client): Connection {
  const name = ctx.configuration.settings.default_directory
  const connection = ctx.configuration.connectionsOf(client).find((one) => one.name === name)
  if (connection !== undefined) return connection
  throw new OAuthError('invalid_request', 'The tenant has no default directory that this client may use', {
    explanation: {
      summary: 'The grant password does not say where the person is to be looked for.',
      fix: 'Name a connection there, or use the grant password-realm.',
      setting: 'tenant.default_directory',
    },
  })
}

function realmOf(ctx: Context, client: Client, parameters: Parameters): Connection {
  const realm = required(parameters, 'realm')
  const connection = ctx.configuration.connectionsOf(client).find((one) => one.name === realm)
  if (connection === undefined) throw new OAuthError('invalid_request', 'Unknown or invalid realm')
  return connection
}

function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `Missing required parameter: ${name}`)
  return value
}

async function signIn(ctx: Context, client: Client, request: GrantRequest, connection: Connection): Promise<Granted> {
  const { parameters, confirmation } = request
  // Nobody else's application is shown a password, whatever a setting says.
  if (!client.is_first_party)
    throw new OAuthError('unauthorized_client', 'A third-party client may not ask for passwords')
  const identifier = required(parameters, 'username').slice(0, 254)
  const given = required(parameters, 'password')
  const audience = resolveAudience(ctx, parameters.get('audience'))
  const asked = words(parameters.get('scope'))
  const ip = addressOf(client, request)
  const user = await prove(ctx, { connection, identifier, password: given, ip })
  const { scope, claims } = await ruledWithoutBrowser(ctx, {
    ...{ client, user, scope: grantedScope(client, audience, asked), protocol: 'oauth2-password', amr: ['pwd'], ip },
    ...(audience.api === undefined ? {} : { audience: audience.api.identifier }),
    user_agent: request.user_agent ?? '',
  })
  const authorization: PersonalAuthorization = {
    ...{ client, user, audience, scope, asked, response_type: [], tell_auth_time: false, gty: 'password' },
    ...(claims === undefined ? {} : { claims }),
    lineage: ctx.random(16),
  }
  return granted(ctx, boundTo(authorization, confirmation), asked)
}

/** A confidential client that passes its people's addresses on is believed where a setting says so. */
function addressOf({ is_token_endpoint_ip_header_trusted, token_endpoint_auth_method }: Client, request: GrantRequest) {
  const { forwarded_for, ip = '' } = request
  const trusted = is_token_endpoint_ip_header_trusted === true && token_endpoint_auth_method !== 'none'
  return trusted && forwarded_for !== undefined && /^[0-9A-Fa-f.:]{2,45}$/.test(forwarded_for) ? forwarded_for : ip
}

async function prove(ctx: Context, attempt: PasswordAttempt): Promise<User> {
  if (ctx.checkPassword === undefined) throw new Error('Nobody checks passwords here')
  const outcome = await ctx.checkPassword(attempt)
  if ('problem' in outcome) throw refusalOf(outcome.problem)
  // Told only to who knows the password.
  if (outcome.user.blocked) throw new OAuthError('invalid_grant', 'user is blocked')
  return outcome.user
}

function refusalOf(problem: PasswordProblem): OAuthError {
  switch (problem) {
    case 'wrong_credentials':
      return new OAuthError('invalid_grant', 'Wrong email or password.')
    case 'too_many_attempts':
      return new OAuthError(
        'too_many_attempts',
        'Your account has been blocked after multiple consecutive login attempts. We have sent you an email with instructions on how to unblock it.',
      )
    case 'too_many_logins':
      return new OAuthError('too_many_attempts', 'Too many sign-ins in a short time. Wait a minute')
    case 'unavailable':
      return new OAuthError('temporarily_unavailable', 'Too many people sign in at the moment')
  }
}

/** What Auth0 grants: everything the API has where none of it was named, and every profile scope for `openid` alone. */
function grantedScope(client: Client, audience: Audience, asked: readonly string[]): readonly string[] {
  const defined = audience.api?.scopes.map(({ value }) => value) ?? []
  const { offline_access } = refreshScopes(client, audience, ['device_code'])
  const profile = asked.filter((word) => Object.hasOwn(scopeClaims, word) || word === 'openid')
  const isBare = audience.api === undefined && asked.length === 0
  const named = asked.filter((word) => defined.includes(word))
  return [
    ...(isBare || (asked.length === 1 && asked[0] === 'openid') ? ['openid', ...Object.keys(scopeClaims)] : profile),
    ...(asked.includes('offline_access') && offline_access ? ['offline_access'] : []),
    ...(named.length === 0 ? defined : named),
  ]
}

function granted(ctx: Context, authorization: PersonalAuthorization, asked: readonly string[]): Granted {
  const { user, lineage = ctx.random(16) } = authorization
  const begun = isRefreshable(authorization) ? beginFamily(ctx, authorization, lineage) : undefined
  if (begun === undefined) return { authorization, asked }
  return {
    ...{ authorization, asked, refresh_token: begun.refresh_token },
    async take(store) {
      // A new password ends what was allowed under the old one, and this began under the old one.
      if ((await store.users.find(user.user_id))?.password_changed_at !== user.password_changed_at)
        throw refusalOf('wrong_credentials')
      await store.refreshTokens.create(begun.family, begun.refresh_token, ctx.now())
    },
  }
}
