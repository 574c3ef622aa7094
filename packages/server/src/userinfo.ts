/** Owns `/userinfo` over HTTP. */
import { userinfo } from '@latchkey/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { bearerToken } from './requests.ts'

export function userinfoEndpoint(app: FastifyInstance, server: Server): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply) => answerUserinfo(server, request, reply)
  app.get('/userinfo', answer)
  app.post('/userinfo', answer)
  app.options('/userinfo', (request, reply) => answerPreflight(request, reply, 'all', 'GET, POST, OPTIONS'))
}

/** @spec OpenID Connect Core §5.3.1 */
async function answerUserinfo(server: Server, request: FastifyRequest, reply: FastifyReply) {
  openToAll(reply)
  const ctx = await server.context(request)
  try {
    const token = bearerToken(request)
    if (token === undefined) {
      // RFC 6750 §3.1: without credentials no error code is told.
      return reply
        .code(401)
        .header('www-authenticate', `Bearer realm="${ctx.issuer}"`)
        .send({ error: 'invalid_token', error_description: 'No access token was sent' })
    }
    return await userinfo(ctx, token)
  } catch (thrown) {
    const error = asOAuthError(thrown)
    logRefusal(request, error)
    const scope = error.code === 'insufficient_scope' ? ', scope="openid"' : ''
    if (error.status < 500) {
      reply.header(
        'www-authenticate',
        `Bearer realm="${ctx.issuer}", error="${error.code}", error_description="${error.description}"${scope}`,
      )
    }
    return reply.code(error.status).send({ error: error.code, error_description: error.description })
  }
}
