/** Owns `/v2/logout`, Auth0's own: the session ends unasked, then the browser goes where the client may send it. */
import { logoutTarget } from '@latchkey/core'
import { findSession } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { readCookie } from '../cookies.ts'
import { sendErrorPage } from '../errors.ts'
import { withoutHead } from '../methods.ts'
import { queryParameters } from '../requests.ts'
import { endSession, sendAfterLogout } from './ending.ts'

export function v2Logout(app: FastifyInstance, server: Server): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply) => takeLogout(server, request, reply)
  app.get('/v2/logout', withoutHead, handler)
  app.get('/logout', withoutHead, handler)
}

async function takeLogout(server: Server, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const ctx = await server.context(request)
  const parameters = queryParameters(request)
  // The session ends even when the address to go to is refused: whoever asked to leave has left.
  const signed_in = await findSession(ctx, readCookie(ctx, request, 'session'), 'session')
  const frames = await endSession({ server, ctx, request, reply }, signed_in)
  const client_id = parameters.get('client_id')
  const returnTo = parameters.get('returnTo')
  try {
    const target = logoutTarget(ctx, {
      ...(client_id === undefined ? {} : { client_id }),
      ...(returnTo === undefined ? {} : { returnTo }),
    })
    return sendAfterLogout({ server, ctx, request, reply }, { target, frames, client_id })
  } catch (error) {
    if (error instanceof OAuthError) return sendErrorPage(server, ctx, request, reply, error)
    throw error
  }
}
