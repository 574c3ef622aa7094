/** Owns the page where a person signs in, and what signing in means for the browser. */
import { beginSession, type IdentityContext, type LoginOutcome, password } from '@latchkey/identity'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import type { Connection, SignedIn, User } from '@latchkey/store'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from './app.ts'
import { answerRefusal } from './authorization_answer.ts'
import { clearSilentCookie, readCookie, setSessionCookie } from './cookies.ts'
import { hostedConfig } from './hosted_config.ts'
import type { ProblemCode } from './pages/index.ts'
import { queryParameters } from './requests.ts'
import { loadTrip } from './trip.ts'
import { accountOf, connectionOfVisit, csrfToken, resume, show, tripPage, type Visit } from './visit.ts'

export function login(app: FastifyInstance, server: Server): void {
  const wantsOther = (visit: Visit) => queryParameters(visit.request).get('account') === 'other'
  tripPage(app, server, '/u/login', (visit) => showLogin(visit, { other_account: wantsOther(visit) }), takeLogin)
  // A bookmark of the login page of older servers: there is no trip behind it, which is what the answer says.
  app.get('/login', async (request) => {
    await loadTrip(server, await server.context(request), request, undefined)
  })
}

interface LoginState {
  /** The person asked for another account than the one that is signed in. */
  readonly other_account?: boolean
  readonly username?: string | undefined
  readonly problem?: ProblemCode
  readonly status?: number
}

async function showLogin(
  visit: Visit,
  { other_account, username, problem, status }: LoginState = {},
): Promise<FastifyReply> {
  const { ctx, trip } = visit
  const { options, name } = connectionOfVisit(visit)
  const again = other_account === true ? undefined : trip.signed_in?.user
  const hinted = username ?? trip.request.login_hint ?? again?.email ?? again?.username
  return show(visit, {
    page: 'login',
    status: status ?? 200,
    model: {
      state: trip.state,
      csrf: csrfToken(ctx, trip),
      connection: name,
      config: hostedConfig(visit),
      requires_username: options.requires_username === true,
      allow_signup: options.disable_signup !== true,
      allow_reset: true,
      username: hinted?.slice(0, 254),
      problem,
      account: again === undefined ? undefined : accountOf(again),
    },
  })
}

async function takeLogin(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const identifier = fields.get('username')?.slice(0, 254)
  const given = fields.get('password')
  if (identifier === undefined || given === undefined) {
    return showLogin(visit, {
      username: identifier,
      status: 400,
      problem: identifier === undefined ? 'missing_username' : 'missing_password',
    })
  }
  const outcome = await tryPassword(visit, connectionOfVisit(visit), identifier, given)
  if ('problem' in outcome) return showLogin(visit, { username: identifier, ...loginProblems[outcome.problem] })
  return signIn(visit, outcome.user, password.amr)
}

/** The one check of a password, whichever door it comes through. A failure is in the log, and the answer says when to come again. */
export async function tryPassword(
  { ctx, request, reply, trip }: Visit,
  connection: Connection,
  identifier: string,
  given: string,
): Promise<LoginOutcome> {
  const { ip } = request
  const outcome = await password.verify(ctx, { connection, identifier, password: given, ip })
  if ('problem' in outcome) {
    request.log.info({ problem: outcome.problem, client_id: trip.request.client_id, ip }, 'sign-in failed')
    const { status } = loginProblems[outcome.problem]
    if (status !== 400) reply.header('retry-after', status === 429 ? '60' : '5')
  }
  return outcome
}

const loginProblems = {
  wrong_credentials: { problem: 'wrong_credentials', status: 400 },
  too_many_attempts: { problem: 'too_many_attempts', status: 429 },
  too_many_logins: { problem: 'too_many_attempts', status: 429 },
  unavailable: { problem: 'unavailable', status: 503 },
} as const

/** A new session with a new secret, whatever was there before; the trip then goes on. */
export async function signIn(visit: Visit, user: User, amr: readonly string[]): Promise<FastifyReply> {
  const { ctx, request, reply, trip } = visit
  if (user.blocked) {
    if (!(await ctx.store.transactions.take(trip.state, trip.browser, ctx.now()))) throw completed()
    return answerRefusal(
      visit.server,
      request,
      reply,
      ctx,
      trip.request,
      new OAuthError('access_denied', 'user is blocked'),
    )
  }
  const session = await beginSession(ctx, user.user_id, amr)
  // A new password ends every session; this one began under the old one, and after that.
  if ((await ctx.store.users.find(user.user_id))?.password_changed_at !== user.password_changed_at) {
    await ctx.store.sessions.end(session.session_id, ctx.now())
    return showLogin(visit, { username: user.email ?? user.username, problem: 'wrong_credentials', status: 400 })
  }
  if (
    !(await ctx.store.transactions.advance(trip.state, trip.browser, 'authenticated', session.session_id, ctx.now()))
  ) {
    await ctx.store.sessions.end(session.session_id, ctx.now())
    throw completed()
  }
  if (trip.signed_in !== undefined) await endReplaced(ctx, trip.signed_in, user, session.session_id)
  if (readCookie(ctx, request, 'silent') !== undefined) clearSilentCookie(ctx, reply)
  setSessionCookie(ctx, reply, session.secret, session.ends_at)
  request.log.info({ user_id: user.user_id, client_id: trip.request.client_id, ip: request.ip }, 'signed in')
  return resume(visit)
}

// Another person takes the browser over, or the same one goes on: then the session's applications stay.
async function endReplaced(ctx: IdentityContext, old: SignedIn, user: User, session_id: string): Promise<void> {
  if (old.user.user_id !== user.user_id) await ctx.store.sessions.end(old.session.session_id, ctx.now())
  else await ctx.store.sessions.replace(old.session.session_id, session_id)
}

function completed(): OAuthError {
  return new OAuthError('invalid_request', 'This sign-in has been completed already. Go back to the application')
}
