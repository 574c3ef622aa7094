/** Owns `/authorize` over HTTP: from a request to a page, or to an answer. */
import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  browserState,
  type Decision,
  decide,
  findClient,
  issue,
  type MeantRequest,
  meantRequest,
  type Progress,
  type ResponseDestination,
  readDestination,
  readRequest,
  takePushedRequest,
  tellsSessionState,
} from '@latchkey/core'
import { findSession, type IdentityContext } from '@latchkey/identity'
import { encodeParameters, OAuthError, type Parameters } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerRefusal, sendAnswer } from './authorization_answer.ts'
import { readCookie, setSilentCookie, setStateCookie } from './cookies.ts'
import { answerDevice } from './device/answer.ts'
import { withoutHead } from './methods.ts'
import { bodyParameters, queryParameters } from './requests.ts'
import { comeBack, sendAway, withRules } from './rules/trip.ts'
import { beginTrip, loadTrip, type RunningTrip } from './trip.ts'

export function protocol(app: FastifyInstance, server: Server): void {
  app.get('/authorize', withoutHead, async (request, reply) =>
    authorize(server, request, reply, await server.context(request), queryParameters(request)),
  )

  // A cross-site form post comes without the session's cookie; the redirect to the same request as GET brings it.
  app.post('/authorize', async (request, reply) => {
    const ctx = await server.context(request)
    if (typeof request.body !== 'string')
      throw new OAuthError('unsupported_media_type', 'Send the request as application/x-www-form-urlencoded')
    const parameters = bodyParameters(request)
    if (parameters.has('request') || parameters.has('request_uri')) findClient(ctx, parameters.get('client_id'))
    else readDestination(ctx, parameters)
    return reply.redirect(`${ctx.issuer}authorize?${encodeParameters(parameters)}`, 303)
  })

  app.get('/authorize/resume', withoutHead, async (request, reply) => {
    const ctx = await server.context(request)
    const trip = await loadTrip(server, ctx, request, queryParameters(request).get('state'))
    return proceed(server, request, reply, ctx, trip.request, trip)
  })

  app.get('/continue', withoutHead, async (request, reply) => {
    const ctx = await server.context(request)
    const parameters = queryParameters(request)
    const trip = await loadTrip(server, ctx, request, parameters.get('state'))
    return proceed(server, request, reply, ctx, trip.request, await comeBack(ctx, request, trip, parameters))
  })
}

/** @spec RFC 6749 §4.2.1 */
async function authorize(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  sent: Parameters,
) {
  let meant: MeantRequest
  try {
    meant = await meantRequest(ctx, sent)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, destinationOutside(ctx, sent, error), error)
  }
  const { parameters, origin } = meant
  const destination = readDestination(ctx, parameters)
  let read: AuthorizationRequest
  try {
    read = await readRequest(ctx, destination, parameters, origin)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, destination, error)
  }
  const signed_in = await currentSession(ctx, request, read)
  return proceed(server, request, reply, ctx, read, signed_in === undefined ? {} : { signed_in })
}

/** Where to tell that a request object cannot be read: where the request outside of it says, if that is trusted, else on our page. */
function destinationOutside(ctx: IdentityContext, sent: Parameters, error: unknown): ResponseDestination {
  try {
    return readDestination(ctx, sent)
  } catch {
    throw error
  }
}

// The twin cookie counts for silent authentication alone.
async function currentSession(
  ctx: IdentityContext,
  request: FastifyRequest,
  read: AuthorizationRequest,
): Promise<SignedIn | undefined> {
  const found = await findSession(ctx, readCookie(ctx, request, 'session'), 'session')
  if (found !== undefined || !read.prompt.includes('none')) return found
  return findSession(ctx, readCookie(ctx, request, 'silent'), 'silent')
}

/** The one place that goes on with a trip, after every step. */
async function proceed(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  read: AuthorizationRequest,
  progress: Progress & Partial<RunningTrip>,
) {
  let trip = progress
  let decision: Decision
  try {
    decision = await decide(ctx, read, trip)
    if (decision.step.kind === 'rules') {
      trip = await withRules(ctx, request, read, trip)
      decision = await decide(ctx, read, trip)
    }
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, read, error)
  }
  const { step } = decision
  if (step.kind === 'page' || step.kind === 'redirect') {
    const state = trip.state ?? (await beginTrip(ctx, request, reply, read, trip.rules))
    if (step.kind === 'redirect') return sendAway(reply, step.url, state)
    return reply.redirect(`${ctx.issuer}u/${step.page}?state=${state}`, 302)
  }
  if (step.kind === 'rules') throw new Error('The rules have run, and yet they have not')
  // A trip yields one answer: whoever comes second with the same handle gets none.
  if (
    progress.state !== undefined &&
    progress.browser !== undefined &&
    !(await ctx.store.transactions.take(progress.state, progress.browser, ctx.now()))
  ) {
    throw new OAuthError('invalid_request', 'This sign-in has been completed already. Go back to the application')
  }
  try {
    await takePushedRequest(ctx, read.pushed)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, read, error)
  }
  if (step.kind === 'fail') return answerRefusal(server, request, reply, ctx, read, step.error)
  return answer(server, request, reply, ctx, read, decision, progress.signed_in)
}

async function answer(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  read: AuthorizationRequest,
  decision: Decision,
  signed_in: SignedIn | undefined,
) {
  if (signed_in === undefined) throw new Error('A trip was issued without a person')
  const { device, client_id } = read
  if (device !== undefined) return answerDevice({ server, ctx, request, reply, device, client_id }, decision, signed_in)
  let response: AuthorizationResponse
  try {
    response = await issue(ctx, read, decision, signed_in)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, read, error)
  }
  server.usage.count(read.client_id, read.response_type)
  showState(ctx, request, reply, read, signed_in)
  const secret = readCookie(ctx, request, 'session')
  if (
    secret !== undefined &&
    decision.client.web_origins.length > 0 &&
    readCookie(ctx, request, 'silent') === undefined
  ) {
    await setSilentCookie(ctx, reply, secret, sessionCookieEnd(ctx, signed_in))
  }
  return sendAnswer(server, request, reply, ctx, read, response)
}

/** What the client's page will compare by `session_state`; written only where it is another one. */
function showState(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  read: AuthorizationRequest,
  signed_in: SignedIn,
): void {
  if (!tellsSessionState(read)) return
  const state = browserState(ctx, signed_in.session)
  if (readCookie(ctx, request, 'state') !== state) setStateCookie(ctx, reply, state, sessionCookieEnd(ctx, signed_in))
}

function sessionCookieEnd(ctx: IdentityContext, { session }: SignedIn): number | undefined {
  return ctx.configuration.settings.session_cookie?.mode === 'non-persistent' ? undefined : session.ends_at
}
