/** Owns the same small API four times: once with each adapter, over real HTTP. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import * as forExpress from '../../src/express.ts'
import * as forFastify from '../../src/fastify.ts'
import * as forHono from '../../src/hono.ts'
import type { Verifier } from '../../src/index.ts'
import * as forNode from '../../src/node.ts'
import { addressOf, close } from './listen.ts'

/** What a handler answers: who asked, and the body it could still read. */
export interface Handled {
  readonly sub: string | undefined
  readonly body: string
}

export interface Api {
  readonly origin: string
  /** How often a handler has run. */
  handled(): number
  close(): Promise<void>
}

/**
 * Every API has GET and POST `/any` (a good token), `/all` (read:messages and write:messages),
 * `/either` (read:messages or admin) and `/unguarded` (a scope asked for without `protect`).
 */
export const apis: Readonly<Record<string, (verifier: Verifier) => Promise<Api>>> = {
  async express(verifier) {
    const { protect, requireAnyScope, requireScope } = forExpress
    let handled = 0
    const handle: express.RequestHandler = async (request, response) => {
      handled++
      response.json({ sub: request.auth?.sub, body: await textOf(request) } satisfies Handled)
    }
    const app = express()
    app.all('/unguarded', requireScope('read:messages'), handle)
    app.use(protect(verifier))
    app.all('/any', handle)
    app.all('/all', requireScope('read:messages', 'write:messages'), handle)
    app.all('/either', requireAnyScope('read:messages', 'admin'), handle)
    app.use(((_error, _request, response, _next) => {
      response.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    const server = createServer(app)
    return { origin: await addressOf(server), handled: () => handled, close: () => close(server) }
  },

  async fastify(verifier) {
    const { protect, requireAnyScope, requireScope } = forFastify
    let handled = 0
    const app = fastify()
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    const route = (url: string, onRequest: forFastify.FastifyHook[]) =>
      app.route({
        url,
        method: ['GET', 'POST'],
        onRequest,
        handler: async (request): Promise<Handled> => {
          handled++
          return { sub: request.auth?.sub, body: String(request.body ?? '') }
        },
      })
    const check = protect(verifier)
    route('/any', [check])
    route('/all', [check, requireScope('read:messages', 'write:messages')])
    route('/either', [check, requireAnyScope('read:messages', 'admin')])
    route('/unguarded', [requireScope('read:messages')])
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    return { origin, handled: () => handled, close: () => app.close() }
  },

  async hono(verifier) {
    const { protect, requireAnyScope, requireScope } = forHono
    let handled = 0
    const app = new Hono()
    app.all('/unguarded', requireScope('read:messages'), (c) => {
      handled++
      return c.text('')
    })
    app.use(protect(verifier))
    app.all('/any', async (c) => {
      handled++
      return c.json({ sub: c.get('auth').sub, body: await c.req.text() } satisfies Handled)
    })
    const scoped = async (sub: string, body: Promise<string>): Promise<Handled> => {
      handled++
      return { sub, body: await body }
    }
    app.all('/all', requireScope('read:messages', 'write:messages'), async (c) =>
      c.json(await scoped(c.get('auth').sub, c.req.text())),
    )
    app.all('/either', requireAnyScope('read:messages', 'admin'), async (c) =>
      c.json(await scoped(c.get('auth').sub, c.req.text())),
    )
    app.onError((_error, c) => c.body(null, 500))
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
    if (!server.listening) await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const stop = () => new Promise<void>((resolve) => server.close(() => resolve()))
    return { origin: `http://127.0.0.1:${port}`, handled: () => handled, close: stop }
  },

  async node(verifier) {
    const { protect, requireAnyScope, requireScope } = forNode
    let handled = 0
    const handle: forNode.Handler = async (request, response) => {
      handled++
      response.end(JSON.stringify({ sub: request.auth.sub, body: await textOf(request) } satisfies Handled))
    }
    const checked = protect(verifier)
    const routes = new Map([
      ['/any', checked(handle)],
      ['/all', checked(requireScope('read:messages', 'write:messages')(handle))],
      ['/either', checked(requireAnyScope('read:messages', 'admin')(handle))],
    ])
    const server = createServer((request, response) => {
      const route = routes.get((request.url ?? '').replace(/\?.*/, ''))
      return route === undefined ? response.writeHead(500).end() : route(request, response)
    })
    return { origin: await addressOf(server), handled: () => handled, close: () => close(server) }
  },
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
