/** Owns `/oidc/register` over HTTP: clients that register themselves, and look at, change or delete themselves. */
import { addressBucket, type IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import { type Client, keepsSecret } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from '../app.ts'
import { answerPreflight, openToAll } from '../cors.ts'
import { asOAuthError, sendJsonError } from '../errors.ts'
import { newClientId } from '../tenant_file/ids.ts'
import { readMetadata } from './lazy_metadata.ts'
import { checkSector } from './sector.ts'

const path = '/oidc/register'
const defaultMaxClients = 1000

export function registration(app: FastifyInstance, server: Server): void {
  const at = (handle: Handler) => async (request: FastifyRequest, reply: FastifyReply) => {
    openToAll(reply)
    const ctx = await server.context(request)
    try {
      if (!isOpen(ctx)) throw new OAuthError('endpoint_disabled', 'Clients cannot register themselves here')
      return await handle({ server, ctx, request, reply })
    } catch (thrown) {
      const error = asOAuthError(thrown)
      if (error.code === 'invalid_token')
        reply.header('www-authenticate', `Bearer realm="${ctx.issuer}", error="invalid_token"`)
      return sendJsonError(request, reply, error)
    }
  }
  app.post(path, at(register))
  app.options(path, (request, reply) => answerPreflight(request, reply, 'all', 'POST, OPTIONS'))
  app.get(`${path}/:client_id`, { exposeHeadRoute: false }, at(show))
  app.put(`${path}/:client_id`, at(change))
  app.delete(`${path}/:client_id`, at(remove))
  app.options(`${path}/:client_id`, (request, reply) =>
    answerPreflight(request, reply, 'all', 'GET, PUT, DELETE, OPTIONS'),
  )
}

interface Call {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}
type Handler = (call: Call) => Promise<FastifyReply>

export function isOpen(ctx: IdentityContext): boolean {
  return ctx.configuration.settings.flags?.enable_dynamic_client_registration === true
}

/**
 * @spec RFC 7591 §3.1
 * @spec OpenID Connect Registration §3.1
 */
async function register({ server, ctx, request, reply }: Call): Promise<FastifyReply> {
  const settings = ctx.configuration.settings.dynamic_client_registration ?? {}
  const initial = bearer(request)
  if (settings.require_initial_access_token === true && initial === undefined)
    throw new OAuthError('invalid_token', 'Registration needs an initial access token')
  await countCall(ctx, request)
  const now = ctx.now()
  const client_id = newClientId(ctx.random)
  const client = await readMetadata(ctx, request.body, { client_id, by: 'itself', issued_at: Math.floor(now / 1000) })
  await checkSector(ctx, client)
  const client_secret = needsSecret(client) ? ctx.random(48) : undefined
  const registration_access_token = ctx.random(32)
  await ctx.store.atomically(async (store) => {
    if (
      settings.require_initial_access_token === true &&
      !(await store.registrationTokens.useInitial(initial ?? '', now))
    )
      throw new OAuthError('invalid_token', 'The initial access token is not valid')
    if ((await store.registrationTokens.count()) >= (settings.max_clients ?? defaultMaxClients))
      throw new OAuthError('access_denied', 'No more clients can register themselves here')
    await store.configuration.saveClient(client, now)
    if (client_secret !== undefined) await store.configuration.saveClientSecret(client_id, client_secret, now)
    await store.registrationTokens.createForClient(registration_access_token, client_id, now)
    await store.configuration.touch(now)
  })
  await server.tenant.reload()
  request.log.info({ client_id, ip: request.ip }, 'a client registered itself')
  return reply.code(201).send(information(ctx, client, registration_access_token, client_secret))
}

/** @spec RFC 7592 §2.1 */
async function show({ ctx, request, reply }: Call): Promise<FastifyReply> {
  const { client, token } = await ownClient(ctx, request)
  return reply.send(information(ctx, client, token))
}

/** @spec RFC 7592 §2.2 */
async function change({ server, ctx, request, reply }: Call): Promise<FastifyReply> {
  const { client: before, token } = await ownClient(ctx, request)
  await countCall(ctx, request)
  const now = ctx.now()
  const given = request.body as Readonly<Record<string, unknown>> | undefined
  if (given?.client_id !== before.client_id)
    throw new OAuthError('invalid_client_metadata', 'client_id: Send the client_id that is being changed.')
  const issued_at = before.registration?.issued_at ?? Math.floor(now / 1000)
  const client = await readMetadata(ctx, given, { client_id: before.client_id, by: 'itself', issued_at }, before)
  await checkSector(ctx, client)
  const client_secret = needsSecret(client) && !needsSecret(before) ? ctx.random(48) : undefined
  await ctx.store.atomically(async (store) => {
    // Deleted meanwhile is deleted: a change must not bring the client back.
    if ((await store.registrationTokens.clientOf(token)) !== client.client_id) throw unknownToken()
    await store.configuration.saveClient(client, now)
    if (client_secret !== undefined) await store.configuration.saveClientSecret(client.client_id, client_secret, now)
    await store.configuration.touch(now)
  })
  await server.tenant.reload()
  return reply.send(information(ctx, client, token, client_secret))
}

/** @spec RFC 7592 §2.3 */
async function remove({ server, ctx, request, reply }: Call): Promise<FastifyReply> {
  const { client } = await ownClient(ctx, request)
  await countCall(ctx, request)
  await ctx.store.atomically(async (store) => {
    await store.configuration.deleteClient(client.client_id)
    await store.registrationTokens.endForClient(client.client_id)
    await store.configuration.touch(ctx.now())
  })
  await server.tenant.reload()
  request.log.info({ client_id: client.client_id, ip: request.ip }, 'a client deleted itself')
  return reply.code(204).send()
}

async function ownClient(ctx: IdentityContext, request: FastifyRequest): Promise<{ client: Client; token: string }> {
  const token = bearer(request)
  const client_id = token === undefined ? undefined : await ctx.store.registrationTokens.clientOf(token)
  const { client_id: named } = request.params as { readonly client_id: string }
  // As it was registered, with what the tenant has switched off meanwhile.
  const client = ctx.configuration.clients.find((one) => one.client_id === client_id)
  if (token === undefined || client === undefined || client_id !== named) throw unknownToken()
  return { client, token }
}

function unknownToken(): OAuthError {
  return new OAuthError('invalid_token', 'The registration access token is not valid for this client')
}

function bearer(request: FastifyRequest): string | undefined {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

function needsSecret(client: Client): boolean {
  return client.token_endpoint_auth_method.startsWith('client_secret_') || keepsSecret(client)
}

/** Each of them makes every node read its clients again. */
async function countCall(ctx: IdentityContext, request: FastifyRequest): Promise<void> {
  if (ctx.per_address === undefined) return
  const { count } = await ctx.store.counters.add(`register ${addressBucket(request.ip)}`, 60_000, ctx.now())
  if (count > ctx.per_address.signups_per_minute)
    throw new OAuthError('too_many_requests', 'Too many registrations from this address')
}

/** @spec RFC 7591 §3.2.1 */
function information(
  ctx: IdentityContext,
  { client_id, registration: registered }: Client,
  registration_access_token: string,
  client_secret?: string,
): Readonly<Record<string, unknown>> {
  return {
    client_id,
    ...(registered === undefined ? {} : { client_id_issued_at: registered.issued_at }),
    ...(client_secret === undefined ? {} : { client_secret, client_secret_expires_at: 0 }),
    registration_client_uri: `${ctx.issuer}oidc/register/${client_id}`,
    registration_access_token,
    ...registered?.metadata,
  }
}
