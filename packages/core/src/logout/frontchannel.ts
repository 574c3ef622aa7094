/** Owns the addresses that a browser loads in hidden frames, so that each client ends its own session there. */
import { encodeParameters } from '@latchkey/oauth'
import type { SessionClient } from '@latchkey/store'
import type { Context } from '../context.ts'

/** More frames than a browser loads in good time. */
const most = 50

/** @spec OpenID Connect Front-Channel Logout §3 */
export function frontchannelLogoutUris(ctx: Context, clients: readonly SessionClient[]): readonly string[] {
  return clients
    .flatMap(({ client_id, issuer, sid }) => {
      const uri = ctx.configuration.client(client_id)?.frontchannel_logout_uri
      if (uri === undefined) return []
      const query = encodeParameters(Object.entries({ iss: issuer, sid }))
      return [`${uri}${uri.includes('?') ? '&' : '?'}${query}`]
    })
    .slice(0, most)
}
