/** Owns the adapter for Express (and for anything else with `(request, response, next)`). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { authenticate } from './authenticate.ts'
import type { AccessTokenClaims } from './claims.ts'
import { presentedBy, sendAnswer } from './node_request.ts'
import * as scopes from './scope.ts'
import { type AuthenticationOptions, requireAuthentication as stepUp } from './step_up.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

declare global {
  namespace Express {
    interface Request {
      /** The claims of the checked access token, once `protect` has run. */
      auth?: AccessTokenClaims
    }
  }
}

type ExpressRequest = IncomingMessage & { auth?: AccessTokenClaims; readonly body?: unknown }
type Next = (error?: unknown) => void
export type ExpressMiddleware = (request: ExpressRequest, response: ServerResponse, next: Next) => void | Promise<void>

/** Lets a request pass only with a good access token, whose claims are then at `request.auth`. @spec RFC 6750 §2.1 */
export function protect(verifier: Verifier): ExpressMiddleware {
  return async (request, response, next) => {
    try {
      request.auth = await authenticate(verifier, presentedBy(request, response))
    } catch (error) {
      refuse(response, next, error)
      return
    }
    next()
  }
}

/** Lets a request pass only when all of the scopes were granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireScope(first: string, ...more: readonly string[]): ExpressMiddleware {
  return middleware(scopes.requireScope(first, ...more))
}

/** Lets a request pass when one of the scopes was granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireAnyScope(first: string, ...more: readonly string[]): ExpressMiddleware {
  return middleware(scopes.requireAnyScope(first, ...more))
}

/** Lets a request pass only when the person signed in strongly and freshly enough. Stands after `protect`. @spec RFC 9470 §3 */
export function requireAuthentication(options: AuthenticationOptions): ExpressMiddleware {
  return middleware(stepUp(options))
}

function middleware(check: scopes.ScopeCheck): ExpressMiddleware {
  return (request, response, next) => {
    try {
      check(request.auth)
    } catch (error) {
      refuse(response, next, error)
      return
    }
    next()
  }
}

function refuse(response: ServerResponse, next: Next, error: unknown): void {
  if (error instanceof TokenError) sendAnswer(response, error)
  else next(error)
}
