/** Owns the adapter for bare `node:http`: handlers are wrapped, so one that is not reached cannot run. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { authenticate } from './authenticate.ts'
import type { AccessTokenClaims } from './claims.ts'
import { presentedBy, sendAnswer } from './node_request.ts'
import * as scopes from './scope.ts'
import { type AuthenticationOptions, requireAuthentication as stepUp } from './step_up.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

/** A request whose token has been checked. */
export type AuthorizedRequest = IncomingMessage & { readonly auth: AccessTokenClaims }
export type Handler = (request: AuthorizedRequest, response: ServerResponse) => unknown
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Wraps a handler so that it runs only with a good access token, whose claims are at `request.auth`. @spec RFC 6750 §2.1 */
export function protect(verifier: Verifier): (handler: Handler) => Listener {
  return (handler) => async (request, response) => {
    let auth: AccessTokenClaims
    try {
      auth = await authenticate(verifier, presentedBy(request, response))
    } catch (error) {
      refuse(response, error)
      return
    }
    await handler(Object.assign(request, { auth }), response)
  }
}

/** Wraps a handler so that it runs only when all of the scopes were granted. @spec RFC 6750 §3.1 */
export function requireScope(first: string, ...more: readonly string[]): (handler: Handler) => Handler {
  return wrapper(scopes.requireScope(first, ...more))
}

/** Wraps a handler so that it runs when one of the scopes was granted. @spec RFC 6750 §3.1 */
export function requireAnyScope(first: string, ...more: readonly string[]): (handler: Handler) => Handler {
  return wrapper(scopes.requireAnyScope(first, ...more))
}

/** Wraps a handler so that it runs only when the person signed in strongly and freshly enough. @spec RFC 9470 §3 */
export function requireAuthentication(options: AuthenticationOptions): (handler: Handler) => Handler {
  return wrapper(stepUp(options))
}

function wrapper(check: scopes.ScopeCheck): (handler: Handler) => Handler {
  return (handler) => (request, response) => {
    try {
      check(request.auth)
    } catch (error) {
      refuse(response, error)
      return
    }
    return handler(request, response)
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof TokenError) {
    sendAnswer(response, error)
    return
  }
  // A bug: the caller is told nothing, the developer everything, and the server goes on.
  process.emitWarning(error instanceof Error ? error : String(error))
  response.writeHead(500, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify({ error: 'server_error', error_description: 'The API failed.' }))
}
