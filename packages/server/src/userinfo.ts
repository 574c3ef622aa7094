/** Owns `/userinfo` over HTTP. */
import { ProofNeeded, readUserinfo, userinfoJwt } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { dpopAlgorithms, OAuthError } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { type Buckets, openBuckets, tellAllowance, tooMany } from './rate_limit.ts'
import { type AccessCredentials, accessToken } from './requests.ts'
import { senderOf, tellNonce } from './sender.ts'

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
  const ctx = await server.clientContext(request)
  let scheme: AccessCredentials['scheme'] = 'bearer'
  try {
    const sent = accessToken(request)
    if (sent === undefined) {
      // RFC 6750 §3.1: without credentials no error code is told.
      return reply
        .code(401)
        .header('www-authenticate', `Bearer realm="${ctx.issuer}"`)
        .send({ error: 'invalid_token', error_description: 'No access token was sent' })
    }
    scheme = sent.scheme
    const told = await readUserinfo(ctx, sent.token, { scheme, ...senderOf(server, ctx, request, '/userinfo') })
    // Only whoever has shown a token that counts is counted: nobody fills the memory with inventions.
    const allowance = buckets.take(String(told.claims.sub), ctx.now())
    tellAllowance(reply, allowance, ctx.now())
    if (!allowance.allowed) throw new OAuthError('too_many_requests', tooMany)
    tellNonce(ctx, request, reply)
    const jwt = await userinfoJwt(ctx, told)
    return jwt === undefined ? told.claims : reply.type('application/jwt').send(jwt)
  } catch (thrown) {
    return refuse(ctx, request, reply, scheme, thrown)
  }
}

function refuse(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  scheme: AccessCredentials['scheme'],
  thrown: unknown,
): FastifyReply {
  const error = asOAuthError(thrown)
  logRefusal(request, error)
  tellNonce(ctx, request, reply, error)
  const isAboutProof = error.code === 'invalid_dpop_proof' || error.code === 'use_dpop_nonce'
  if (error.status < 500 && error.code !== 'too_many_requests') {
    const name = scheme === 'dpop' || error instanceof ProofNeeded ? 'DPoP' : 'Bearer'
    reply.header('www-authenticate', challenge(ctx, name, error))
  }
  return reply.code(isAboutProof ? 401 : error.status).send({ error: error.code, error_description: error.description })
}

/**
 * @spec RFC 6750 §3
 * @spec RFC 9449 §7.1
 */
function challenge({ issuer }: IdentityContext, scheme: 'Bearer' | 'DPoP', { code, description }: OAuthError): string {
  const scope = code === 'insufficient_scope' ? ', scope="openid"' : ''
  const algs = scheme === 'DPoP' ? `, algs="${dpopAlgorithms.join(' ')}"` : ''
  return `${scheme} realm="${issuer}", error="${code}", error_description="${description}"${scope}${algs}`
}
