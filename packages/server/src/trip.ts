/** Owns a trip between requests: it is kept while pages are shown, and found again by its handle and its browser. */
import {
  type AuthorizationRequest,
  findClient,
  type Progress,
  type RulesOutcome,
  readDestination,
} from '@latchkey/core'
import { findSession, type IdentityContext, tripDelay } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { browserSecret, readCookie } from './cookies.ts'
import { isAddress } from './registration/client_documents.ts'

/** Milliseconds that a person has to get through the pages. */
const tripLasts = 3_600_000

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
  server: Server,
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
  const read = JSON.parse(stored.request) as AuthorizationRequest
  // A callback that was taken off the list meanwhile gets no answer any more.
  const { client_id, redirect_uri } = read
  if (isAddress(client_id)) await server.tenant.clientDocuments.read(ctx, client_id)
  if (read.device === undefined) readDestination(ctx, new Map(Object.entries({ client_id, redirect_uri })))
  else findClient(ctx, client_id)
  const signed_in = await findSession(ctx, readCookie(ctx, request, 'session'), 'session')
  return {
    request: read,
    state,
    browser,
    ...(stored.authenticated === undefined ? {} : { authenticated: stored.authenticated }),
    ...(stored.account_chosen === undefined ? {} : { account_chosen: stored.account_chosen }),
    ...(stored.consented === undefined ? {} : { consented: stored.consented }),
    ...(stored.rules === undefined ? {} : { rules: JSON.parse(stored.rules) as RulesOutcome }),
    ...(signed_in === undefined ? {} : { signed_in }),
  }
}

/**
 * Begins a trip for this browser.
 * @returns its handle
 * @throws OAuthError `too_many_requests` when its network address has begun too many; nothing is written then
 */
export async function beginTrip(
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
  await ctx.store.atomically(async (store) => {
    const delay = await tripDelay(ctx, store.counters, request.ip)
    if (delay !== undefined) {
      reply.header('retry-after', String(delay))
      throw tooManyTrips()
    }
    const trip = { state, browser, request: JSON.stringify(read), ends_at: now + tripLasts, ...said }
    await store.transactions.create(trip, now)
  })
  return state
}

function tooManyTrips(): OAuthError {
  return new OAuthError(
    'too_many_requests',
    'Too many sign-ins were begun from this network address. Try again later',
    {
      explanation: {
        summary:
          'Every sign-in that is begun is written down for an hour, so one network address may begin only so many.',
        fix: 'Find out what begins them, or raise the limit where many people share one address.',
        setting: 'trips_per_address',
      },
    },
  )
}
