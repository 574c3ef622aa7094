/** Owns the web servers of apps: real ones, each on an origin of its own, with pages made by the test. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A file, or what makes it out of a request. */
export type Content = string | Buffer | ((received: Received) => string)

export interface WebApp {
  /** Such as `http://localhost:4711`. */
  readonly origin: string
  /** By path; the type follows from the ending, and is HTML without one. */
  readonly files: Map<string, Content>
  /** What was asked of it, oldest first. */
  readonly requests: Received[]
  close(): Promise<void>
}

export interface WebAppOptions {
  /** Must mean this machine; `localhost` unless told. */
  readonly host?: string
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Starts an app without files on a free port. */
export async function startWebApp({ host = 'localhost', tls }: WebAppOptions = {}): Promise<WebApp> {
  const files = new Map<string, Content>()
  const requests: Received[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url = '', headers } = request
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const received = { method, url, headers, body }
    requests.push(received)
    const path = new URL(url, 'http://any').pathname
    const content = files.get(path)
    response.setHeader('content-type', typeOf(path))
    if (content === undefined) response.writeHead(404).end('There is nothing here.')
    else response.end(typeof content === 'function' ? content(received) : content)
  }
  const server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    files,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
}

function typeOf(path: string): string {
  const [, ending = ''] = /\.([a-z]+)$/.exec(path) ?? []
  return types[ending] ?? 'text/html; charset=utf-8'
}
