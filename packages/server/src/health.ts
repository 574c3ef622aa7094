/** Owns the questions of whoever watches the server: is the process alive, and may it be sent requests? */
import type { FastifyInstance } from 'fastify'
import type { Server } from './app.ts'

export function health(app: FastifyInstance, server: Server): void {
  app.get('/health/live', async () => ({ status: 'UP' }))
  app.get('/health/ready', async (_request, reply) => {
    try {
      await server.tenant.store.ping()
      if (!server.stopping()) return { status: 'UP', checks: [{ name: 'database', status: 'UP' }] }
    } catch (error) {
      server.log.error({ err: error }, 'the database does not answer')
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({ status: 'DOWN', checks: [{ name: 'database', status: 'DOWN' }] })
    }
    return reply
      .code(503)
      .header('retry-after', '5')
      .send({ status: 'DOWN', checks: [{ name: 'stopping', status: 'DOWN' }] })
  })
}
