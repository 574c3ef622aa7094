/** Owns the end of a browser's session: everyone who must hear of it does, the cookies go, and the browser goes on. */
import { frontchannelLogoutUris } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { originOf } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { clearSessionCookies } from '../cookies.ts'
import { sendPage } from '../page_answer.ts'

export interface LogoutVisit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Milliseconds that the browser waits for the clients that are told directly; who takes longer is told later. */
const patience = 2000

/** @returns the addresses to load in frames, so that the clients of the session end theirs */
export async function endSession(
  { server, ctx, request, reply }: LogoutVisit,
  signed_in: SignedIn | undefined,
): Promise<readonly string[]> {
  clearSessionCookies(ctx, reply)
  if (signed_in === undefined) return []
  const { session_id, user_id } = signed_in.session
  const clients = await ctx.store.sessionClients.list(session_id)
  await ctx.store.sessions.end(session_id, ctx.now())
  request.log.info({ user_id, ip: request.ip, clients: clients.map((one) => one.client_id) }, 'signed out')
  const hears = clients.some((one) => ctx.configuration.client(one.client_id)?.backchannel_logout_uri !== undefined)
  if (hears) await server.tellClients(patience)
  return frontchannelLogoutUris(ctx, clients)
}

export interface AfterLogout {
  /** Where to go; our own page where there is none. */
  readonly target: string | undefined
  readonly frames: readonly string[]
  readonly client_id?: string | undefined
  readonly ui_locales?: string | undefined
}

/** @spec OpenID Connect Front-Channel Logout §3 */
export function sendAfterLogout(
  { server, ctx, request, reply }: LogoutVisit,
  { target, frames, client_id, ui_locales }: AfterLogout,
): FastifyReply {
  if (target !== undefined && frames.length === 0) return reply.redirect(target, request.method === 'POST' ? 303 : 302)
  return sendPage(ctx, server.pages, request, reply, {
    page: 'logged_out',
    model: { frames, return_url: target },
    client: client_id === undefined ? undefined : ctx.configuration.client(client_id),
    ui_locales,
    frame_src: frames.map(originOf).filter((origin) => origin !== undefined),
  })
}
