/** Owns the endpoints that clients call themselves, over HTTP: form or JSON in, JSON out, readable by the client's own pages. */
import { type EndpointRequest, presentedClient, token } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToClient, openToKnownPages } from './cors.ts'
import { asOAuthError, sendJsonError } from './errors.ts'
import { bodyParameters, queryParameters } from './requests.ts'
import { senderOf, tellNonce } from './sender.ts'

export function tokenEndpoint(app: FastifyInstance, server: Server): void {
  clientEndpoint(app, server, '/oauth/token', async ({ ctx, reply }, request) => reply.send(await token(ctx, request)))
}

/** One call of such an endpoint. */
export interface ClientCall {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * Adds an endpoint that clients call themselves.
 * @param handle the client is not authenticated yet
 * @spec RFC 6749 §3.2
 */
export function clientEndpoint(
  app: FastifyInstance,
  server: Server,
  path: string,
  handle: (call: ClientCall, request: EndpointRequest) => Promise<FastifyReply>,
): void {
  app.post(path, async (request, reply) => {
    const ctx = await server.clientContext(request)
    let client: Client | undefined
    try {
      if (queryParameters(request).size > 0)
        throw new OAuthError('invalid_request', 'Send the parameters in the body, not in the address')
      const read = endpointRequest(server, ctx, request, path)
      client = presentedClient(ctx, read)
      if (client !== undefined) openToClient(request, reply, client, ctx.issuer)
      tellNonce(ctx, request, reply)
      return await handle({ server, ctx, request, reply }, read)
    } catch (thrown) {
      // A request that names no client, or not so that it can be read: the pages of all clients may see why.
      if (client === undefined) openToKnownPages(request, reply, ctx.configuration.origins)
      return sendClientError(ctx, request, reply, thrown)
    }
  })
  app.options(path, async (request, reply) =>
    answerPreflight(request, reply, (await server.clientContext(request)).configuration.origins, 'POST, OPTIONS'),
  )
}

function endpointRequest(server: Server, ctx: IdentityContext, request: FastifyRequest, path: string): EndpointRequest {
  const { authorization, 'user-agent': user_agent, 'auth0-forwarded-for': forwarded_for } = request.headers
  return {
    parameters: bodyParameters(request),
    ...senderOf(server, ctx, request, path),
    ip: request.ip,
    ...(user_agent === undefined ? {} : { user_agent }),
    ...(typeof forwarded_for === 'string' ? { forwarded_for } : {}),
    ...(authorization === undefined ? {} : { authorization }),
  }
}

/** @spec RFC 6749 §5.2 */
function sendClientError(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
): FastifyReply {
  const error = asOAuthError(thrown)
  reply.removeHeader('dpop-nonce')
  tellNonce(ctx, request, reply, error)
  if (error.code === 'invalid_client' && request.headers.authorization !== undefined)
    reply.header('www-authenticate', `Basic realm="${ctx.issuer}"`)
  return sendJsonError(request, reply, error)
}
