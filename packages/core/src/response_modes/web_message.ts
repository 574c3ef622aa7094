/** Owns `web_message`: the answer as a message to the window that opened or frames this page. */
import { originOf } from '@latchkey/oauth'
import { defineResponseMode, type ResponseTarget } from './response_mode.ts'

/** The target is the redirect URI's origin, and only when the client lists it among its Allowed Web Origins. */
export const webMessage = defineResponseMode({
  name: 'web_message',
  carries_tokens: true,
  // A message is sent to an origin, which a native app's own scheme does not have.
  reaches: (redirect_uri) => originOf(redirect_uri) !== undefined,
  respond: (target, response) => ({ kind: 'web_message', target_origin: listedOrigin(target), response }),
})

/** The one origin that a message may go to; undefined when the client does not list it. */
export function listedOrigin({ redirect_uri, web_origins }: ResponseTarget): string | undefined {
  const origin = originOf(redirect_uri)
  return web_origins.some((one) => originOf(one) === origin) ? origin : undefined
}
