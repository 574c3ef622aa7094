/** Owns sending the answer to an authorization request: a redirect, a form that posts itself, or a page that posts a message. */
import { type AuthorizationResponse, findClient, type ResponseDestination, refuse } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { originOf } from '@latchkey/oauth'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { refuseDevice } from './device/answer.ts'
import { asOAuthError, logRefusal } from './errors.ts'
import { sendPage } from './page_answer.ts'
import { formActionSource } from './pages/index.ts'

/** Tells the client, through the response mode. */
export async function answerRefusal(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  destination: ResponseDestination,
  thrown: unknown,
) {
  const error = asOAuthError(thrown)
  const { device, client_id } = destination
  if (device !== undefined) return refuseDevice({ server, ctx, request, reply, device, client_id }, error)
  logRefusal(request, error)
  return sendAnswer(server, request, reply, ctx, destination, await refuse(ctx, destination, error))
}

/** Sends an answer the way its mode says. */
export function sendAnswer(
  server: Server,
  request: FastifyRequest,
  reply: FastifyReply,
  ctx: IdentityContext,
  destination: ResponseDestination,
  response: AuthorizationResponse,
) {
  const client = findClient(ctx, destination.client_id)
  if (response.kind === 'redirect') return reply.redirect(response.location, 302)
  if (response.kind === 'form_post') {
    const source = formActionSource(response.action)
    const model = { action: response.action, fields: response.fields }
    return sendPage(ctx, server.pages, request, reply, {
      page: 'form_post',
      model,
      client,
      keeps_opener: true,
      form_action: source === undefined ? [] : [source],
    })
  }
  const { target_origin } = response
  const framed = response.kind === 'web_message'
  return sendPage(ctx, server.pages, request, reply, {
    page: 'web_message',
    client,
    keeps_opener: true,
    frame_ancestors: framed ? client.web_origins.map(originOf).filter((origin) => origin !== undefined) : [],
    model: {
      ...(framed ? {} : { owp: true }),
      response: target_origin === undefined ? {} : withNumbers(response.response),
      ...(target_origin === undefined ? {} : { target_origin }),
      ...(target_origin === undefined && server.development ? { explanation: unlistedOrigin(destination) } : {}),
    },
  })
}

// Auth0's page gives `expires_in` as a number here.
function withNumbers(response: Readonly<Record<string, string>>): Record<string, string | number> {
  return response.expires_in === undefined ? { ...response } : { ...response, expires_in: Number(response.expires_in) }
}

function unlistedOrigin({ redirect_uri }: ResponseDestination) {
  return {
    summary: `Nothing was posted: the origin of ${redirect_uri} is not one of the client's Allowed Web Origins.`,
    fix: `Add ${originOf(redirect_uri) ?? 'the origin of the page'} to the client's Allowed Web Origins.`,
    setting: 'clients[].web_origins',
  }
}
