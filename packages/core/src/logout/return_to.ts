/** Owns where a browser may be sent after Auth0's `/v2/logout`. */
import { differsAt, matchesLogoutUrl, nearest, OAuthError } from '@latchkey/oauth'
import { findClient } from '../authorization_request.ts'
import type { Context } from '../context.ts'

export interface LogoutRequest {
  readonly client_id?: string
  readonly returnTo?: string
}

/**
 * @returns where to send the browser, or undefined for our own page
 * @throws OAuthError when `returnTo` is on no list that counts
 */
export function logoutTarget(ctx: Context, { client_id, returnTo }: LogoutRequest): string | undefined {
  const client = client_id === undefined ? undefined : findClient(ctx, client_id)
  const allowed =
    client === undefined ? (ctx.configuration.settings.allowed_logout_urls ?? []) : client.allowed_logout_urls
  if (returnTo === undefined) return client === undefined ? undefined : allowed.find((one) => !one.includes('*'))
  if (allowed.some((one) => matchesLogoutUrl(returnTo, one))) return returnTo
  const registered = nearest(returnTo, allowed)
  throw new OAuthError('invalid_request', 'The returnTo URL is not in the list of allowed logout URLs', {
    explanation: {
      summary:
        client === undefined
          ? 'Without client_id the list of the tenant counts.'
          : `The list of ${client.name} counts.`,
      fix: `Add ${returnTo.slice(0, 300)} to the allowed logout URLs.`,
      setting: client === undefined ? 'tenant.allowed_logout_urls' : 'clients[].allowed_logout_urls',
      ...(registered === undefined
        ? {}
        : { nearest: { registered, requested: returnTo.slice(0, 2048), differs_at: differsAt(registered, returnTo) } }),
    },
  })
}
