/** Owns `/userinfo` over HTTP. */
import { userinfo } from '@latchkey/core'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { type Buckets, openBuckets, tellAllowance, tooMany } from './rate_limit.ts'
import { bearerToken } from './requests.ts'

export function userinfoEndpoint(app: FastifyInstance, server: Server): void {
  const buckets = openBuckets(server.userinfo_per_minute)
  const answer = async (request: FastifyRequest, reply: FastifyReply) => answerUserinfo(server, buckets, request, reply)
  app.get('/userinfo', answer)
  app.post('/userinfo', answer)
  app.options('/userinfo', (request, reply) => answerPreflight(request, reply, 'all', 'GET, POST, OPTIONS'))
}

/** @spec OpenID Connect Core §5.3.1 */
async function answerUserinfo(server: Server, buckets: Buckets, request: FastifyRequest, reply: FastifyReply) {
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
    const claims = await userinfo(ctx, token)
    // Only whoever has shown a token that counts is counted: nobody fills the memory with inventions.
    const allowance = buckets.take(String(claims.sub), ctx.now())
    tellAllowance(reply, allowance, ctx.now())
    if (!allowance.allowed) throw new OAuthError('too_many_requests', tooMany)
    return claims
  } catch (thrown) {
    const error = asOAuthError(thrown)
    logRefusal(request, error)
    const scope = error.code === 'insufficient_scope' ? ', scope="openid"' : ''
    if (error.status < 500 && error.code !== 'too_many_requests') {
      reply.header(
        'www-authenticate',
        `Bearer realm="${ctx.issuer}", error="${error.code}", error_description="${error.description}"${scope}`,
      )
    }
    return reply.code(error.status).send({ error: error.code, error_description: error.description })
  }
}
