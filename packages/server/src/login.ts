/** Owns the way between HTTP and identity: the pages where a person signs in, signs up, picks an account and says yes or no. */
import { type AuthorizationRequest, decide, findClient, isUnverifiable } from '@latchkey/core'
import { Busy, beginSession, type IdentityContext, password, type SignupOutcome, signUp } from '@latchkey/identity'
import { isLoopbackUri, OAuthError, type Parameters, parseUri } from '@latchkey/oauth'
import { type Client, type Connection, equal, type User } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { clearSilentCookie, readCookie, setSessionCookie } from './cookies.ts'
import { localeOf, type PageAnswer, sendPage } from './page_answer.ts'
import { describePermissions, formActionSource, type PageName, type ProblemCode } from './pages/index.ts'
import { policyOf, signupProblems } from './password_pages.ts'
import { answerRefusal, loadTrip, type RunningTrip } from './protocol.ts'
import { bodyParameters, checkFormOrigin, queryParameters } from './requests.ts'

export function login(app: FastifyInstance, server: Server): void {
  const page = (path: string, show: Show) =>
    app.get(path, async (request, reply) => {
      const ctx = await server.context(request)
      return show({
        server,
        ctx,
        request,
        reply,
        trip: await loadTrip(ctx, request, queryParameters(request).get('state')),
      })
    })
  const form = (path: string, take: Take) =>
    app.post(path, async (request, reply) => {
      const ctx = await server.context(request)
      checkFormOrigin(request, ctx.issuer)
      const fields = bodyParameters(request)
      const trip = await loadTrip(ctx, request, fields.get('state') ?? queryParameters(request).get('state'))
      if (!equal(fields.get('csrf') ?? '', csrfToken(ctx, trip)))
        throw new OAuthError('access_denied', 'The form is not one of this sign-in')
      return take({ server, ctx, request, reply, trip }, fields)
    })

  page('/u/login', (visit) =>
    showLogin(visit, { other_account: queryParameters(visit.request).get('account') === 'other' }),
  )
  form('/u/login', takeLogin)
  page('/u/signup', (visit) => showSignup(visit))
  form('/u/signup', takeSignup)
  page('/u/account', showAccounts)
  form('/u/account', takeAccount)
  page('/u/consent', showConsent)
  form('/u/consent', takeConsent)
  app.get('/login', async (request) => {
    await loadTrip(await server.context(request), request, undefined)
  })
}

interface Visit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly trip: RunningTrip
}
type Show = (visit: Visit) => Promise<FastifyReply> | FastifyReply
type Take = (visit: Visit, fields: Parameters) => Promise<FastifyReply> | FastifyReply

/** The proof that a form was made for this browser and this trip. */
function csrfToken(ctx: IdentityContext, { browser, state }: RunningTrip): string {
  return ctx.store.vault.derive('csrf', `${browser}\n${state}`)
}

function resume({ ctx, reply, trip }: Visit): FastifyReply {
  return reply.redirect(`${ctx.issuer}authorize/resume?state=${trip.state}`, 303)
}

function show<Name extends PageName>(
  visit: Visit,
  answer: Omit<PageAnswer<Name>, 'client' | 'ui_locales' | 'form_action' | 'keeps_opener'>,
): FastifyReply {
  const { server, ctx, request, reply, trip } = visit
  const source = formActionSource(trip.request.redirect_uri)
  return sendPage(ctx, server.pages, request, reply, {
    ...answer,
    client: findClient(ctx, trip.request.client_id),
    ui_locales: trip.request.ui_locales,
    form_action: source === undefined ? [] : [source],
    keeps_opener: true,
  })
}

/** The database connection that the person signs in with. */
function connectionOf(ctx: IdentityContext, client: Client, read: AuthorizationRequest): Connection {
  const open = ctx.configuration.connectionsOf(client).filter((one) => one.strategy === 'auth0')
  const directory = ctx.configuration.settings.default_directory
  const connection = open.find((one) => one.name === (read.connection ?? directory)) ?? open[0]
  if (connection === undefined) {
    throw new OAuthError('invalid_request', 'No connection is enabled for the client', {
      explanation: {
        summary: `People of ${client.name} have no connection to sign in with.`,
        fix: 'Enable a database connection for the application.',
        setting: 'databases[].enabled_clients',
      },
    })
  }
  return connection
}

function connectionOfVisit({ ctx, trip }: Visit): Connection {
  return connectionOf(ctx, findClient(ctx, trip.request.client_id), trip.request)
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
      requires_username: options.requires_username === true,
      allow_signup: options.disable_signup !== true,
      allow_reset: true,
      username: hinted?.slice(0, 254),
      problem,
      account: again === undefined ? undefined : accountOf(again),
    },
    pictures: [again?.profile.picture],
  })
}

async function takeLogin(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { ctx, request } = visit
  const identifier = fields.get('username')?.slice(0, 254)
  const given = fields.get('password')
  if (identifier === undefined || given === undefined) {
    return showLogin(visit, {
      username: identifier,
      status: 400,
      problem: identifier === undefined ? 'missing_username' : 'missing_password',
    })
  }
  const outcome = await password.verify(ctx, {
    connection: connectionOfVisit(visit),
    identifier,
    password: given,
    ip: request.ip,
  })
  if ('problem' in outcome) {
    request.log.info(
      { problem: outcome.problem, client_id: visit.trip.request.client_id, ip: request.ip },
      'sign-in failed',
    )
    const { problem, status } = loginProblems[outcome.problem]
    if (status !== 400) visit.reply.header('retry-after', status === 429 ? '60' : '5')
    return showLogin(visit, { username: identifier, problem, status })
  }
  return signIn(visit, outcome.user, password.amr)
}

const loginProblems = {
  wrong_credentials: { problem: 'wrong_credentials', status: 400 },
  too_many_attempts: { problem: 'too_many_attempts', status: 429 },
  too_many_logins: { problem: 'too_many_attempts', status: 429 },
  unavailable: { problem: 'unavailable', status: 503 },
} as const

/** A new session with a new secret, whatever was there before; the trip then goes on. */
async function signIn(visit: Visit, user: User, amr: readonly string[]): Promise<FastifyReply> {
  const { ctx, request, reply, trip } = visit
  if (user.blocked) {
    await ctx.store.transactions.take(trip.state, trip.browser, ctx.now())
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
  if (
    !(await ctx.store.transactions.advance(trip.state, trip.browser, 'authenticated', session.session_id, ctx.now()))
  ) {
    await ctx.store.sessions.end(session.session_id)
    throw new OAuthError('invalid_request', 'This sign-in has been completed already. Go back to the application')
  }
  if (trip.signed_in !== undefined) await ctx.store.sessions.end(trip.signed_in.session.session_id)
  if (readCookie(ctx, request, 'silent') !== undefined) clearSilentCookie(ctx, reply)
  setSessionCookie(ctx, reply, session.secret, session.ends_at)
  request.log.info({ user_id: user.user_id, client_id: trip.request.client_id, ip: request.ip }, 'signed in')
  return resume(visit)
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

function accountOf(user: User) {
  return { name: user.profile.name ?? user.username, email: user.email, picture: user.profile.picture }
}

function showAccounts(visit: Visit): FastifyReply {
  const { ctx, trip } = visit
  if (trip.signed_in === undefined) return resume(visit)
  const account = accountOf(trip.signed_in.user)
  return show(visit, {
    page: 'select_account',
    model: { state: trip.state, csrf: csrfToken(ctx, trip), accounts: [account] },
    pictures: [account.picture],
  })
}

async function takeAccount(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { ctx, trip, reply } = visit
  if (fields.get('action') === 'other')
    return reply.redirect(`${ctx.issuer}u/login?state=${trip.state}&account=other`, 303)
  if (trip.signed_in !== undefined) {
    await ctx.store.transactions.advance(
      trip.state,
      trip.browser,
      'account_chosen',
      trip.signed_in.session.session_id,
      ctx.now(),
    )
  }
  return resume(visit)
}

async function showConsent(visit: Visit): Promise<FastifyReply> {
  const { server, ctx, request, trip } = visit
  const { step, client, audience, scope } = await decide(ctx, trip.request, trip)
  if (step.kind !== 'page' || step.page !== 'consent' || trip.signed_in === undefined) return resume(visit)
  const { redirect_uri, ui_locales } = trip.request
  const account = accountOf(trip.signed_in.user)
  const use_descriptions = ctx.configuration.settings.flags?.use_scope_descriptions_for_consent === true
  const texts = server.pages.texts(localeOf(ctx, request, server.pages, ui_locales))
  return show(visit, {
    page: 'consent',
    pictures: [account.picture],
    model: {
      state: trip.state,
      csrf: csrfToken(ctx, trip),
      account,
      redirect_host: hostOf(redirect_uri),
      is_third_party: !client.is_first_party,
      loopback: isLoopbackUri(redirect_uri) || isUnverifiable(client, redirect_uri),
      permissions: describePermissions(scope, { api_scopes: audience.api?.scopes ?? [], use_descriptions }, texts),
      api: audience.api === undefined ? undefined : { name: audience.api.name },
    },
  })
}

function hostOf(redirect_uri: string): string {
  const uri = parseUri(redirect_uri)
  if (uri === undefined) return redirect_uri
  return uri.host === '' || !uri.protocol.startsWith('http') ? uri.protocol : uri.host
}

async function takeConsent(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { server, ctx, request, reply, trip } = visit
  const { step, client, audience, scope } = await decide(ctx, trip.request, trip)
  if (step.kind !== 'page' || step.page !== 'consent' || trip.signed_in === undefined) return resume(visit)
  const { user_id } = trip.signed_in.user
  const { session_id } = trip.signed_in.session
  if (fields.get('action') !== 'accept') {
    if (!(await ctx.store.transactions.take(trip.state, trip.browser, ctx.now()))) return resume(visit)
    return answerRefusal(
      server,
      request,
      reply,
      ctx,
      trip.request,
      new OAuthError('access_denied', 'User did not authorize the request'),
    )
  }
  const grant = {
    grant_id: ctx.random(12),
    user_id,
    client_id: client.client_id,
    audience: audience.grant_audience,
    scope,
  }
  await ctx.store.atomically(async (store) => {
    if (await store.transactions.advance(trip.state, trip.browser, 'consented', session_id, ctx.now()))
      await store.grants.allow(grant, ctx.now())
  })
  request.log.info({ user_id, client_id: client.client_id, audience: audience.grant_audience, scope }, 'consent given')
  return resume(visit)
}
