/** Owns the end of a trip that was for a device: what the person said is written down, and a page says so. */
import { allowDevice, type Decision, type DeviceTarget, denyDevice, findClient } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { sendErrorPage } from '../errors.ts'
import { sendPage } from '../page_answer.ts'

interface DeviceVisit {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly client_id: string
  readonly device: DeviceTarget
}

/** The person said yes. */
export async function answerDevice(visit: DeviceVisit, decision: Decision, signed_in: SignedIn): Promise<FastifyReply> {
  const { server, ctx, request, client_id, device } = visit
  if (!(await allowDevice(ctx, device, decision, signed_in))) throw over()
  server.usage.count(client_id, 'device_code')
  request.log.info({ user_id: signed_in.user.user_id, client_id, scope: decision.scope }, 'a device was allowed')
  return showOutcome(visit, 'device_connected')
}

/** The person said no, or may not say yes; what failed for another reason leaves the code as it is. */
export async function refuseDevice(visit: DeviceVisit, error: OAuthError): Promise<FastifyReply> {
  const { server, ctx, request, reply, device, client_id } = visit
  if (error.code !== 'access_denied') return sendErrorPage(server, ctx, request, reply, error)
  if (!(await denyDevice(ctx, device))) throw over()
  request.log.info({ client_id, description: error.description }, 'a device was refused')
  return showOutcome(visit, 'device_denied')
}

function showOutcome(
  { server, ctx, request, reply, client_id }: DeviceVisit,
  page: 'device_connected' | 'device_denied',
) {
  return sendPage(ctx, server.pages, request, reply, { page, model: {}, client: findClient(ctx, client_id) })
}

function over(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'The code of the device is over, or was used already. Begin again on the device',
  )
}
