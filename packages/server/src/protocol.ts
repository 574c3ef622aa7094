/** Owns the way between HTTP and the protocol: `/authorize` and `/userinfo`. */
import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  type Decision,
  decide,
  findClient,
  issue,
  type Progress,
  type ResponseDestination,
  type RulesOutcome,
  readDestination,
  readRequest,
  refuse,
  userinfo,
} from '@latchkey/core'
import { findSession, type IdentityContext } from '@latchkey/identity'
import { encodeParameters, OAuthError, originOf, type Parameters } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { browserSecret, readCookie, setSilentCookie } from './cookies.ts'
import { answerPreflight, openToAll } from './cors.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { sendPage } from './page_answer.ts'
import { formActionSource } from './pages/index.ts'
import { bearerToken, bodyParameters, queryParameters } from './requests.ts'
import { comeBack, sendAway, withRules } from './rules/trip.ts'

/** Milliseconds that a person has to get through the pages. */
const tripLasts = 3_600_000

export function protocol(app: FastifyInstance, server: Server): void {
  app.get('/authorize', async (request, reply) =>
    authorize(server, request, reply, await server.context(request), queryParameters(request)),
  )

  // A cross-site form post comes without the session's cookie; the redirect to the same request as GET brings it.
  app.post('/authorize', async (request, reply) => {
    const ctx = await server.context(request)
    if (typeof request.body !== 'string')
      throw new OAuthError('unsupported_media_type', 'Send the request as application/x-www-form-urlencoded')
    readDestination(ctx, bodyParameters(request))
    return reply.redirect(`${ctx.issuer}authorize?${encodeParameters(bodyParameters(request))}`, 303)
  })

  app.get('/authorize/resume', async (request, reply) => {
    const ctx = await server.context(request)
    const trip = await loadTrip(ctx, request, queryParameters(request).get('state'))
    return proceed(server, request, reply, ctx, trip.request, trip)
  })

  app.get('/continue', async (request, reply) => {
    const ctx = await server.context(request)
    const parameters = queryParameters(request)
    const trip = await loadTrip(ctx, request, parameters.get('state'))
    return proceed(server, request, reply, ctx, trip.request, await comeBack(ctx, request, trip, parameters))
  })

  const info = async (request: FastifyRequest, reply: FastifyReply) => answerUserinfo(server, request, reply)
  app.get('/userinfo', info)
  app.post('/userinfo', info)
  app.options('/userinfo', (request, reply) => answerPreflight(request, reply, 'all', 'GET, POST, OPTIONS'))
}

/** @spec RFC 6749 §4.2.1 */
async function authorize(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  parameters: Parameters,
) {
  const destination = readDestination(ctx, parameters)
  let read: AuthorizationRequest
  try {
    read = await readRequest(ctx, destination, parameters)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, destination, error)
  }
  const signed_in = await currentSession(ctx, request, read)
  return proceed(server, request, reply, ctx, read, signed_in === undefined ? {} : { signed_in })
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

/** A trip that has come back from a page. */
export interface RunningTrip extends Progress {
  readonly request: AuthorizationRequest
  /** The handle that the pages carry. */
  readonly state: string
  /** The secret of the browser that began it. */
  readonly browser: string
}

/**
 * The trip of this browser under this handle.
 * @throws OAuthError for our own page when there is none: it has ended, or it is another browser's
 */
export async function loadTrip(
  ctx: IdentityContext,
  request: FastifyRequest,
  state: string | undefined,
): Promise<RunningTrip> {
  const browser = readCookie(ctx, request, 'browser')
  const stored =
    state === undefined || browser === undefined
      ? undefined
      : await ctx.store.transactions.find(state, browser, ctx.now())
  if (state === undefined || browser === undefined || stored === undefined) {
    throw new OAuthError(
      'invalid_request',
      'This page cannot be used on its own, or its time is over. Go back to the application and sign in from there',
      {
        explanation: {
          summary:
            'The login pages belong to one trip, begun by an application at /authorize in this same browser within the last hour.',
          fix: 'Start at the application. A bookmark of a login page does not work, nor does a browser without cookies.',
        },
      },
    )
  }
  const signed_in = await findSession(ctx, readCookie(ctx, request, 'session'), 'session')
  return {
    request: JSON.parse(stored.request) as AuthorizationRequest,
    state,
    browser,
    ...(stored.authenticated === undefined ? {} : { authenticated: stored.authenticated }),
    ...(stored.account_chosen === undefined ? {} : { account_chosen: stored.account_chosen }),
    ...(stored.consented === undefined ? {} : { consented: stored.consented }),
    ...(stored.rules === undefined ? {} : { rules: JSON.parse(stored.rules) as RulesOutcome }),
    ...(signed_in === undefined ? {} : { signed_in }),
  }
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
  if (step.kind === 'fail') return answerRefusal(server, request, reply, ctx, read, step.error)
  return answer(server, request, reply, ctx, read, decision, progress.signed_in)
}

async function beginTrip(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  read: AuthorizationRequest,
  rules: RulesOutcome | undefined,
): Promise<string> {
  const state = ctx.random(32)
  const now = ctx.now()
  const browser = browserSecret(ctx, request, reply)
  const said = rules === undefined ? {} : { rules: JSON.stringify(rules) }
  await ctx.store.transactions.create(
    { state, browser, request: JSON.stringify(read), ends_at: now + tripLasts, ...said },
    now,
  )
  return state
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
  let response: AuthorizationResponse
  try {
    response = await issue(ctx, read, decision, signed_in)
  } catch (error) {
    return answerRefusal(server, request, reply, ctx, read, error)
  }
  server.usage.count(read.client_id, read.response_type)
  const secret = readCookie(ctx, request, 'session')
  if (
    secret !== undefined &&
    decision.client.web_origins.length > 0 &&
    readCookie(ctx, request, 'silent') === undefined
  ) {
    setSilentCookie(ctx, reply, secret, sessionCookieEnd(ctx, signed_in))
  }
  return send(server, request, reply, ctx, read, response)
}

function sessionCookieEnd(ctx: IdentityContext, { session }: SignedIn): number | undefined {
  return ctx.configuration.settings.session_cookie?.mode === 'non-persistent' ? undefined : session.ends_at
}

/** Tells the client, through the response mode. */
export function answerRefusal(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  destination: ResponseDestination,
  thrown: unknown,
) {
  const error = asOAuthError(thrown)
  logRefusal(request, error)
  return send(server, request, reply, ctx, destination, refuse(ctx, destination, error))
}

function send(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  destination: ResponseDestination,
  response: AuthorizationResponse,
) {
  const client = findClient(ctx, destination.client_id)
  if (response.kind === 'redirect') return reply.redirect(response.location, 302)
  if (response.kind === 'form_post') {
    const source = formActionSource(response.action)
    const model = { action: response.action, fields: response.fields }
    return sendPage(ctx, server.pages, request, reply, {
      page: 'form_post',
      model,
      client,
      keeps_opener: true,
      form_action: source === undefined ? [] : [source],
    })
  }
  const { target_origin } = response
  return sendPage(ctx, server.pages, request, reply, {
    page: 'web_message',
    client,
    keeps_opener: true,
    frame_ancestors: client.web_origins.map(originOf).filter((origin) => origin !== undefined),
    model: {
      response: target_origin === undefined ? {} : withNumbers(response.response),
      ...(target_origin === undefined ? {} : { target_origin }),
      ...(target_origin === undefined && server.development ? { explanation: unlistedOrigin(destination) } : {}),
    },
  })
}

// Auth0's page gives `expires_in` as a number here.
function withNumbers(response: Readonly<Record<string, string>>): Record<string, string | number> {
  return response.expires_in === undefined ? { ...response } : { ...response, expires_in: Number(response.expires_in) }
}

function unlistedOrigin({ redirect_uri }: ResponseDestination) {
  return {
    summary: `Nothing was posted: the origin of ${redirect_uri} is not one of the client's Allowed Web Origins.`,
    fix: `Add ${originOf(redirect_uri) ?? 'the origin of the page'} to the client's Allowed Web Origins.`,
    setting: 'clients[].web_origins',
  }
}

/** @spec OpenID Connect Core §5.3.1 */
async function answerUserinfo(server: Server, request: FastifyRequest, reply: FastifyReply) {
  openToAll(reply)
  const ctx = await server.context(request)
  try {
    const token = bearerToken(request)
    if (token === undefined) {
      // RFC 6750 §3.1: without credentials no error code is told.
      return reply
        .code(401)
        .header('www-authenticate', `Bearer realm="${ctx.issuer}"`)
        .send({ error: 'invalid_token', error_description: 'No access token was sent' })
    }
    return await userinfo(ctx, token)
  } catch (thrown) {
    const error = asOAuthError(thrown)
    logRefusal(request, error)
    const scope = error.code === 'insufficient_scope' ? ', scope="openid"' : ''
    if (error.status < 500) {
      reply.header(
        'www-authenticate',
        `Bearer realm="${ctx.issuer}", error="${error.code}", error_description="${error.description}"${scope}`,
      )
    }
    return reply.code(error.status).send({ error: error.code, error_description: error.description })
  }
}
