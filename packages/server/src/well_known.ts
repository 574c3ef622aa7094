/** Owns the public documents: discovery and the key set, made once and sent as bytes until something changes. */
import { discovery } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToAll } from './cors.ts'

/** Seconds that others may keep these documents; a key is published at least as long before it signs. */
const maxAge = 300

export function wellKnown(app: FastifyInstance, server: Server): void {
  // One body for each context; a new context is made when configuration or keys change.
  const documents = new WeakMap<IdentityContext, Buffer>()
  const documentOf = (ctx: IdentityContext): Buffer => {
    const known = documents.get(ctx)
    if (known !== undefined) return known
    const made = Buffer.from(JSON.stringify(discovery(ctx, server.pages.locales)))
    documents.set(ctx, made)
    return made
  }
  /** @spec OpenID Connect Discovery §4 */
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
    app.get(path, async (request, reply) => sendPublic(reply, documentOf(await server.context(request))))
    app.options(path, (request, reply) => answerPreflight(request, reply, 'all', 'GET, OPTIONS'))
  }
  /** @spec RFC 7517 §5 */
  app.get('/.well-known/jwks.json', async (request, reply) =>
    sendPublic(reply, (await server.context(request)).keys.jwks),
  )
  app.options('/.well-known/jwks.json', (request, reply) => answerPreflight(request, reply, 'all', 'GET, OPTIONS'))
}

function sendPublic(reply: FastifyReply, body: Buffer): FastifyReply {
  openToAll(reply)
  return reply
    .header('content-type', 'application/json')
    .header('cache-control', `public, max-age=${maxAge}`)
    .send(body)
}
