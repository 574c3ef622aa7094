/** Owns `session_state`: by it a client's page sees that the login state of the browser has changed, and learns nothing else. */
import { hash } from 'node:crypto'
import { originOf } from '@latchkey/oauth'
import type { AuthorizationRequest } from './authorization_request.ts'
import type { Context } from './context.ts'

type Asked = Pick<AuthorizationRequest, 'client_id' | 'redirect_uri' | 'response_type' | 'scope'>

/** The value of the cookie that the frame of `check_session_iframe` reads: it belongs to the session and reveals nothing of it. */
export function browserState(ctx: Context, session_id: string): string {
  return ctx.store.vault.derive('browser state', session_id)
}

/** Whether an answer carries `session_state`: it goes to a page, in a trip that OpenID Connect began. */
export function tellsSessionState({ scope, redirect_uri, response_type }: Asked): boolean {
  return scope.includes('openid') && response_type !== 'none' && originOf(redirect_uri) !== undefined
}

/**
 * @returns undefined where there is nothing to tell
 * @spec OpenID Connect Session Management §3
 */
export function sessionState(ctx: Context, request: Asked, session_id: string): string | undefined {
  if (!tellsSessionState(request)) return undefined
  const salt = ctx.random(12)
  const text = `${request.client_id} ${originOf(request.redirect_uri)} ${browserState(ctx, session_id)} ${salt}`
  return `${hash('sha256', text)}.${salt}`
}
