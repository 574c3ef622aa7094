/** Owns `session_state`: by it a client's page sees that the login state of the browser has changed, and learns nothing else. */
import { createHash } from 'node:crypto'
import { originOf } from '@latchkey/oauth'
import type { Context } from './context.ts'

/** The value of the cookie that the frame of `check_session_iframe` reads: it belongs to the session and reveals nothing of it. */
export function browserState(ctx: Context, session_id: string): string {
  return ctx.store.vault.derive('browser state', session_id)
}

/**
 * @returns undefined for an app without an origin, which has no page to ask from
 * @spec OpenID Connect Session Management §3
 */
export function sessionState(
  ctx: Context,
  client: { readonly client_id: string; readonly redirect_uri: string },
  session_id: string,
): string | undefined {
  const origin = originOf(client.redirect_uri)
  if (origin === undefined) return undefined
  const salt = ctx.random(12)
  const text = `${client.client_id} ${origin} ${browserState(ctx, session_id)} ${salt}`
  return `${createHash('sha256').update(text).digest('hex')}.${salt}`
}
