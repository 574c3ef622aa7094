/** Owns the world of these tests: a real store in memory, real password workers, a clock that stands still until it is moved, the mails. */
import { randomBytes } from 'node:crypto'
import { type Fetch, FetchError, indexConfiguration, openDocuments, readKeyRing } from '@latchkey/core'
import {
  type Connection,
  type ConnectionOptions,
  type Database,
  migrate,
  openDatabase,
  openStore,
  openVault,
  type TenantSettings,
  type User,
} from '@latchkey/store'
import { type IdentityContext, openPasswords } from '../../src/index.ts'

export const start = 1_800_000_000_000
export const issuer = 'https://login.example.com/'

export interface Mail {
  readonly kind: string
  readonly to: string | undefined
  readonly path: string
  readonly ticket: string
}

export interface World {
  readonly ctx: IdentityContext
  readonly mails: Mail[]
  readonly db: Database
  advance(milliseconds: number): void
  /** The context after the tenant's settings have changed. */
  configure(settings: TenantSettings): Promise<IdentityContext>
  addUser(user?: Partial<User>): Promise<User>
  close(): Promise<void>
}

export function database(options: ConnectionOptions = {}, name = 'db'): Connection {
  return { id: name, name, strategy: 'auth0', is_domain_connection: false, options }
}

export async function openWorld(connections: readonly Connection[] = [database()]): Promise<World> {
  const db = openDatabase('sqlite::memory:')
  await migrate(db)
  const store = openStore(db, 'tenant', openVault(['s'.repeat(32)]))
  const passwords = openPasswords({ threads: 1 })
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  const mails: Mail[] = []
  let now = start
  await store.configuration.ensureTenant(now)
  for (const one of connections) await store.configuration.saveConnection(one, now)
  const configure = async (settings: TenantSettings): Promise<IdentityContext> => {
    await store.configuration.saveSettings(settings, now)
    return {
      ...{ tenant: 'tenant', issuer, issuers: [issuer], store, random, now: () => now, passwords },
      configuration: indexConfiguration(await store.configuration.read(), () => []),
      keys: await readKeyRing(store),
      ...{ fetch: noNetwork, documents: openDocuments(noNetwork, () => now) },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      per_address: { failures_per_day: 50, signups_per_minute: 5, trips_per_hour: 4 },
      async post(kind, user, path) {
        mails.push({ kind, to: user.email, path, ticket: new URL(path, issuer).searchParams.get('ticket') ?? '' })
      },
    }
  }
  return {
    ...{ ctx: await configure({}), db, mails, configure },
    advance(milliseconds) {
      now += milliseconds
    },
    async addUser(change = {}) {
      const user_id = change.user_id ?? `auth0|${random(6)}`
      const person = {
        user_id,
        connection: 'db',
        email: `${random(6)}@example.com`,
        email_verified: false,
        profile: {},
      }
      await store.users.create({ ...person, ...change }, now)
      const user = await store.users.find(user_id)
      if (user === undefined) throw new Error('The user who was just made is gone')
      return user
    },
    async close() {
      await passwords.close()
      await db.destroy()
    },
  }
}

const noNetwork: Fetch = async (url) => {
  throw new FetchError('refused', `${url}: there is no network in this test`)
}
