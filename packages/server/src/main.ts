/** Owns the putting together: database, tenant, password workers, mails and HTTP become one running server, and stop as one. */
import { setTimeout as wait } from 'node:timers/promises'
import { openDocuments } from '@latchkey/core'
import { openPasswords, type Passwords } from '@latchkey/identity'
import { migrate, openDatabase, openStore, openVault, type Store } from '@latchkey/store'
import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from './app.ts'
import { applyTenantFiles } from './apply_tenant_files.ts'
import type { Config } from './config.ts'
import { openFetcher } from './fetcher.ts'
import { listen, type Tls } from './listen.ts'
import { openLog } from './log.ts'
import { openLogoutOutbox } from './logout/backchannel.ts'
import { type Outbox, openOutbox, writeMail } from './mail/outbox.ts'
import { smtpSender } from './mail/smtp.ts'
import { giveBackMemory } from './memory.ts'
import { openClientCertificates } from './mutual_tls.ts'
import { openPages } from './pages/index.ts'
import { openRandom } from './random.ts'
import { openRules } from './rules/rules.ts'
import { serverSecrets } from './secret_file.ts'
import { type LiveTenant, openTenant } from './tenant.ts'
import { countUsage } from './usage.ts'

const sweepEvery = 60_000

export interface RunningServer {
  /** Where it listens. */
  readonly addresses: readonly string[]
  readonly tenant: LiveTenant
  /** Stops taking requests, lets the running ones finish, closes everything. */
  close(): Promise<void>
}

/** What tests and `latchkey dev` put in the place of the real thing. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Random bytes as base64url. */
  readonly random?: (bytes: number) => string
  readonly log?: FastifyBaseLogger
  /** True in `latchkey dev`. */
  readonly development?: boolean
  /** TLS for `https_port`, in PEM; `tls_cert` and `tls_key` are files. */
  readonly tls?: Tls
  /** Fills the tenant before the server reads it. */
  readonly prepare?: (store: Store, passwords: Passwords) => Promise<void>
}

/**
 * Starts the server of a configuration.
 * @throws Error whose message says what to change: a database that cannot be opened, a port that is taken, a tenant file that is wrong
 */
export async function startServer(config: Config, surroundings: Surroundings = {}): Promise<RunningServer> {
  const now = surroundings.now ?? Date.now
  const random = surroundings.random ?? openRandom()
  const development = surroundings.development === true
  const log = surroundings.log ?? openLog(config.log_level)
  const db = openDatabase(config.database)
  const store = openStore(db, config.tenant, openVault(serverSecrets(config, random)))
  await migrate(db)
  await store.configuration.ensureTenant(now())
  const passwords = openPasswords({
    queue: config.password_queue,
    ...(config.password_threads === undefined ? {} : { threads: config.password_threads }),
  })
  await surroundings.prepare?.(store, passwords)
  await applyTenantFiles(config, { store, passwords, now, random, log })
  const certificates = openClientCertificates(config)
  const pages = openPages({ override_dir: config.pages })
  const rules = openRules({ log })
  // On a laptop the client's own addresses are of that laptop.
  const allow = [...config.fetch_allow, ...(development ? ['localhost', '127.0.0.1', '[::1]'] : [])]
  const fetch = openFetcher({ allow, now })
  const documents = openDocuments(fetch, now)
  let outbox: Outbox | undefined
  const tenant = await openTenant({
    ...{ tenant: config.tenant, issuers: config.issuer, store, passwords, rules, now, random, log },
    ...{ fetch, documents, mtls: certificates.mtls, key_rotation_days: config.key_rotation_days },
    // A laptop is one address: there, counting by address would lock its owner out.
    per_address: development
      ? undefined
      : {
          failures_per_day: config.failures_per_address,
          signups_per_minute: config.signups_per_address,
          trips_per_hour: config.trips_per_address,
        },
    async post(ctx, kind, user, path, locale) {
      await writeMail(ctx, pages, kind, user, path, locale)
      outbox?.wake()
    },
  })
  if (config.smtp !== undefined) {
    outbox = openOutbox(store, smtpSender({ url: config.smtp, from: config.mail_from ?? '' }), now, log)
    outbox.wake()
  } else if (!development) {
    log.warn({ option: 'smtp' }, 'no mail is sent: sign-up and forgotten passwords wait for the option smtp')
  }
  const logouts = openLogoutOutbox(
    store,
    async (issuer) => {
      await tenant.refresh()
      return tenant.context(tenant.issuers.includes(issuer) ? issuer : (tenant.issuers[0] ?? ''))
    },
    now,
    log,
  )
  const usage = countUsage(store, now, log)
  let stopping = false
  const app = buildApp({
    ...{
      tenant,
      pages,
      certificates,
      usage,
      development,
      log,
      trust_proxy: config.trust_proxy,
      body_limit: config.body_limit,
    },
    userinfo_per_minute: config.userinfo_per_minute,
    tellClients: (patience) => Promise.race([logouts.wake(), wait(patience)]),
    stopping: () => stopping,
  })
  const sweeper = setInterval(() => void sweep(store, tenant, now, log), sweepEvery)
  sweeper.unref()
  const stop = async () => {
    clearInterval(sweeper)
    rules.close()
    await Promise.all([passwords.close(), usage.close(), outbox?.close(), logouts.close()])
    await db.destroy()
  }
  const listening = await listen(app, config, surroundings.tls).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  giveBackMemory()

  return {
    addresses: listening.addresses,
    tenant,
    async close() {
      stopping = true
      await listening.close()
      await stop()
    },
  }
}

async function sweep(store: Store, tenant: LiveTenant, now: () => number, log: FastifyBaseLogger): Promise<void> {
  try {
    while ((await store.upkeep.sweep(now())) >= 1000) await new Promise((resolve) => setTimeout(resolve, 50))
  } catch (error) {
    log.error({ err: error }, 'what has ended could not be swept')
  }
  try {
    await tenant.rotateDueKeys()
  } catch (error) {
    log.error({ err: error }, 'the signing keys could not be rotated')
  }
}
