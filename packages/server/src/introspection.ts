/** Owns `/oauth/introspect` over HTTP: JSON, or a signed answer for who asks for one. */
import { introspect, introspectionJwt } from '@latchkey/core'
import type { FastifyInstance } from 'fastify'
import type { Server } from './app.ts'
import { clientEndpoint } from './token_endpoint.ts'

const signed = 'application/token-introspection+jwt'

/**
 * @spec RFC 7662 §2
 * @spec RFC 9701 §4
 */
export function introspection(app: FastifyInstance, server: Server): void {
  clientEndpoint(app, server, '/oauth/introspect', async ({ ctx, request, reply }, read) => {
    const answer = await introspect(ctx, read)
    reply.header('vary', 'Accept, Origin')
    if (!accepts(request.headers.accept, signed)) return reply.send(answer.body)
    return reply.type(signed).send(await introspectionJwt(ctx, answer))
  })
}

/** True where a header names this very media type: who takes anything gets JSON. */
function accepts(accept: string | undefined, type: string): boolean {
  return (accept ?? '').split(',').some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase())
    return name === type && !parameters.some((part) => /^q=0(\.0*)?$/.test(part))
  })
}
