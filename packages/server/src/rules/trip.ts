/** Owns a trip's way through the tenant's rules: running them once, and the way out to where a rule sends the browser and back. */
import { type AuthorizationRequest, type RulesOutcome, runRules } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import type { Parameters } from '@latchkey/oauth'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { escapeHtml } from '../pages/escape.ts'
import type { RunningTrip } from '../trip.ts'

/** A request on its way, with a trip or without one. */
type OnItsWay = Partial<RunningTrip>

/** Runs the rules, and keeps what they said with the trip where there is one. */
export async function withRules(
  ctx: IdentityContext,
  request: FastifyRequest,
  read: AuthorizationRequest,
  trip: OnItsWay,
  returned_with?: Parameters,
): Promise<OnItsWay & { readonly rules: RulesOutcome }> {
  const { signed_in, state, browser } = trip
  if (ctx.rules === undefined || signed_in === undefined)
    throw new Error('There are no rules to run, or nobody to run them for')
  const rules = await runRules(ctx, ctx.rules, read, signed_in, {
    ip: request.ip,
    user_agent: request.headers['user-agent'] ?? '',
    during_this_trip: trip.authenticated === signed_in.session.session_id,
    ...(returned_with === undefined ? {} : { returned_with: Object.fromEntries(returned_with) }),
  })
  if (state !== undefined && browser !== undefined && rules.refusal === undefined)
    await ctx.store.transactions.saveRules(state, browser, JSON.stringify(rules), ctx.now())
  return { ...trip, rules }
}

/** A browser that comes back from where a rule sent it: the rules run again, and may not send it away a second time. */
export async function comeBack(
  ctx: IdentityContext,
  request: FastifyRequest,
  trip: RunningTrip,
  parameters: Parameters,
): Promise<OnItsWay> {
  const awaited = trip.rules?.redirect !== undefined && trip.rules.session_id === trip.signed_in?.session.session_id
  return awaited && ctx.rules !== undefined ? withRules(ctx, request, trip.request, trip, parameters) : trip
}

/**
 * Sends the browser where a rule wants it, with the handle of the trip to come back with. As a page, not as a redirect: browsers
 * hold the redirects behind a form against the form's own policy, and the login form may lead to the client alone.
 */
export function sendAway(reply: FastifyReply, url: string, state: string): FastifyReply {
  const target = new URL(url)
  target.searchParams.set('state', state)
  const link = escapeHtml(target.href)
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    .header('x-frame-options', 'DENY')
    .send(
      `<!doctype html><title>${escapeHtml(target.host)}</title><meta http-equiv="refresh" content="0; url=${link}"><a href="${link}">${escapeHtml(target.host)}</a>`,
    )
}
