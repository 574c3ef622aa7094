/** Owns the adapter for Hono, on any runtime with WebCrypto. */
import type { Context, MiddlewareHandler } from 'hono'
import { answerTo } from './answer.ts'
import { authenticate, isForm, largestForm, type PresentedRequest } from './authenticate.ts'
import type { AccessTokenClaims } from './claims.ts'
import * as scopes from './scope.ts'
import { type AuthenticationOptions, requireAuthentication as stepUp } from './step_up.ts'
import { TokenError } from './token_error.ts'
import type { Verifier } from './verifier.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The claims of the checked access token, once `protect` has run. */
    auth: AccessTokenClaims
  }
}

/** Lets a request pass only with a good access token, whose claims are then at `c.get('auth')`. @spec RFC 6750 §2.1 */
export function protect(verifier: Verifier): MiddlewareHandler {
  return async (context, next) => {
    try {
      context.set('auth', await authenticate(verifier, presentedBy(context)))
    } catch (error) {
      return refuse(error)
    }
    await next()
    return
  }
}

/** Lets a request pass only when all of the scopes were granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireScope(first: string, ...more: readonly string[]): MiddlewareHandler {
  return middleware(scopes.requireScope(first, ...more))
}

/** Lets a request pass when one of the scopes was granted. Stands after `protect`. @spec RFC 6750 §3.1 */
export function requireAnyScope(first: string, ...more: readonly string[]): MiddlewareHandler {
  return middleware(scopes.requireAnyScope(first, ...more))
}

/** Lets a request pass only when the person signed in strongly and freshly enough. Stands after `protect`. @spec RFC 9470 §3 */
export function requireAuthentication(options: AuthenticationOptions): MiddlewareHandler {
  return middleware(stepUp(options))
}

function middleware(check: scopes.ScopeCheck): MiddlewareHandler {
  return async (context, next) => {
    try {
      check(context.get('auth'))
    } catch (error) {
      return refuse(error)
    }
    await next()
    return
  }
}

function presentedBy(context: Context): PresentedRequest {
  const request = context.req.raw
  const dpop = request.headers.get('dpop')
  return {
    // A Headers object joins repeated headers by a comma and a space itself.
    authorization: request.headers.get('authorization') ?? undefined,
    query: new URL(request.url).search.slice(1),
    ...{ method: request.method, url: request.url, dpop: dpop === null ? [] : [dpop] },
    certificate: () => certificateOf(context.env),
    header: (name) => request.headers.get(name) ?? undefined,
    tell: (name, value) => context.header(name, value),
    form: () => formOf(request),
  }
}

/** On Node the server hands its own request on; other runtimes tell nothing of the connection. */
function certificateOf(env: unknown): Uint8Array | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: { readonly socket?: PeerSocket } }
  return incoming?.socket?.getPeerX509Certificate?.()?.raw
}

interface PeerSocket {
  getPeerX509Certificate?(): { readonly raw: Uint8Array } | undefined
}

async function formOf(request: Request): Promise<string> {
  const length = Number(request.headers.get('content-length'))
  if (!isForm(request.headers.get('content-type')) || !(length > 0 && length <= largestForm)) return ''
  // A copy, so that the handler can still read the body in its own way.
  return request.bodyUsed ? '' : request.clone().text()
}

function refuse(error: unknown): Response {
  if (!(error instanceof TokenError)) throw error
  const { status, headers, body } = answerTo(error)
  return new Response(body, { status, headers })
}
