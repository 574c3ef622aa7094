/** Owns `session_state`: by it a client's page sees that the login state of the browser has changed, and learns nothing else. */
import { hash } from 'node:crypto'
import { originOf } from '@latchkey/oauth'
import type { AuthorizationRequest } from './authorization_request.ts'
import type { Context } from './context.ts'

type Asked = Pick<AuthorizationRequest, 'client_id' | 'redirect_uri' | 'response_type' | 'scope'>

interface Known {
  readonly session_id: string
}

const states = new WeakMap<Known, string>()

/**
 * The value of the cookie that the frame of `check_session_iframe` reads: it belongs to the session and reveals nothing of it. An answer
 * needs it twice, and derives it once.
 */
export function browserState(ctx: Context, session: Known): string {
  const known = states.get(session)
  if (known !== undefined) return known
  const state = ctx.store.vault.derive('browser state', session.session_id)
  states.set(session, state)
  return state
}

/** Whether an answer carries `session_state`: it goes to a page, in a trip that OpenID Connect began. */
export function tellsSessionState(asked: Asked): boolean {
  return pageOf(asked) !== undefined
}

/** The origin of the page that is told. */
function pageOf({ scope, redirect_uri, response_type }: Asked): string | undefined {
  return scope.includes('openid') && response_type !== 'none' ? originOf(redirect_uri) : undefined
}

/**
 * @returns undefined where there is nothing to tell
 * @spec OpenID Connect Session Management §3
 */
export function sessionState(ctx: Context, request: Asked, session: Known): string | undefined {
  const origin = pageOf(request)
  if (origin === undefined) return undefined
  const salt = ctx.random(12)
  const text = `${request.client_id} ${origin} ${browserState(ctx, session)} ${salt}`
  return `${hash('sha256', text)}.${salt}`
}
