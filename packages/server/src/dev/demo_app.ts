/** Owns the web server of the demo app: the built files, held in memory, and where they find the servers. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'

export interface DemoAppOptions {
  /** The folder with the built app. */
  readonly folder: string
  /** What the app fetches as `config.json`. */
  readonly config: {
    readonly issuer: string
    readonly client_id: string
    readonly audience: string
    readonly api: string
  }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.map': 'application/json',
}

export function buildDemoApp({ folder, config }: DemoAppOptions): FastifyInstance {
  const app = fastify({ forceCloseConnections: true })
  const { issuer, api } = config
  const [auth, data] = [new URL(issuer).origin, new URL(api).origin]
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ${auth} ${data}; frame-src ${auth}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'`
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    })
  })
  app.get('/config.json', () => config)
  for (const file of filesIn(folder)) {
    const body = readFileSync(file)
    const path = `/${relative(folder, file).split(sep).join('/')}`
    const type = types[extname(file)] ?? 'application/octet-stream'
    for (const address of path.endsWith('/index.html') ? [path, path.slice(0, -'index.html'.length)] : [path]) {
      app.get(address, (_request, reply) => reply.header('content-type', type).send(body))
    }
  }
  return app
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name)
    return statSync(file).isDirectory() ? filesIn(file) : [file]
  })
}
