/** Owns the page where a person picks the account to go on with. */
import type { Parameters } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from './app.ts'
import { accountOf, csrfToken, resume, show, tripPage, type Visit, wasShown } from './visit.ts'

export function account(app: FastifyInstance, server: Server): void {
  tripPage(app, server, '/u/account', showAccounts, takeAccount)
}

function showAccounts(visit: Visit): FastifyReply {
  const { ctx, trip } = visit
  if (trip.signed_in === undefined) return resume(visit)
  const account = accountOf(trip.signed_in.user)
  return show(visit, {
    page: 'select_account',
    model: { state: trip.state, csrf: csrfToken(ctx, trip, trip.signed_in.user.user_id), accounts: [account] },
  })
}

async function takeAccount(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { ctx, trip, reply } = visit
  if (fields.get('action') === 'other')
    return reply.redirect(`${ctx.issuer}u/login?state=${trip.state}&account=other`, 303)
  if (trip.signed_in !== undefined && wasShown(visit, fields, trip.signed_in.user.user_id)) {
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
