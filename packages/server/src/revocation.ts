/** Owns `/oauth/revoke` over HTTP. */
import { revoke } from '@latchkey/core'
import type { FastifyInstance } from 'fastify'
import type { Server } from './app.ts'
import { clientEndpoint } from './token_endpoint.ts'

/** @spec RFC 7009 §2 */
export function revocation(app: FastifyInstance, server: Server): void {
  clientEndpoint(app, server, '/oauth/revoke', async ({ ctx, reply }, request) => {
    await revoke(ctx, request)
    return reply.code(200).send()
  })
}
