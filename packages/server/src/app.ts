/** Owns the HTTP application: limits, headers that every answer carries, and the list of routes. */
import fastifyCookie from '@fastify/cookie'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { account } from './account.ts'
import { consent } from './consent.ts'
import { dbConnections } from './dbconnections.ts'
import { device } from './dev/device.ts'
import { logos } from './dev/logos.ts'
import { mailbox } from './dev/mailbox.ts'
import { activate } from './device/activate.ts'
import { deviceEndpoint } from './device/endpoint.ts'
import { asOAuthError, sendErrorPage, sendJsonError } from './errors.ts'
import { health } from './health.ts'
import { introspection } from './introspection.ts'
import { login } from './login.ts'
import { logout } from './logout/index.ts'
import { watchMethods } from './methods.ts'
import type { ClientCertificates } from './mutual_tls.ts'
import { issuerOf } from './names.ts'
import type { Pages } from './pages/index.ts'
import { protocol } from './protocol.ts'
import { pushedRequests } from './pushed_requests.ts'
import { recovery } from './recovery.ts'
import { isAddress } from './registration/client_documents.ts'
import { registration } from './registration/endpoint.ts'
import { statedClientId } from './requests.ts'
import { revocation } from './revocation.ts'
import { signup } from './signup.ts'
import { staticFiles } from './static_files.ts'
import type { LiveTenant } from './tenant.ts'
import { tokenEndpoint } from './token_endpoint.ts'
import type { UsageCount } from './usage.ts'
import { userinfoEndpoint } from './userinfo.ts'
import { usernamePassword } from './usernamepassword.ts'
import { wellKnown } from './well_known.ts'

/** What every route works with. */
export interface Server {
  readonly tenant: LiveTenant
  readonly pages: Pages
  readonly certificates: ClientCertificates
  readonly usage: UsageCount
  /** True in `latchkey dev`: pages explain themselves, and mails go to a mailbox page. */
  readonly development: boolean
  readonly log: FastifyBaseLogger
  /** Tells clients of sessions that have ended; waits for them, but no longer than so many milliseconds. */
  readonly tellClients: (patience: number) => Promise<void>
  readonly userinfo_per_minute: number
  /** True once the server was told to stop: it finishes what it has, and asks for no more. */
  stopping(): boolean
  /** The context of a request. @throws OAuthError when it was sent to none of the server's names */
  context(request: FastifyRequest): Promise<IdentityContext>
  /** The same, where clients with a certificate may call by their own name. */
  clientContext(request: FastifyRequest): Promise<IdentityContext>
}

export interface AppOptions {
  readonly tenant: LiveTenant
  readonly pages: Pages
  readonly certificates: ClientCertificates
  readonly usage: UsageCount
  readonly development: boolean
  readonly log: FastifyBaseLogger
  /** Addresses of proxies whose forwarded headers count. */
  readonly trust_proxy: readonly string[]
  /** Bytes. */
  readonly body_limit: number
  readonly userinfo_per_minute: number
  readonly tellClients: (patience: number) => Promise<void>
  readonly stopping: () => boolean
}

const maxHeaderSize = 32_768
const requestTimeout = 30_000

export function buildApp(options: AppOptions): FastifyInstance {
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request would cost more than the line that most of them never write.
    childLoggerFactory: (log) => log,
    bodyLimit: options.body_limit,
    requestTimeout,
    trustProxy: options.trust_proxy.length === 0 ? false : [...options.trust_proxy],
    forceCloseConnections: 'idle',
    http: { maxHeaderSize },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: {
      // Many clients build `//.well-known/…` out of an issuer that ends in a slash.
      ignoreDuplicateSlashes: true,
      maxParamLength: 500,
      // Parameters are read strictly where they are used.
      querystringParser: () => ({}),
    },
    frameworkErrors: (error, request, reply) => void fail(error, request, reply),
  })
  const server: Server = {
    ...options,
    // A name that is not ours is a promise that is not kept, never an exception: the error page itself asks.
    context: async (request) => contextOf(request, issuerOf(request, options.tenant.issuers)),
    clientContext: async (request) =>
      contextOf(request, issuerOf(request, options.tenant.issuers, options.certificates.mtls?.url)),
  }
  async function contextOf(request: FastifyRequest, issuer: string): Promise<IdentityContext> {
    await options.tenant.refresh()
    const ctx = options.tenant.context(issuer)
    const client_id = statedClientId(request)
    if (client_id !== undefined && isAddress(client_id))
      await options.tenant.clientDocuments.read(ctx, client_id, request.ip)
    return ctx
  }
  // What the router itself refuses has not passed the hook that sets the headers.
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    answerFailure(server, error, request, reply.headers(safeHeaders))
  const methodsAt = watchMethods(app)
  readBodiesStrictly(app)
  void app.register(fastifyCookie)
  app.addHook('onRequest', (request, reply, next) => {
    reply.headers(safeHeaders)
    // Not for localhost, where other programs of this machine speak plain http.
    if (request.protocol === 'https' && !options.development)
      reply.header('strict-transport-security', 'max-age=31536000')
    next()
  })
  app.setErrorHandler(fail)
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsAt(pathOf(request))
    if (allowed.length === 0)
      return fail(new OAuthError('not_found', 'There is nothing at this address'), request, reply)
    reply.header('allow', allowed.join(', '))
    return fail(new OAuthError('method_not_allowed', `Use ${allowed.join(', ')} at this address`), request, reply)
  })
  for (const routes of [
    wellKnown,
    protocol,
    tokenEndpoint,
    deviceEndpoint,
    activate,
    pushedRequests,
    introspection,
    revocation,
    registration,
    userinfoEndpoint,
    login,
    usernamePassword,
    signup,
    account,
    consent,
    recovery,
    logout,
    dbConnections,
    staticFiles,
    health,
  ])
    routes(app, server)
  if (options.development) for (const routes of [mailbox, device, logos]) routes(app, server)
  return app
}

/** No route has a schema: parameters are read by the protocol's own strict reader. So the compilers are not even loaded. */
function noSchemas(): never {
  throw new Error('Routes of this server have no schemas')
}

const safeHeaders = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

// Forms are kept as text, so that a repeated parameter is still visible; a type that no route reads is refused.
function readBodiesStrictly(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
}

/** Everything that a route throws ends here: a page for people at `/authorize` and the pages, JSON everywhere else. */
async function answerFailure(
  server: Server,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const error = asOAuthError(thrown)
  if (!isForPeople(pathOf(request), request)) return sendJsonError(request, reply, error)
  // A page needs one of the server's names; without one there is only the bare error.
  const ctx = await server.context(request).catch(() => undefined)
  return ctx === undefined
    ? sendBareError(server, request, reply, error)
    : sendErrorPage(server, ctx, request, reply, error)
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?')[0] ?? ''
}

function isForPeople(path: string, request: FastifyRequest): boolean {
  if (/^\/+(authorize|activate|continue|u|(?:v2|oidc)\/logout|logout|login|dev)(\/|$)/.test(path)) return true
  return request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
}

function sendBareError(server: Server, request: FastifyRequest, reply: FastifyReply, error: OAuthError): FastifyReply {
  const [canonical = ''] = server.tenant.issuers
  return sendErrorPage(server, server.tenant.context(canonical), request, reply, error)
}
