/** Owns `/dev/device` of `latchkey dev`: a device without a browser, played on a page, with the picture that a phone reads. */
import { authorizeDevice, type EndpointRequest, token } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from '../app.ts'
import { sendPage } from '../page_answer.ts'
import type { PageModels } from '../pages/index.ts'
import { queryParameters } from '../requests.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'

interface Shown {
  readonly client_id: string
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
}

export function device(app: FastifyInstance, server: Server): void {
  app.get('/dev/device', async (request, reply) => {
    const ctx = await server.context(request)
    const sealed = queryParameters(request).get('device')
    if (sealed === undefined) return begin(ctx, reply)
    const shown = JSON.parse(ctx.store.vault.open(sealed)) as Shown
    const model = await ask(ctx, shown)
    if (model.outcome === 'waiting') reply.header('refresh', '6')
    const client = ctx.configuration.client(shown.client_id)
    return sendPage(ctx, server.pages, request, reply, { page: 'dev_device', client, model })
  })
}

function asDevice(ctx: IdentityContext, path: string, fields: Readonly<Record<string, string>>): EndpointRequest {
  return { parameters: new Map(Object.entries(fields)), method: 'POST', url: `${ctx.issuer}${path}` }
}

async function begin(ctx: IdentityContext, reply: FastifyReply): Promise<FastifyReply> {
  const client = ctx.configuration.clients.find(
    (one) => one.token_endpoint_auth_method === 'none' && one.grant_types.includes(grant_type),
  )
  if (client === undefined) throw new OAuthError('not_found', 'No public client of this tenant may use the device flow')
  const { client_id } = client
  const codes = await authorizeDevice(ctx, asDevice(ctx, 'oauth/device/code', { client_id, scope: 'openid profile' }))
  const sealed = ctx.store.vault.seal(JSON.stringify({ client_id, ...codes }))
  return reply.redirect(`${ctx.issuer}dev/device?device=${sealed}`, 302)
}

/** Asks as a device does, each time the page is loaded. */
async function ask(ctx: IdentityContext, shown: Shown): Promise<PageModels['dev_device']> {
  const { client_id, device_code, user_code, verification_uri } = shown
  try {
    const { id_token } = await token(ctx, asDevice(ctx, 'oauth/token', { grant_type, client_id, device_code }))
    const claims = Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString()
    return { outcome: 'connected', name: (JSON.parse(claims) as { readonly name?: string }).name }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    if (error.code === 'access_denied') return { outcome: 'denied' }
    if (error.code === 'expired_token' || error.code === 'invalid_grant') return { outcome: 'over' }
    if (error.code !== 'authorization_pending' && error.code !== 'slow_down') throw error
  }
  return { outcome: 'waiting', user_code, verification_uri, qr: await picture(shown.verification_uri_complete) }
}

/** A QR code as the outline of its dark squares. */
async function picture(text: string): Promise<{ readonly size: number; readonly path: string }> {
  const { encode } = await import('uqr')
  const { data, size } = encode(text, { border: 4 })
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
  return { size, path: squares.join('') }
}
