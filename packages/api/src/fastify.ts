/** Owns the adapter for Fastify: `onRequest` hooks, which run before the body is parsed. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { answerTo } from './answer.ts'
import { authenticate } from './authenticate.ts'
import type { AccessTokenClaims } from './claims.ts'
import { presentedBy } from './node_request.ts'
import * as scopes from './scope.ts'
import { type AuthenticationOptions, requireAuthentication as stepUp } from './step_up.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the checked access token, once `protect` has run. */
    auth?: AccessTokenClaims
  }
}

export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Lets a request pass only with a good access token, whose claims are then at `request.auth`. @spec RFC 6750 §2.1 */
export function protect(verifier: Verifier): FastifyHook {
  return async (request, reply) => {
    try {
      request.auth = await authenticate(verifier, presentedBy(request.raw, reply.raw))
    } catch (error) {
      return refuse(reply, error)
    }
    return undefined
  }
}

/** Lets a request pass only when all of the scopes were granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireScope(first: string, ...more: readonly string[]): FastifyHook {
  return hook(scopes.requireScope(first, ...more))
}

/** Lets a request pass when one of the scopes was granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireAnyScope(first: string, ...more: readonly string[]): FastifyHook {
  return hook(scopes.requireAnyScope(first, ...more))
}

/** Lets a request pass only when the person signed in strongly and freshly enough. Stands after `protect`. @spec RFC 9470 §3 */
export function requireAuthentication(options: AuthenticationOptions): FastifyHook {
  return hook(stepUp(options))
}

function hook(check: scopes.ScopeCheck): FastifyHook {
  return async (request, reply) => {
    try {
      check(request.auth)
    } catch (error) {
      return refuse(reply, error)
    }
    return undefined
  }
}

/** A reply that was sent from a hook ends the request there. */
function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof TokenError)) throw error
  const { status, headers, body } = answerTo(error)
  return reply.code(status).headers(headers).send(body)
}
