/** Owns the reading and answering of Node's own requests, on which Express, Fastify and bare Node stand. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { answerTo } from './answer.ts'
import { isForm, largestForm, type PresentedRequest } from './authenticate.ts'
import type { TokenError } from './token_error.ts'

/** A request whose body a middleware may already have parsed. */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly originalUrl?: string }

export function presentedBy(request: NodeRequest, response: ServerResponse): PresentedRequest {
  // Where routers are nested, Express cuts what leads to them off `url`.
  const url = request.originalUrl ?? request.url ?? ''
  const question = url.indexOf('?')
  return {
    authorization: authorizationOf(request),
    query: question < 0 ? '' : url.slice(question + 1),
    ...{ method: request.method, url: wholeUrl(request, url), dpop: valuesOf(request, 'dpop') },
    certificate: () => certificateOf(request.socket),
    header: (name) => valuesOf(request, name).join(', ') || undefined,
    tell: (name, value) => void response.setHeader(name, value),
    form: () => formOf(request),
  }
}

// Node's `headers` drop a second Authorization header in silence. The raw ones keep it, in HTTP/1 and 2 and in Fastify's inject.
function authorizationOf(request: IncomingMessage): string | undefined {
  const values = valuesOf(request, 'authorization')
  return values.length > 1 ? values.join(', ') : request.headers.authorization
}

function valuesOf({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && isNamed(rawHeaders[index - 1], name))
}

function isNamed(header: string | undefined, name: string): boolean {
  return header?.length === name.length && header.toLowerCase() === name
}

function wholeUrl({ socket, headers }: IncomingMessage, target: string): string {
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  return target.startsWith('/') ? `${scheme}://${headers.host ?? headers[':authority'] ?? ''}${target}` : target
}

/** Of a server that asks for certificates; whoever sent one holds its key. */
export function certificateOf(socket: unknown): Uint8Array | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined
}

export function sendAnswer(response: ServerResponse, error: TokenError): void {
  const { status, headers, body } = answerTo(error)
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}

async function formOf(request: NodeRequest): Promise<string> {
  const length = Number(request.headers['content-length'])
  if (!isForm(request.headers['content-type']) || !(length > 0 && length <= largestForm)) return ''
  const { body } = request
  if (typeof body === 'object' && body !== null) return 'access_token' in body ? 'access_token' : ''
  const untouched = !request.readableDidRead && !request.readableEnded && !request.destroyed
  return untouched ? peek(request, length) : ''
}

/** Reads the body and puts it back, for the handler to read again. */
function peek(request: IncomingMessage, length: number): Promise<string> {
  return new Promise((resolve) => {
    const finish = (body: string) => {
      request.off('readable', read).off('close', abort).off('error', abort)
      resolve(body)
    }
    const abort = () => finish('')
    const read = () => {
      const body: unknown = request.read(length)
      if (!Buffer.isBuffer(body)) return
      request.unshift(body)
      finish(body.toString('latin1'))
    }
    request.on('readable', read).on('close', abort).on('error', abort)
  })
}
