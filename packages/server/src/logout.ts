/** Owns `/v2/logout`: the session ends, then the browser goes where the client may send it. */
import { logoutTarget } from '@latchkey/core'
import { findSession } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { clearSessionCookies, readCookie } from './cookies.ts'
import { sendErrorPage } from './errors.ts'
import { sendPage } from './page_answer.ts'
import { queryParameters } from './requests.ts'

export function logout(app: FastifyInstance, server: Server): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => endSession(server, request, reply)
  app.get('/v2/logout', handler)
  app.get('/logout', handler)
}

async function endSession(server: Server, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const ctx = await server.context(request)
  const parameters = queryParameters(request)
  // The session ends even when the address to go to is refused: whoever asked to leave has left.
  const signed_in = await findSession(ctx, readCookie(ctx, request, 'session'), 'session')
  if (signed_in !== undefined) await ctx.store.sessions.end(signed_in.session.session_id, ctx.now())
  clearSessionCookies(ctx, reply)
  const client_id = parameters.get('client_id')
  const returnTo = parameters.get('returnTo')
  try {
    const target = logoutTarget(ctx, {
      ...(client_id === undefined ? {} : { client_id }),
      ...(returnTo === undefined ? {} : { returnTo }),
    })
    if (target !== undefined) return reply.redirect(target, 302)
  } catch (error) {
    if (error instanceof OAuthError) return sendErrorPage(server, ctx, request, reply, error)
    throw error
  }
  return sendPage(ctx, server.pages, request, reply, { page: 'logged_out', model: {} })
}
