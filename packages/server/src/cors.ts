/** Owns which browser pages on other origins may call what, and read the answer. */

import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { originsOf } from './origins.ts'

const allowedHeaders =
  'auth0-client, content-type, authorization, dpop, mcp-protocol-version, x-request-language, auth0-custom-domain'
const exposedHeaders =
  'DPoP-Nonce, WWW-Authenticate, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset'

/** For what is public anyway, or guarded by a bearer token that no browser attaches by itself. */
export function openToAll(reply: FastifyReply): void {
  reply.header('access-control-allow-origin', '*').header('access-control-expose-headers', exposedHeaders)
}

/** The answer to a preflight. It carries no client_id, so the origin of any client will do; the request itself is judged by its own. */
export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: { has(origin: string): boolean } | 'all',
  methods: string,
): FastifyReply {
  const origin = request.headers.origin
  reply.header('vary', 'Origin, Access-Control-Request-Headers')
  if (origin !== undefined && (origins === 'all' || origins.has(origin))) {
    reply
      .header('access-control-allow-origin', origins === 'all' ? '*' : origin)
      .header('access-control-allow-methods', methods)
      .header('access-control-allow-headers', allowedHeaders)
      .header('access-control-max-age', '600')
    if (origins !== 'all') reply.header('access-control-allow-credentials', 'true')
  }
  return reply.code(204).send()
}

/**
 * Lets a client's own pages read the answer.
 * @throws OAuthError `access_denied` when the request comes from a page of another origin
 */
export function openToClient(
  request: FastifyRequest,
  reply: FastifyReply,
  client: Client | undefined,
  issuer: string,
): void {
  const origin = request.headers.origin
  reply.header('vary', 'Origin')
  if (origin === undefined || `${origin}/` === issuer) return
  if (client === undefined || !originsOf(client).includes(origin)) {
    throw new OAuthError('access_denied', `The origin ${origin.slice(0, 200)} is not allowed for this client`)
  }
  openToOrigin(reply, origin)
}

/** Lets pages of any client read a refusal that is about no client in particular. */
export function openToKnownPages(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: { has(origin: string): boolean },
): void {
  const { origin } = request.headers
  reply.header('vary', 'Origin')
  if (origin !== undefined && origins.has(origin)) openToOrigin(reply, origin)
}

function openToOrigin(reply: FastifyReply, origin: string): void {
  reply
    .header('access-control-allow-origin', origin)
    .header('access-control-allow-credentials', 'true')
    .header('access-control-expose-headers', exposedHeaders)
}
