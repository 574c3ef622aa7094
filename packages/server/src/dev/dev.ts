/** Owns `latchkey dev`: the server with a seeded tenant on http and https, the demo beside it, and the words that tell how to use it. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { responseTypes } from '@latchkey/core'
import type { Config } from '../config.ts'
import { StartError } from '../listen.ts'
import { openLog } from '../log.ts'
import { type RunningServer, startServer } from '../main.ts'
import { type DevelopmentCertificate, ensureCertificate } from './certificate.ts'
import { type Demo, startDemo } from './demo.ts'
import { type Seeded, seedTenant } from './seed.ts'
import { settingsBlock } from './settings_block.ts'
import { howToTrust } from './trust.ts'

export interface DevelopmentOptions {
  /** Prints one or more lines for the person at the terminal. */
  readonly print: (text: string) => void
  readonly now?: () => number
}

/**
 * Starts everything that `latchkey dev` runs.
 * @throws Error whose message says what to change
 */
export async function startDevelopment(
  config: Config,
  { print, now = Date.now }: DevelopmentOptions,
): Promise<RunningServer> {
  const directory = resolve(config.directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const certificate = await ensureCertificate(directory, { now })
  if (certificate.notice !== undefined) print(certificate.notice)
  const https_port = config.https_port ?? 8443
  const issuers = [`http://localhost:${config.port}/`, `https://localhost:${https_port}/`]
  const { plainLog } = await import('./plain_log.ts')
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  let seeded: Seeded | undefined
  const server = await startServer(
    {
      ...config,
      issuer: issuers,
      host: 'localhost',
      https_port,
      database: config.ephemeral ? 'sqlite::memory:' : `sqlite:${directory}/latchkey.sqlite`,
    },
    {
      ...{ now, random, development: true, tls: { cert: certificate.cert, key: certificate.key } },
      log: openLog(config.log_level, plainLog(print)),
      async prepare(store, passwords) {
        const { app_port, api_port, ephemeral } = config
        seeded = await seedTenant({
          store,
          passwords,
          now,
          random,
          issuer: issuers[0] ?? '',
          app_port,
          api_port,
          directory: ephemeral ? undefined : directory,
        })
      },
    },
  )
  const demo = await startDemo(issuers, config).catch(async (error: unknown) => {
    await server.close()
    throw portOf(error)
  })
  print(greeting({ config, issuers, https_port, certificate, demo, seeded }))
  return {
    ...server,
    async close() {
      await Promise.all([demo.close(), server.close()])
    },
  }
}

function portOf(error: unknown): unknown {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error
  return taken
    ? new StartError(
        `Port ${error.port} is taken by another program: stop it, or choose another with --app-port or --api-port.`,
      )
    : error
}

interface Facts {
  readonly config: Config
  readonly issuers: readonly string[]
  readonly https_port: number
  readonly certificate: DevelopmentCertificate
  readonly demo: Demo
  readonly seeded: Seeded | undefined
}

function greeting({ config, issuers, certificate, demo, seeded }: Facts): string {
  const [http = '', https] = issuers
  const rows: readonly (readonly [string, string])[] = [
    ['Demo app', demo.app ?? 'not built: npm start builds it'],
    ['Sign in as', `${seeded?.email}   password  ${seeded?.password ?? '(the one you chose)'}`],
    ['Server', `${http}   and   ${https}`],
    ['Mailbox', `${http}dev/mail`],
    ['Demo API', demo.api ?? 'not here'],
  ]
  const trust = howToTrust(certificate.ca_file, process.platform).map(({ who, line }) => `  ${who}:\n    ${line}`)
  const { app_port, api_port } = config
  const settings = settingsBlock({ http, https, app_port, api_port, response_types: responseTypes })
  return [
    '',
    'Settings for your own app',
    '',
    indent(settings),
    '',
    `https is served with a certificate of your own development authority (SHA-256 ${certificate.fingerprint.slice(0, 23)}…). To trust it:`,
    ...trust,
    '',
    'Latchkey is running.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(12)}${value}`),
    '',
    `Open ${demo.app ?? http} in your browser. Ctrl+C stops everything${config.ephemeral ? ' and forgets it' : ''}.`,
    '',
  ].join('\n')
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
