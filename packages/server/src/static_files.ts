/** Owns the files that the hosted pages link to. Their names change with their content, so they are kept for ever. */
import type { FastifyInstance } from 'fastify'
import { assets } from './pages/index.ts'

export function staticFiles(app: FastifyInstance): void {
  for (const { path, type, body } of assets) {
    app.get(path, (_request, reply) =>
      reply.header('content-type', type).header('cache-control', 'public, max-age=31536000, immutable').send(body),
    )
  }
}
