/** Owns `/oidc/logout`, the `end_session_endpoint`: applications ask for the end of a session, and its person confirms it. */
import { type EndSessionRequest, mustConfirmLogout, readEndSessionRequest } from '@latchkey/core'
import { findSession, type IdentityContext } from '@latchkey/identity'
import { encodeParameters, OAuthError, type Parameters } from '@latchkey/oauth'
import { equal, type SignedIn } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { browserSecret, readCookie } from '../cookies.ts'
import { withoutHead } from '../methods.ts'
import { sendPage } from '../page_answer.ts'
import { formActionSource } from '../pages/index.ts'
import { bodyParameters, checkFormOrigin, queryParameters } from '../requests.ts'
import { accountOf } from '../visit.ts'
import { endSession as endTheSession, type LogoutVisit, sendAfterLogout } from './ending.ts'

/**
 * @spec OpenID Connect RP-Initiated Logout §2
 * @spec OpenID Connect RP-Initiated Logout §6
 */
export function endSession(app: FastifyInstance, server: Server): void {
  const visit = async (request: FastifyRequest, reply: FastifyReply): Promise<LogoutVisit> => ({
    ...{ server, request, reply },
    ctx: await server.context(request),
  })
  const begin = async (request: FastifyRequest, reply: FastifyReply) =>
    takeRequest(await visit(request, reply), queryParameters(request))
  app.get('/oidc/logout', withoutHead, begin)
  app.get('/u/logout', withoutHead, begin)

  // A cross-site form post comes without the session's cookie; the redirect to the same request as GET brings it.
  app.post('/oidc/logout', async (request, reply) => {
    const ctx = await server.context(request)
    if (typeof request.body !== 'string')
      throw new OAuthError('unsupported_media_type', 'Send the request as application/x-www-form-urlencoded')
    return reply.redirect(`${ctx.issuer}oidc/logout?${encodeParameters(bodyParameters(request))}`, 303)
  })

  app.post('/u/logout', async (request, reply) => takeConfirmation(await visit(request, reply)))
}

function sessionOf({ ctx, request }: LogoutVisit): Promise<SignedIn | undefined> {
  return findSession(ctx, readCookie(ctx, request, 'session'), 'session')
}

async function takeRequest(visit: LogoutVisit, parameters: Parameters): Promise<FastifyReply> {
  const signed_in = await sessionOf(visit)
  const asked = await readEndSessionRequest(visit.ctx, parameters, signed_in)
  if (signed_in !== undefined && (await mustConfirmLogout(visit.ctx, asked, signed_in)))
    return showConfirmation(visit, asked, signed_in)
  return finish(visit, asked, signed_in)
}

async function finish(visit: LogoutVisit, asked: EndSessionRequest, signed_in: SignedIn | undefined) {
  const frames = await endTheSession(visit, signed_in)
  const { target, client_id, ui_locales } = asked
  return sendAfterLogout(visit, { target, frames, client_id, ui_locales })
}

/** What the page was shown for, in the page itself: nobody else can make or read one. */
interface Shown {
  readonly asked: EndSessionRequest
  readonly session_id: string
}

function csrfToken(ctx: IdentityContext, browser: string, state: string): string {
  return ctx.store.vault.derive('csrf', `${browser}\nlogout\n${state}`)
}

function showConfirmation(visit: LogoutVisit, asked: EndSessionRequest, signed_in: SignedIn): FastifyReply {
  const { server, ctx, request, reply } = visit
  const shown: Shown = { asked, session_id: signed_in.session.session_id }
  const state = ctx.store.vault.seal(JSON.stringify(shown))
  const account = accountOf(signed_in.user)
  const source = asked.target === undefined ? undefined : formActionSource(asked.target)
  return sendPage(ctx, server.pages, request, reply, {
    page: 'logout_confirm',
    model: { state, account, csrf: csrfToken(ctx, browserSecret(ctx, request, reply), state) },
    client: asked.client_id === undefined ? undefined : ctx.configuration.client(asked.client_id),
    ui_locales: asked.ui_locales,
    form_action: source === undefined ? [] : [source],
  })
}

async function takeConfirmation(visit: LogoutVisit): Promise<FastifyReply> {
  const { ctx, request } = visit
  checkFormOrigin(request, ctx.issuer)
  const fields = bodyParameters(request)
  const state = fields.get('state') ?? ''
  const browser = readCookie(ctx, request, 'browser')
  if (browser === undefined || !equal(fields.get('csrf') ?? '', csrfToken(ctx, browser, state)))
    throw new OAuthError('access_denied', 'The form was not made for this browser. Open the page again')
  const { asked, session_id } = JSON.parse(ctx.store.vault.open(state)) as Shown
  const signed_in = await sessionOf(visit)
  // Somebody else signed in meanwhile, in another tab: that is another question.
  if (signed_in !== undefined && signed_in.session.session_id !== session_id)
    return showConfirmation(visit, asked, signed_in)
  return finish(visit, asked, signed_in)
}
