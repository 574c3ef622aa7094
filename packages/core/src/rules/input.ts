/** Owns what rules see of a trip: `user` and `context`, by Auth0's names. No secret is among it. */
import type { Client, SignedIn, User } from '@latchkey/store'
import type { AuthorizationRequest } from '../authorization_request.ts'
import type { Context } from '../context.ts'
import type { RulesInput } from './rules.ts'

/** The HTTP request in which rules run. */
export interface RulesVisit {
  readonly ip: string
  readonly user_agent: string
  /** The person signed in during this very trip. */
  readonly during_this_trip: boolean
  /** The parameters that the browser brought back from where a rule had sent it. */
  readonly returned_with?: Readonly<Record<string, string>>
}

export function rulesInput(
  ctx: Context,
  client: Client,
  request: AuthorizationRequest,
  { session, user }: SignedIn,
  visit: RulesVisit,
): RulesInput {
  const connection = ctx.configuration.connection(user.connection)
  return {
    user: userObject(user),
    context: {
      tenant: ctx.tenant,
      clientID: client.client_id,
      clientName: client.name,
      clientMetadata: client.client_metadata,
      connection: user.connection,
      connectionID: connection?.id,
      connectionStrategy: connection?.strategy ?? 'auth0',
      protocol: visit.returned_with === undefined ? 'oidc-implicit-profile' : 'redirect-callback',
      stats: { loginsCount: user.logins_count },
      sso: { with_auth0: !visit.during_this_trip, with_dbconn: !visit.during_this_trip, current_clients: [] },
      request: {
        query: visit.returned_with ?? request.query ?? {},
        body: {},
        ip: visit.ip,
        userAgent: visit.user_agent,
        hostname: new URL(ctx.issuer).hostname,
      },
      sessionID: session.session_id,
      authentication: { methods: session.amr.map((name) => ({ name, timestamp: session.auth_time * 1000 })) },
      authorization: { roles: [] },
      accessToken: {},
      idToken: {},
    },
  }
}

/** Written field by field: what is added to a user some day must not reach rules unnoticed. */
function userObject(user: User): Record<string, unknown> {
  const { user_id, email, email_verified, username, blocked, connection, profile } = user
  const [provider = 'auth0', ...rest] = user_id.split('|')
  return {
    ...profile,
    user_id,
    email,
    email_verified,
    username,
    name: profile.name ?? email ?? username,
    nickname: profile.nickname ?? username ?? email?.split('@')[0],
    blocked: blocked ? true : undefined,
    identities: [{ connection, provider, user_id: rest.join('|'), isSocial: false }],
    created_at: new Date(user.created_at).toISOString(),
    updated_at: new Date(user.updated_at).toISOString(),
  }
}
