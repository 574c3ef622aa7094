/** Owns the demo API: messages and contacts of the signed-in person, each route behind the scope that the user consented to. */
import { createVerifier } from '@latchkey/api'
import { protect, requireScope } from '@latchkey/api/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import { cors } from './cors.ts'
import { createPeople } from './people.ts'

export interface ApiOptions {
  /** The `iss` of the tokens: one, or the list of the names of one server. */
  readonly issuer: string | readonly string[]
  /** The identifier of this API at the authorization server. */
  readonly audience: string
  /** 0 takes a free one. */
  readonly port: number
  /** Origins of the web apps that may call it, such as http://localhost:8401. */
  readonly allowed_origins: readonly string[]
  /** Default: `.well-known/jwks.json` under the first issuer. */
  readonly jwks_uri?: string
  /** Default `localhost`. */
  readonly host?: string
}

export interface RunningApi {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { host = 'localhost', port } = options
  const app = fastify({ bodyLimit: 10_000 })
  app.addHook('onRequest', cors(options.allowed_origins))
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status < 500) return reply.code(status).send({ error: 'invalid_request', error_description: error.message })
    return reply.code(status).send({ error: 'server_error', error_description: 'The API failed.' })
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not_found', error_description: 'There are /messages, /contacts and /health.' }),
  )
  app.get('/health', async () => ({ status: 'ok' }))
  await app.register(async (api) => addRoutes(api, options))
  await app.listen({ host, port })
  const address = app.server.address()
  const taken = typeof address === 'object' && address !== null ? address.port : port
  return { url: `http://${host}:${taken}`, close: () => app.close() }
}

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength })
const messageBody = { type: 'object', required: ['text'], properties: { text: text(500) } }
const contactBody = { type: 'object', required: ['name', 'email'], properties: { name: text(100), email: text(254) } }

function addRoutes(api: FastifyInstance, { issuer, audience, jwks_uri }: ApiOptions): void {
  const [first] = [issuer].flat()
  const verifier = createVerifier({ issuer, audience, jwks_uri: jwks_uri ?? `${first}.well-known/jwks.json` })
  const people = createPeople()
  api.addHook('onRequest', protect(verifier))

  api.get('/messages', { onRequest: requireScope('read:messages') }, async ({ auth }) => ({
    messages: people.find(sub(auth)).messages,
  }))
  api.get('/contacts', { onRequest: requireScope('read:contacts') }, async ({ auth }) => ({
    contacts: people.find(sub(auth)).contacts,
  }))
  api.post<{ Body: { text: string } }>(
    '/messages',
    { onRequest: requireScope('write:messages'), schema: { body: messageBody } },
    async ({ auth, body }, reply) => reply.code(201).send(people.addMessage(sub(auth), body.text)),
  )
  api.post<{ Body: { name: string; email: string } }>(
    '/contacts',
    { onRequest: requireScope('write:contacts'), schema: { body: contactBody } },
    async ({ auth, body }, reply) => reply.code(201).send(people.addContact(sub(auth), body)),
  )
}

/** The person the token speaks for: `protect` has seen to it that there is one. */
function sub(auth: { readonly sub: string } | undefined): string {
  if (auth === undefined) throw new Error('A route stands before protect')
  return auth.sub
}
