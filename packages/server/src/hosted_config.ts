/** Owns what a login page of an administrator's own is given for auth0-js: the shape that Auth0 puts in place of `@@config@@`. */
import { findClient } from '@latchkey/core'
import { connectionOfVisit, csrfToken, type Visit } from './visit.ts'

/** As base64 of JSON, for a page to decode. */
export function hostedConfig(visit: Visit): string {
  const { ctx, trip } = visit
  const { client_id, redirect_uri, response_type, response_mode, scope, audience, nonce, prompt, connection } =
    trip.request
  const client = findClient(ctx, client_id)
  const config = {
    auth0Domain: new URL(ctx.issuer).host,
    auth0Tenant: ctx.tenant,
    authorizationServer: { issuer: ctx.issuer },
    assetsUrl: ctx.issuer,
    clientID: client_id,
    callbackURL: redirect_uri,
    callbackOnLocationHash: response_mode === 'fragment',
    connection: connection ?? connectionOfVisit(visit).name,
    prompt: prompt.join(' '),
    isThirdPartyClient: !client.is_first_party,
    icon: client.logo_uri,
    dict: {},
    extraParams: { login_hint: trip.request.login_hint, ui_locales: trip.request.ui_locales },
    internalOptions: {
      protocol: 'oauth2',
      ...{ response_type, scope: scope.join(' '), audience, nonce },
      ...{ state: trip.state, _csrf: csrfToken(ctx, trip), _intstate: 'deprecated' },
    },
  }
  return Buffer.from(JSON.stringify(config)).toString('base64')
}
