/** Owns starting the server for a test: the real one, in this process, on a free port, with a tenant file, a clock that can be moved. */
import { createServer } from 'node:net'
import { loadConfig, openLog, type RunningServer, startServer } from '@latchkey/server'
import { planTenant } from '@latchkey/server/tenant_file'

export interface Options {
  /** A tenant file; `##ISSUER##` stands for the issuer without its slash. */
  readonly tenant: string
  /** As in `latchkey dev`: pages explain themselves, mails lie in the mailbox. On by default. */
  readonly development?: boolean
  /** In memory by default. */
  readonly database?: string
  /** Another option of `latchkey serve`, by its name. */
  readonly options?: Readonly<Record<string, string | readonly string[]>>
  /** A file with a certificate and its key, in PEM: the server is then reached over https too, as `https_issuer`. */
  readonly tls_file?: string
}

export interface Mail {
  readonly to: string
  readonly kind: string
  readonly subject: string
  readonly text: string
  readonly links: readonly string[]
}

export interface Latchkey {
  /** With its trailing slash. */
  readonly issuer: string
  /** The other name of the server; empty without `tls_file`. */
  readonly https_issuer: string
  /** Moves the server's clock forward. */
  advance(seconds: number): void
  /** The mails of the development mailbox, the newest first. */
  mails(): Promise<readonly Mail[]>
  /** Applies another tenant file to the running server. */
  apply(tenant: string): Promise<void>
  /** What an administrator would reach through commands. */
  readonly tenant: RunningServer['tenant']
  /** The log, a line an entry. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  close(): Promise<void>
}

export async function startLatchkey({
  tenant,
  development = true,
  database = 'sqlite::memory:',
  options = {},
  tls_file,
}: Options): Promise<Latchkey> {
  const port = await freePort()
  const issuer = `http://localhost:${port}/`
  const https_port = tls_file === undefined ? undefined : String(await freePort())
  const https_issuer = https_port === undefined ? '' : `https://localhost:${https_port}/`
  const https =
    https_port === undefined || tls_file === undefined
      ? {}
      : { issuer: [issuer, https_issuer], https_port, tls_cert: tls_file, tls_key: tls_file }
  const lines: Record<string, unknown>[] = []
  let ahead = 0
  const now = () => Date.now() + ahead
  const named = { issuer, port: String(port), host: 'localhost', database, ...https }
  const config = loadConfig('serve', { ...named, ...options }, {})
  const log = openLog('info', { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const random = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url')
  let apply: ((text: string) => Promise<void>) | undefined
  const server: RunningServer = await startServer(config, {
    ...{ now, log, development },
    async prepare(store, passwords) {
      apply = async (text) => {
        const plan = await planTenant(text, {
          store,
          passwords,
          now,
          random,
          keywords: { ISSUER: issuer.slice(0, -1) },
        })
        await plan.apply()
      }
      await apply(tenant)
    },
  })
  return {
    issuer,
    https_issuer,
    tenant: server.tenant,
    log: lines,
    advance(seconds) {
      ahead += seconds * 1000
    },
    async mails() {
      return (await (await fetch(`${issuer}dev/mail.json`)).json()) as Mail[]
    },
    async apply(text) {
      await apply?.(text)
      await server.tenant.reload()
    },
    close: () => server.close(),
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, 'localhost', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
