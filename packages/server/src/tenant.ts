/** Owns a tenant while the server runs: its configuration and keys in memory, read again when another process has changed them. */
import {
  type Documents,
  ensureKeys,
  type Fetch,
  indexConfiguration,
  type KeyRing,
  type Log,
  type MutualTls,
  readKeyRing,
  rotateDueKeys,
  type TenantConfiguration,
} from '@latchkey/core'
import { type AddressLimits, type IdentityContext, type MailKind, type Passwords, password } from '@latchkey/identity'
import type { Store, User } from '@latchkey/store'
import { originsOf } from './origins.ts'
import { type ClientDocuments, openClientDocuments } from './registration/client_documents.ts'
import type { Rules } from './rules/rules.ts'

/** Milliseconds after which a change by another process is looked for. */
const freshness = 500

export interface TenantOptions {
  readonly tenant: string
  /** With trailing slashes; the first is canonical. */
  readonly issuers: readonly string[]
  readonly store: Store
  readonly passwords: Passwords
  readonly now: () => number
  readonly random: (bytes: number) => string
  readonly log: Log
  readonly rules: Rules
  readonly fetch: Fetch
  readonly documents: Documents
  readonly mtls?: MutualTls | undefined
  readonly per_address: AddressLimits | undefined
  /** Days that a key signs; 0 is until somebody rotates it. */
  readonly key_rotation_days?: number
  readonly post: (
    ctx: IdentityContext,
    kind: MailKind,
    user: User,
    path: string,
    locale: string | undefined,
  ) => Promise<void>
}

export interface LiveTenant {
  readonly store: Store
  readonly issuers: readonly string[]
  /** The clients whose id is an address. */
  readonly clientDocuments: ClientDocuments
  /** The context of a request sent to one of the tenant's names. */
  context(issuer: string): IdentityContext
  /** Looks for changes if it is time; requests call it first. */
  refresh(): Promise<void> | undefined
  /** Replaces the signing keys whose time is over. */
  rotateDueKeys(): Promise<void>
  /** Reads everything again now. */
  reload(): Promise<void>
}

/** Reads the tenant, and makes the signing keys that its clients and APIs need. */
export async function openTenant(options: TenantOptions): Promise<LiveTenant> {
  const { store, issuers, now } = options
  const [canonical = ''] = issuers
  const contexts = new Map<string, IdentityContext>()
  const clientDocuments = openClientDocuments()
  let looked_at = now()
  let version = -1

  async function reload(): Promise<void> {
    const configuration = indexConfiguration(await store.configuration.read(), originsOf, clientDocuments)
    await ensureKeys(store, configuration.algorithms, new URL(canonical).hostname, now())
    install(configuration, await readKeyRing(store))
    looked_at = now()
  }

  function install(configuration: TenantConfiguration, keys: KeyRing): void {
    version = configuration.version
    const { rules: scripts, rules_configuration } = configuration
    const set = { scripts, configuration: rules_configuration }
    for (const issuer of issuers) {
      const { tenant, passwords, random, log, per_address, fetch, documents, mtls } = options
      const ctx: IdentityContext = {
        ...{ tenant, issuer, issuers, store, configuration, keys, now, random, log, passwords, per_address },
        ...{ fetch, documents },
        ...(mtls === undefined ? {} : { mtls }),
        ...(scripts.length === 0 ? {} : { rules: (input) => options.rules.run(set, input) }),
        checkPassword: (attempt) => password.verify(ctx, attempt),
        post: (kind, user, path, locale) => options.post(ctx, kind, user, path, locale),
      }
      contexts.set(issuer, ctx)
    }
  }

  async function look(): Promise<void> {
    if ((await store.configuration.version()) !== version) await reload()
  }

  await reload()
  return {
    store,
    issuers,
    reload,
    async rotateDueKeys() {
      const days = options.key_rotation_days ?? 0
      if (days === 0) return
      const rotated = await rotateDueKeys(store, days, new URL(canonical).hostname, now())
      for (const key of rotated) options.log.info(key, 'a signing key was replaced by the next one')
      if (rotated.length > 0) await reload()
    },
    clientDocuments,
    context(issuer) {
      const ctx = contexts.get(issuer)
      if (ctx === undefined) throw new Error(`${issuer} is not a name of this tenant`)
      return ctx
    },
    refresh() {
      if (Math.abs(now() - looked_at) < freshness) return undefined
      looked_at = now()
      return look()
    },
  }
}
