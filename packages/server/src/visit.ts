/** Owns what the pages of a trip have in common: the trip behind the request, the proof in the form, the frame around the page. */
import { type AuthorizationRequest, findClient } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError, type Parameters } from '@latchkey/oauth'
import { type Client, type Connection, equal, type User } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { type PageAnswer, sendPage } from './page_answer.ts'
import { formActionSource, type PageName } from './pages/index.ts'
import { bodyParameters, checkFormOrigin, queryParameters } from './requests.ts'
import { loadTrip, type RunningTrip } from './trip.ts'

/** A request for a page of a trip. */
export interface Visit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly trip: RunningTrip
}
export type Show = (visit: Visit) => Promise<FastifyReply> | FastifyReply
export type Take = (visit: Visit, fields: Parameters) => Promise<FastifyReply> | FastifyReply

/**
 * The proof that a form was made for this browser and this trip.
 * @param shown what its page said, where a click on it means that and nothing else
 */
export function csrfToken(ctx: IdentityContext, { browser, state }: RunningTrip, shown?: string): string {
  const proof = ctx.store.vault.derive('csrf', `${browser}\n${state}`)
  return shown === undefined ? proof : `${proof}.${ctx.store.vault.derive('shown', `${proof}\n${shown}`)}`
}

/** False for a form whose page said something else: another tab may have changed who is signed in meanwhile. */
export function wasShown({ ctx, trip }: Visit, fields: Parameters, shown: string): boolean {
  return equal(fields.get('csrf') ?? '', csrfToken(ctx, trip, shown))
}

/** Goes on with the trip. */
export function resume({ ctx, reply, trip }: Visit): FastifyReply {
  return reply.redirect(`${ctx.issuer}authorize/resume?state=${trip.state}`, 303)
}

/** Shows a page of the trip. */
export function show<Name extends PageName>(
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

export function connectionOfVisit({ ctx, trip }: Visit): Connection {
  return connectionOf(ctx, findClient(ctx, trip.request.client_id), trip.request)
}

/** Adds a page of a trip, and the form on it. */
export function tripPage(app: FastifyInstance, server: Server, path: string, show: Show, take: Take): void {
  app.get(path, async (request, reply) => {
    const ctx = await server.context(request)
    const trip = await loadTrip(server, ctx, request, queryParameters(request).get('state'))
    return show({ server, ctx, request, reply, trip })
  })
  app.post(path, async (request, reply) => {
    const ctx = await server.context(request)
    checkFormOrigin(request, ctx.issuer)
    const fields = bodyParameters(request)
    const trip = await loadTrip(server, ctx, request, fields.get('state') ?? queryParameters(request).get('state'))
    const [proof = ''] = (fields.get('csrf') ?? '').split('.')
    if (!equal(proof, csrfToken(ctx, trip))) {
      throw new OAuthError('access_denied', 'The form is not one of this sign-in')
    }
    return take({ server, ctx, request, reply, trip }, fields)
  })
}

export function accountOf(user: User) {
  return { name: user.profile.name ?? user.username, email: user.email }
}
