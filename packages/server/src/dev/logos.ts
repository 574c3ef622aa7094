/** Owns the logos of the development tenant and of its demo app. They lie on the server itself: no page loads anything from elsewhere. */
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { icon } from '../pages/assets.ts'

const demoPath = '/dev/demo.svg'

/**
 * @param issuer a name of the server, with its slash
 * @returns keywords for `seed.yaml`
 */
export function logoAddresses(issuer: string): { readonly TENANT_LOGO: string; readonly DEMO_LOGO: string } {
  return { TENANT_LOGO: new URL(icon.path, issuer).href, DEMO_LOGO: new URL(demoPath, issuer).href }
}

export function logos(app: FastifyInstance): void {
  const demo = readFileSync(new URL('./demo.svg', import.meta.url))
  app.get(demoPath, (_request, reply) => reply.header('content-type', 'image/svg+xml').send(demo))
}
