/** Owns `/oauth/device/code` over HTTP. */
import { authorizeDevice } from '@latchkey/core'
import { tripDelay } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance } from 'fastify'
import type { Server } from '../app.ts'
import { clientEndpoint } from '../token_endpoint.ts'

export function deviceEndpoint(app: FastifyInstance, server: Server): void {
  clientEndpoint(app, server, '/oauth/device/code', async ({ ctx, request, reply }, read) => {
    // Anyone who knows a public client can begin, and each beginning is written down.
    const delay = await tripDelay(ctx, ctx.store.counters, request.ip)
    if (delay !== undefined) {
      reply.header('retry-after', String(delay))
      throw new OAuthError('too_many_requests', 'Too many sign-ins were begun from this network address')
    }
    return reply.send(await authorizeDevice(ctx, read))
  })
}
