/** Owns listening: http and https, on every address that a host name stands for, as one thing to close. */
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { createServer, type Server as HttpsServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'

export interface Tls {
  /** PEM, with its chain. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export interface Listening {
  readonly addresses: readonly string[]
  /** Takes no more connections, and waits for the requests in flight. */
  close(): Promise<void>
}

/** A start that failed; the message says what to change. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** @throws StartError when a port is taken or not allowed */
export async function listen(app: FastifyInstance, config: Config, tls: Tls | undefined): Promise<Listening> {
  const { host = 'localhost', port, https_port, mtls_port } = config
  const servers: HttpsServer[] = []
  const inFlight = countRequests(app)
  const close = async () => {
    const closing = Promise.all([app.close(), ...servers.map(closeHttps)])
    // Browsers hold connections open that they have sent nothing on: those are not waited for.
    await inFlight.none()
    for (const server of [app.server, ...servers]) server.closeAllConnections()
    await closing
  }
  try {
    await app.listen({ port, host }).catch((error: unknown) => refusePort(error, port))
    const addresses = [addressText(app.server.address(), 'http')]
    const pem = tls ?? readTls(config)
    if (pem === undefined) return { addresses, close }
    for (const { https, options } of [
      { https: https_port, options: {} },
      { https: mtls_port, options: askForCertificate },
    ]) {
      if (https === undefined) continue
      for (const address of await addressesOf(host)) {
        const server = await listenHttps(app, { ...pem, ...options }, address, https)
        servers.push(server)
        addresses.push(addressText(server.address(), 'https'))
      }
    }
    return { addresses, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A browser may try `localhost` by IPv6 or by IPv4. */
async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  return [...new Set((await lookup(host, { all: true })).map(({ address }) => address))]
}

/** Whoever shows a certificate proves that he holds its key; what it is worth is judged with the client. @spec RFC 8705 §2 */
const askForCertificate = { requestCert: true, rejectUnauthorized: false } as const

async function listenHttps(
  app: FastifyInstance,
  options: Tls & Partial<typeof askForCertificate>,
  host: string,
  port: number,
): Promise<HttpsServer> {
  const server = createServer({ ...options, minVersion: 'TLSv1.2', maxHeaderSize: 32_768 }, app.routing)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((error: unknown) => refusePort(error, port))
  return server
}

function addressText(bound: AddressInfo | string | null, scheme: 'http' | 'https'): string {
  if (bound === null || typeof bound === 'string') return String(bound)
  const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address
  return `${scheme}://${host}:${bound.port}`
}

function readTls({ tls_cert, tls_key }: Config): Tls | undefined {
  if (tls_cert === undefined || tls_key === undefined) return undefined
  return { cert: readFileSync(tls_cert, 'utf8'), key: readFileSync(tls_key, 'utf8') }
}

function refusePort(cause: unknown, port: number): never {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE')
    throw new StartError(`Port ${port} is taken by another program: stop it, or choose another port.`, { cause })
  if (code === 'EACCES')
    throw new StartError(`Port ${port} may not be used by this user: choose one above 1023.`, { cause })
  throw cause
}

/** Milliseconds for the last bytes of an answer to leave. */
const lastBytes = 50

function countRequests(app: FastifyInstance): { none(): Promise<void> } {
  let running = 0
  let done: (() => void) | undefined
  const onClose = () => {
    running--
    if (running === 0) done?.()
  }
  app.addHook('onRequest', (_request, reply, next) => {
    running++
    reply.raw.once('close', onClose)
    next()
  })
  return {
    async none() {
      if (running > 0) {
        await new Promise<void>((resolve) => {
          done = resolve
        })
      }
      await delay(lastBytes)
    },
  }
}

function closeHttps(server: HttpsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
