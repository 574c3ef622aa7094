/** Owns the page where a person says what an application may do. */
import { apisOf, type Decision, decide, grantsOf, shownCode } from '@latchkey/core'
import { OAuthError, type Parameters, parseUri, staysOnDevice } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from './app.ts'
import { answerRefusal } from './authorization_answer.ts'
import { localeOf } from './page_answer.ts'
import { describeDetails, describePermissions } from './pages/index.ts'
import { accountOf, csrfToken, resume, show, tripPage, type Visit, wasShown } from './visit.ts'

export function consent(app: FastifyInstance, server: Server): void {
  tripPage(app, server, '/u/consent', showConsent, takeConsent)
}

/** What a yes is said to, and by whom. */
function questionOf(user_id: string, { audience, asked_scope }: Decision): string {
  return JSON.stringify([user_id, ...apisOf(audience).map((api) => api.identifier), asked_scope])
}

async function showConsent(visit: Visit): Promise<FastifyReply> {
  const { server, ctx, request, trip } = visit
  const decision = await decide(ctx, trip.request, trip)
  const { step, client, audience, asked_scope } = decision
  if (step.kind !== 'page' || step.page !== 'consent' || trip.signed_in === undefined) return resume(visit)
  const { redirect_uri, ui_locales, device } = trip.request
  const apis = apisOf(audience)
  const account = accountOf(trip.signed_in.user)
  const use_descriptions = ctx.configuration.settings.flags?.use_scope_descriptions_for_consent === true
  const texts = server.pages.texts(localeOf(ctx, request, server.pages, ui_locales))
  return show(visit, {
    page: 'consent',
    model: {
      state: trip.state,
      csrf: csrfToken(ctx, trip, questionOf(trip.signed_in.user.user_id, decision)),
      account,
      redirect_host: hostOf(redirect_uri),
      is_third_party: !client.is_first_party,
      loopback: staysOnDevice(redirect_uri),
      user_code: device === undefined ? undefined : shownCode(ctx, device),
      details: describeDetails(trip.request.authorization_details ?? []),
      permissions: describePermissions(
        asked_scope,
        { api_scopes: apis.flatMap((api) => api.scopes), use_descriptions },
        texts,
      ),
      api: apis.length === 0 ? undefined : { name: texts.list(apis.map((api) => api.name)) },
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
  const decision = await decide(ctx, trip.request, trip)
  const { step, client, audience, asked_scope: scope } = decision
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
  if (!wasShown(visit, fields, questionOf(user_id, decision))) return resume(visit)
  const { client_id } = client
  const allowed = grantsOf(audience, scope)
  await ctx.store.atomically(async (store) => {
    if (await store.transactions.advance(trip.state, trip.browser, 'consented', session_id, ctx.now()))
      for (const one of allowed)
        await store.grants.allow({ grant_id: ctx.random(12), user_id, client_id, ...one }, ctx.now())
  })
  request.log.info({ user_id, client_id, audience: allowed.map((one) => one.audience), scope }, 'consent given')
  return resume(visit)
}
