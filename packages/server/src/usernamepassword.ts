/**
 * Owns signing in by a call from our own login page, as auth0-js does on a page that an administrator has written: the same check as
 * the form's, Auth0's answers, and a form that hands the person over to the trip.
 */
import { findClient } from '@latchkey/core'
import { type IdentityContext, type LoginProblem, password } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import { type Connection, equal } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { signIn, tryPassword } from './login.ts'
import { openLoginTicket, sealLoginTicket } from './login_ticket.ts'
import { escapeHtml } from './pages/index.ts'
import { bodyParameters, checkFormOrigin } from './requests.ts'
import { loadTrip } from './trip.ts'
import { connectionOfVisit, csrfToken, type Visit } from './visit.ts'

export function usernamePassword(app: FastifyInstance, server: Server): void {
  const paths = { '/usernamepassword/login': takeCall, '/usernamepassword/challenge': takeChallenge } as const
  for (const [path, take] of Object.entries(paths)) {
    app.post(path, async (request, reply) => {
      try {
        const ctx = await server.context(request)
        return await take(server, ctx, request, reply, readCall(request, ctx.issuer))
      } catch (error) {
        return sendRefusal(request, reply, asOAuthError(error))
      }
    })
  }
  app.post('/login/callback', async (request, reply) => handOver(server, request, reply))
}

type Call = Readonly<Record<string, unknown>>

/**
 * A page of another origin cannot send JSON without asking first, and nobody answers it. What else sends it must be our own page.
 * @throws OAuthError
 */
function readCall({ headers, body }: FastifyRequest, issuer: string): Call {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new OAuthError('unsupported_media_type', 'Send a JSON object as application/json')
  const site = headers['sec-fetch-site']
  const foreign = headers.origin !== undefined && `${headers.origin}/` !== issuer
  if (foreign || (site !== undefined && site !== 'same-origin'))
    throw new OAuthError('access_denied', 'The call was made from another site')
  return body as Call
}

/** A text field; a value of another type is refused, never turned into text. */
function text(call: Call, name: string): string | undefined {
  const value = call[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string' || value.length > 16_384 || !value.isWellFormed() || value.includes('\0'))
    throw new OAuthError('invalid_request', `${name} must be a string of 16384 characters at most`)
  return value
}

function required(call: Call, name: string): string {
  const value = text(call, name)
  if (value === undefined) throw new OAuthError('invalid_request', `Missing required property: ${name}`)
  return value
}

/** There is no puzzle to solve: the limits on guessing are counted. */
async function takeChallenge(
  _server: Server,
  _ctx: IdentityContext,
  _request: FastifyRequest,
  reply: FastifyReply,
  call: Call,
) {
  required(call, 'state')
  return reply.send({ required: false })
}

async function takeCall(
  server: Server,
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  call: Call,
): Promise<FastifyReply> {
  const trip = await loadTrip(server, ctx, request, required(call, 'state'))
  const visit: Visit = { server, ctx, request, reply, trip }
  if (!equal(text(call, '_csrf') ?? '', csrfToken(ctx, trip)))
    throw new OAuthError('access_denied', 'The call is not one of this sign-in: _csrf does not match')
  checkTrip(visit, call)
  const connection = connectionOfCall(visit, text(call, 'connection'))
  const identifier = (text(call, 'username') ?? required(call, 'email')).slice(0, 254)
  const outcome = await tryPassword(visit, connection, identifier, required(call, 'password'))
  if ('problem' in outcome) return sendProblem(reply, outcome.problem)
  const { user } = outcome
  if (user.blocked) {
    request.log.info({ problem: 'blocked', user_id: user.user_id, ip: request.ip }, 'sign-in failed')
    return sendFailure(reply, 401, 'unauthorized', 'user is blocked')
  }
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', `default-src 'none'; frame-ancestors 'none'`)
    .send(handOverForm(visit, sealLoginTicket(visit, user)))
}

/** What was asked for stands in the trip. A page that names another client or callback belongs to another sign-in. */
function checkTrip({ trip }: Visit, call: Call): void {
  for (const name of ['client_id', 'redirect_uri'] as const) {
    const given = text(call, name)
    if (given !== undefined && given !== trip.request[name])
      throw new OAuthError('invalid_request', `${name} is not that of this sign-in`)
  }
}

function connectionOfCall(visit: Visit, name: string | undefined): Connection {
  const { ctx, trip } = visit
  if (name === undefined) return connectionOfVisit(visit)
  const open = ctx.configuration.connectionsOf(findClient(ctx, trip.request.client_id))
  const found = open.find((one) => one.strategy === 'auth0' && one.name === name)
  if (found === undefined || (trip.request.connection ?? name) !== name)
    throw new OAuthError('invalid_request', 'The connection was not found or is not enabled for this client')
  return found
}

/** The page puts it into itself and submits it: only a form can take the whole window along. */
function handOverForm({ ctx, trip }: Visit, ticket: string): string {
  const fields = { wa: 'wsignin1.0', wresult: ticket, wctx: trip.state }
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
  )
  return `<form method="post" name="hiddenform" action="${escapeHtml(ctx.issuer)}login/callback">${inputs.join('')}</form>`
}

async function handOver(server: Server, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const ctx = await server.context(request)
  checkFormOrigin(request, ctx.issuer)
  const fields = bodyParameters(request)
  const trip = await loadTrip(server, ctx, request, fields.get('wctx'))
  const visit: Visit = { server, ctx, request, reply, trip }
  return signIn(visit, await openLoginTicket(visit, fields.get('wresult') ?? ''), password.amr)
}

const problems = {
  wrong_credentials: [401, 'invalid_user_password', 'Wrong email or password.'],
  too_many_attempts: [
    429,
    'too_many_attempts',
    'Your account has been blocked after multiple consecutive login attempts.',
  ],
  too_many_logins: [429, 'too_many_logins', 'There have been too many login attempts. Try again in a minute.'],
  unavailable: [503, 'temporarily_unavailable', 'The server is busy. Try again in a moment.'],
} as const satisfies Record<LoginProblem, readonly [status: number, code: string, description: string]>

function sendProblem(reply: FastifyReply, problem: LoginProblem): FastifyReply {
  const [status, code, description] = problems[problem]
  return sendFailure(reply, status, code, description)
}

function sendRefusal(request: FastifyRequest, reply: FastifyReply, error: OAuthError): FastifyReply {
  logRefusal(request, error)
  return sendFailure(reply, error.status, error.code, error.description)
}

/** In the words that auth0-js and Lock look for. */
function sendFailure(reply: FastifyReply, statusCode: number, code: string, description: string): FastifyReply {
  return reply.code(statusCode).send({ statusCode, code, description, error: code, error_description: description })
}
