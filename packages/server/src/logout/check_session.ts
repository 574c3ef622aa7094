/** Owns `/oidc/check_session`, the `check_session_iframe`: applications ask this frame whether the login state has changed. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { Server } from '../app.ts'

/** Any page may frame it: what it tells is worth nothing without a `session_state`, which only a client's page was given. */
export function checkSession(app: FastifyInstance, _server: Server): void {
  const script = readFileSync(new URL('./check_session_frame.js', import.meta.url), 'utf8')
  const hash = createHash('sha256').update(script).digest('base64')
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Session check</title></head><body><script>${script}</script></body></html>`
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors *`
  app.get('/oidc/check_session', (_request, reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', policy)
      .header('cross-origin-resource-policy', 'cross-origin')
      .send(page),
  )
}
