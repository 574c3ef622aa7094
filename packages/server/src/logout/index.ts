/** Owns the list of routes that end sessions or tell of their end. */
import type { FastifyInstance } from 'fastify'
import type { Server } from '../app.ts'
import { checkSession } from './check_session.ts'
import { endSession } from './end_session.ts'
import { v2Logout } from './v2_logout.ts'

export function logout(app: FastifyInstance, server: Server): void {
  for (const routes of [v2Logout, endSession, checkSession]) routes(app, server)
}
