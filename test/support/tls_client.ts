/** Owns requests over TLS with a certificate of the client's own. */
import { Agent, request } from 'node:https'
import type { KeyedCertificate } from './client_certificate.ts'
import type { Parameters } from './flow.ts'

export interface TlsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly json: Readonly<Record<string, unknown>>
}

export interface TlsRequest {
  readonly certificate?: KeyedCertificate | undefined
  /** Of the server's authority, in PEM. */
  readonly ca: string
  readonly headers?: Readonly<Record<string, string>>
  /** A form; without one it is a GET. */
  readonly form?: Parameters
  /** Keeps connections and TLS sessions; a new one for each request by default. */
  readonly agent?: Agent
}

export function tlsRequest(url: string, options: TlsRequest): Promise<TlsAnswer> {
  const { certificate, ca, headers = {}, form, agent = new Agent({ maxCachedSessions: 0 }) } = options
  const body = form === undefined ? undefined : String(new URLSearchParams(withoutGaps(form)))
  const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
  const own = certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }
  const method = body === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    request(url, { ...own, ca, agent, method, headers: { ...type, ...headers } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = (text.startsWith('{') ? JSON.parse(text) : {}) as TlsAnswer['json']
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, json })
      })
    })
      .once('error', reject)
      .end(body)
  })
}

function withoutGaps(form: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
