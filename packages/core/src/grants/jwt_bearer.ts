/** Owns the grant `urn:ietf:params:oauth:grant-type:jwt-bearer`: an issuer that the tenant trusts says who the person is. */
import { OAuthError, words } from '@latchkey/oauth'
import type { Client, User } from '@latchkey/store'
import { resolveAudience } from '../audience.ts'
import type { Audience } from '../authorization.ts'
import type { Context } from '../context.ts'
import { defineGrant } from '../grant.ts'
import { ruledWithoutBrowser } from '../rules/without_browser.ts'
import { readAssertion } from '../trusted_issuer.ts'

/** @spec RFC 7523 §2.1 */
export const jwtBearer = defineGrant({
  type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  where_listed: true,
  async authorize(ctx, client, request) {
    const { parameters, ip = '', user_agent = '' } = request
    const text = parameters.get('assertion')
    if (text === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: assertion')
    const audience = resolveAudience(ctx, parameters.get('audience'))
    if (audience.api === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: audience')
    const assertion = await readAssertion(ctx, client, text)
    const { user } = assertion
    const asked = words(parameters.get('scope'))
    const defined = audience.api.scopes.map(({ value }) => value)
    const ruled = await ruledWithoutBrowser(ctx, {
      ...{ client, user, ip, user_agent, protocol: 'oauth2-resource-owner-jwt-bearer', amr: [] },
      scope: asked.filter((word) => defined.includes(word)),
      audience: audience.api.identifier,
    })
    const scope = ruled.scope.filter((word) => defined.includes(word))
    await checkConsent(ctx, client, user, audience, scope)
    return {
      authorization: {
        ...{ client, user, audience, scope, response_type: [], tell_auth_time: false, lineage: ctx.random(16) },
        ...(ruled.claims === undefined ? {} : { claims: ruled.claims }),
      },
      asked,
      take: assertion.take,
    }
  },
})

/** Nobody can be asked here: where the person would have to be, only what was allowed before counts. */
async function checkConsent(
  ctx: Context,
  client: Client,
  { user_id }: User,
  { api, grant_audience }: Audience,
  scope: readonly string[],
): Promise<void> {
  if (client.is_first_party && api?.skip_consent_for_verifiable_first_party_clients === true) return
  const allowed = await ctx.store.grants.scope(user_id, client.client_id, grant_audience)
  if (allowed === undefined || !scope.every((word) => allowed.includes(word)))
    throw new OAuthError('consent_required', 'The person has not allowed this at /authorize')
}
