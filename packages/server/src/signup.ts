/** Owns the page where a person becomes a user. */
import { Busy, password, type SignupOutcome, signUp } from '@latchkey/identity'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from './app.ts'
import { signIn } from './login.ts'
import { localeOf } from './page_answer.ts'
import type { ProblemCode } from './pages/index.ts'
import { policyOf, signupProblems } from './password_pages.ts'
import { connectionOfVisit, csrfToken, show, tripPage, type Visit } from './visit.ts'

export function signup(app: FastifyInstance, server: Server): void {
  tripPage(app, server, '/u/signup', (visit) => showSignup(visit), takeSignup)
}

interface SignupState {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly problems?: readonly ProblemCode[]
  readonly status?: number
}

async function showSignup(
  visit: Visit,
  { email, username, problems = [], status = 200 }: SignupState = {},
): Promise<FastifyReply> {
  const { ctx, trip } = visit
  const { options } = connectionOfVisit(visit)
  if (options.disable_signup === true)
    throw new OAuthError('access_denied', 'Signing up is switched off for this connection')
  return show(visit, {
    page: 'signup',
    status,
    model: {
      state: trip.state,
      csrf: csrfToken(ctx, trip),
      email: (email ?? trip.request.login_hint)?.slice(0, 254),
      username: username?.slice(0, 128),
      requires_username: options.requires_username === true,
      password_policy: policyOf(options),
      problems,
    },
  })
}

async function takeSignup(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { server, ctx, request, trip } = visit
  const [email, username, given] = [fields.get('email')?.trim(), fields.get('username')?.trim(), fields.get('password')]
  const shown = { email, username }
  if (email === undefined) return showSignup(visit, { ...shown, status: 400, problems: ['missing_email'] })
  if (given === undefined) return showSignup(visit, { ...shown, status: 400, problems: ['missing_password'] })
  const connection = connectionOfVisit(visit)
  let outcome: SignupOutcome
  try {
    outcome = await signUp(ctx, {
      connection,
      email,
      password: given,
      profile: {},
      ip: request.ip,
      locale: localeOf(ctx, request, server.pages, trip.request.ui_locales),
      ...(username === undefined || connection.options.requires_username !== true ? {} : { username }),
    })
  } catch (error) {
    if (!(error instanceof Busy)) throw error
    visit.reply.header('retry-after', String(error.retry_after))
    return showSignup(visit, { ...shown, status: 503, problems: ['unavailable'] })
  }
  if ('problem' in outcome) {
    const status = outcome.problem.code === 'too_many_signups' ? 429 : 400
    return showSignup(visit, { ...shown, status, problems: signupProblems(ctx, outcome.problem) })
  }
  return signIn(visit, outcome.user, password.amr)
}
