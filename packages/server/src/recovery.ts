/** Owns the pages behind mailed links and the one that asks for such a mail: new password, verified address, lifted block. */
import {
  addressBucket,
  Busy,
  findPerson,
  type IdentityContext,
  newPasswordProblems,
  peekTicket,
  resetPassword,
  sendPasswordReset,
  unblockByTicket,
  verifyEmail,
} from '@latchkey/identity'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import { type Connection, equal, type TicketKind, type User } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { browserSecret, readCookie } from './cookies.ts'
import { localeOf, sendPage } from './page_answer.ts'
import type { PageModels, PageName, ProblemCode } from './pages/index.ts'
import { passwordProblems, policyOf } from './password_pages.ts'
import { bodyParameters, checkFormOrigin, queryParameters } from './requests.ts'
import { inSteadyTime } from './steady_time.ts'

export function recovery(app: FastifyInstance, server: Server): void {
  const page = (path: string, show: (visit: Visit, query: Parameters) => Promise<FastifyReply>) =>
    app.get(path, async (request, reply) =>
      show({ server, ctx: await server.context(request), request, reply }, queryParameters(request)),
    )
  const form = (path: string, take: (visit: Visit, fields: Parameters) => Promise<FastifyReply>) =>
    app.post(path, async (request, reply) => {
      const ctx = await server.context(request)
      checkFormOrigin(request, ctx.issuer)
      const fields = bodyParameters(request)
      const browser = readCookie(ctx, request, 'browser')
      if (browser === undefined || !equal(fields.get('csrf') ?? '', csrfToken(ctx, browser))) {
        throw new OAuthError('access_denied', 'The form was not made for this browser. Open the page again')
      }
      return take({ server, ctx, request, reply }, fields)
    })

  page('/u/reset-password/request', (visit, query) => showRequest(visit, { state: query.get('state') }))
  form('/u/reset-password/request', takeRequest)
  page('/u/reset-password', (visit, query) => showReset(visit, query.get('ticket')))
  form('/u/reset-password', takeReset)
  page('/u/verify-email', (visit, query) => showConfirm(visit, 'verify_email', query.get('ticket')))
  form('/u/verify-email', (visit, fields) => takeConfirm(visit, 'verify_email', fields.get('ticket')))
  page('/u/unblock', (visit, query) => showConfirm(visit, 'unblock', query.get('ticket')))
  form('/u/unblock', (visit, fields) => takeConfirm(visit, 'unblock', fields.get('ticket')))
}

interface Visit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

function csrfToken(ctx: IdentityContext, browser: string): string {
  return ctx.store.vault.derive('csrf', `${browser}\nrecovery`)
}

function csrfOf({ ctx, request, reply }: Visit): string {
  return csrfToken(ctx, browserSecret(ctx, request, reply))
}

function show<Name extends PageName>(
  { server, ctx, request, reply }: Visit,
  page: Name,
  model: PageModels[Name],
  status = 200,
): FastifyReply {
  // With a trip behind it, the page may be in a popup.
  const keeps_opener = 'state' in model && model.state !== undefined
  return sendPage(ctx, server.pages, request, reply, { page, model, status, keeps_opener })
}

interface RequestState {
  readonly state?: string | undefined
  readonly email?: string | undefined
  readonly problem?: ProblemCode
  readonly status?: number
}

async function showRequest(visit: Visit, { state, email, problem, status = 200 }: RequestState): Promise<FastifyReply> {
  const kept = state !== undefined && /^[\w-]{1,100}$/.test(state) ? state : undefined
  return show(visit, 'reset_password_request', { state: kept, csrf: csrfOf(visit), email, problem }, status)
}

/** False when this network address has asked for too many mails: they go to whom the form names. */
async function mayAsk({ ctx, request }: Visit): Promise<boolean> {
  if (ctx.per_address === undefined) return true
  const { count } = await ctx.store.counters.add(`mails ${addressBucket(request.ip)}`, 60_000, ctx.now())
  return count <= ctx.per_address.signups_per_minute
}

/** The answer is the same, and takes as long, whether or not there is such a person. */
async function takeRequest(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { server, ctx, request } = visit
  const email = fields.get('email')?.trim().slice(0, 254)
  const state = fields.get('state')
  if (email === undefined) return showRequest(visit, { state, problem: 'missing_email', status: 400 })
  if (!(await mayAsk(visit))) {
    visit.reply.header('retry-after', '60')
    return showRequest(visit, { state, email, problem: 'too_many_attempts', status: 429 })
  }
  await inSteadyTime(async () => {
    for (const connection of databases(ctx)) {
      const user = await findPerson(ctx, connection, email)
      if (user !== undefined) await sendPasswordReset(ctx, user, localeOf(ctx, request, server.pages, undefined))
    }
  })
  return show(visit, 'reset_password_sent', { email, ...(state === undefined ? {} : { state }) })
}

function databases(ctx: IdentityContext): readonly Connection[] {
  return ctx.configuration.connections.filter((one) => one.strategy === 'auth0')
}

function showInvalid(visit: Visit, kind: TicketKind): FastifyReply {
  return show(visit, 'ticket_invalid', { kind: kind === 'unblock' ? 'account_unblock' : kind, reason: 'unknown' }, 400)
}

function connectionOfUser(ctx: IdentityContext, user: User): Connection {
  const connection = ctx.configuration.connection(user.connection)
  if (connection === undefined) throw new OAuthError('invalid_request', 'The connection of this user is gone')
  return connection
}

async function showReset(
  visit: Visit,
  ticket: string | undefined,
  problems: readonly ProblemCode[] = [],
): Promise<FastifyReply> {
  const { ctx } = visit
  const user = ticket === undefined ? undefined : await peekTicket(ctx, 'reset_password', ticket)
  if (ticket === undefined || user === undefined) return showInvalid(visit, 'reset_password')
  const password_policy = policyOf(connectionOfUser(ctx, user).options)
  const model = { ticket, csrf: csrfOf(visit), email: user.email ?? user.username ?? '', password_policy, problems }
  return show(visit, 'reset_password', model, problems.length === 0 ? 200 : 400)
}

async function takeReset(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { ctx, request } = visit
  const ticket = fields.get('ticket')
  const user = ticket === undefined ? undefined : await peekTicket(ctx, 'reset_password', ticket)
  if (ticket === undefined || user === undefined) return showInvalid(visit, 'reset_password')
  const password = fields.get('password') ?? ''
  if (password === '') return showReset(visit, ticket, ['missing_password'])
  try {
    const problems = await newPasswordProblems(ctx, user, password)
    if (problems.length > 0) return showReset(visit, ticket, passwordProblems(problems))
    if (fields.get('password_confirm') !== password) return showReset(visit, ticket, ['password_mismatch'])
    if (!(await resetPassword(ctx, ticket, password))) return showInvalid(visit, 'reset_password')
  } catch (error) {
    if (!(error instanceof Busy)) throw error
    return showReset(visit, ticket, ['unavailable'])
  }
  request.log.info({ user_id: user.user_id, ip: request.ip }, 'password changed by mail')
  return show(visit, 'reset_password_done', {})
}

// A link alone changes nothing: programs that scan mails follow links.
async function showConfirm(
  visit: Visit,
  kind: 'verify_email' | 'unblock',
  ticket: string | undefined,
): Promise<FastifyReply> {
  const user = ticket === undefined ? undefined : await peekTicket(visit.ctx, kind, ticket)
  if (ticket === undefined || user === undefined) return showInvalid(visit, kind)
  return show(visit, kind === 'unblock' ? 'account_unblock' : kind, {
    ticket,
    csrf: csrfOf(visit),
    email: user.email ?? '',
  })
}

async function takeConfirm(
  visit: Visit,
  kind: 'verify_email' | 'unblock',
  ticket: string | undefined,
): Promise<FastifyReply> {
  const take = { verify_email: verifyEmail, unblock: unblockByTicket }[kind]
  if (ticket === undefined || !(await take(visit.ctx, ticket))) return showInvalid(visit, kind)
  return show(visit, kind === 'unblock' ? 'account_unblocked' : 'email_verified', {})
}
