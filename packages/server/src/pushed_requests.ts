/** Owns `/oauth/par` over HTTP. */
import { presentedClient, pushRequest } from '@latchkey/core'
import { tripDelay } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance } from 'fastify'
import type { Server } from './app.ts'
import { type ClientCall, clientEndpoint } from './token_endpoint.ts'

/**
 * @spec RFC 9126 §2
 * @spec RFC 9126 §2.2
 */
export function pushedRequests(app: FastifyInstance, server: Server): void {
  clientEndpoint(app, server, '/oauth/par', async (call, request) => {
    // A public client is anybody, and each request is written down.
    if (presentedClient(call.ctx, request)?.token_endpoint_auth_method === 'none') await countPush(call)
    return call.reply.code(201).send(await pushRequest(call.ctx, request))
  })
}

async function countPush({ ctx, request, reply }: ClientCall): Promise<void> {
  const delay = await tripDelay(ctx, ctx.store.counters, request.ip)
  if (delay === undefined) return
  reply.header('retry-after', String(delay))
  throw new OAuthError('too_many_requests', 'Too many requests were pushed from this network address. Try again later')
}
