/** Owns `/activate`, where a person types the code that a device shows; the usual pages follow. */
import { checkDevicesServed, deviceTrip, readUserCode } from '@latchkey/core'
import { countUserCode, forgiveUserCode, type IdentityContext } from '@latchkey/identity'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import { equal } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { browserSecret, readCookie } from '../cookies.ts'
import { sendPage } from '../page_answer.ts'
import type { ProblemCode } from '../pages/index.ts'
import { bodyParameters, checkFormOrigin, queryParameters } from '../requests.ts'
import { beginTrip } from '../trip.ts'

interface Visit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * An address with the code in it fills the field; the person still goes on by hand, and compares the code on the page that asks.
 * @spec RFC 8628 §3.3
 * @spec RFC 8628 §3.3.1
 */
export function activate(app: FastifyInstance, server: Server): void {
  app.get('/activate', async (request, reply) => {
    const visit = { server, ctx: await server.context(request), request, reply }
    checkDevicesServed(visit.ctx)
    const code = queryParameters(request).get('user_code') ?? ''
    return showActivate(visit, { code: readUserCode(code) })
  })
  app.post('/activate', async (request, reply) => {
    const ctx = await server.context(request)
    checkDevicesServed(ctx)
    checkFormOrigin(request, ctx.issuer)
    return takeCode({ server, ctx, request, reply }, bodyParameters(request))
  })
}

function csrfToken(ctx: IdentityContext, browser: string): string {
  return ctx.store.vault.derive('csrf', `${browser}\nactivate`)
}

interface ActivateState {
  readonly code?: string | undefined
  readonly problem?: ProblemCode
  readonly status?: number
}

function showActivate({ server, ctx, request, reply }: Visit, { code, problem, status = 200 }: ActivateState) {
  const csrf = csrfToken(ctx, browserSecret(ctx, request, reply))
  return sendPage(ctx, server.pages, request, reply, { page: 'activate', status, model: { csrf, code, problem } })
}

async function takeCode(visit: Visit, fields: Parameters): Promise<FastifyReply> {
  const { ctx, request, reply } = visit
  const browser = readCookie(ctx, request, 'browser')
  if (browser === undefined || !equal(fields.get('csrf') ?? '', csrfToken(ctx, browser)))
    throw new OAuthError('access_denied', 'The form was not made for this browser. Open the page again')
  const typed = fields.get('code')
  if (typed === undefined) return showActivate(visit, { problem: 'missing_user_code', status: 400 })
  const attempt = { browser, ip: request.ip }
  if (!(await countUserCode(ctx, attempt))) {
    reply.header('retry-after', '900')
    return showActivate(visit, { problem: 'too_many_user_codes', status: 429 })
  }
  const user_code = readUserCode(typed)
  const pending = user_code === undefined ? undefined : await ctx.store.deviceCodes.findByUserCode(user_code, ctx.now())
  if (user_code === undefined || pending === undefined || ctx.configuration.client(pending.client_id) === undefined) {
    request.log.info({ ip: request.ip }, 'an unknown user code was typed')
    return showActivate(visit, { code: typed.slice(0, 20), problem: 'unknown_user_code', status: 400 })
  }
  await forgiveUserCode(ctx, attempt)
  const state = await beginTrip(ctx, request, reply, deviceTrip(ctx, pending, user_code), undefined)
  return reply.redirect(`${ctx.issuer}authorize/resume?state=${state}`, 303)
}
