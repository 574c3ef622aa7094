/** Owns the grant `client_credentials`: a client acts for itself, at an API that it has a client grant for. */
import { OAuthError, words } from '@latchkey/oauth'
import { resolveTarget, targetOf } from '../audience.ts'
import { defineGrant } from '../grant.ts'

/** @spec RFC 6749 §4.4.2 @spec RFC 8707 §2.2 */
export const clientCredentials = defineGrant({
  type: 'client_credentials',
  async authorize(ctx, client, { parameters }) {
    if (client.token_endpoint_auth_method === 'none')
      throw new OAuthError('unauthorized_client', 'A public client cannot act for itself')
    const audience = resolveTarget(ctx, targetOf(parameters))
    if (audience.more !== undefined) throw new OAuthError('invalid_target', 'Ask for one API at a time')
    if (audience.api === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: audience')
    const { identifier } = audience.api
    const grant = ctx.configuration.clientGrant(client.client_id, identifier)
    if (grant === undefined)
      throw new OAuthError('access_denied', `Client is not authorized to access ${identifier}`, {
        explanation: {
          summary: `${client.name} has no client grant for ${identifier}.`,
          fix: 'Add a client grant with the scopes that the client needs.',
          setting: 'clientGrants[]',
        },
      })
    const asked = words(parameters.get('scope'))
    const scope = asked.length === 0 ? grant.scope : grant.scope.filter((word) => asked.includes(word))
    return {
      authorization: {
        ...{ client, audience, scope, response_type: [], tell_auth_time: false },
        gty: 'client-credentials',
      },
      asked,
    }
  },
})
