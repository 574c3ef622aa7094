/** Owns which web pages may call this API from a browser. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Makes a hook that tells browsers which origins may read the answers, and answers their preflight question itself:
 * a preflight carries no token, so it has to come before the check of the token.
 */
export function cors(allowed_origins: readonly string[]) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    if (origin !== undefined && allowed_origins.includes(origin)) {
      reply.header('access-control-allow-origin', origin)
      // Lets the page read why a token was refused, and the nonce that its next proof needs.
      reply.header('access-control-expose-headers', 'DPoP-Nonce, WWW-Authenticate')
      reply.header('access-control-allow-methods', 'GET, POST')
      reply.header('access-control-allow-headers', 'Authorization, Content-Type, DPoP')
      reply.header('access-control-max-age', '600')
    }
    const isPreflight = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers
    return isPreflight ? reply.code(204).send() : undefined
  }
}
