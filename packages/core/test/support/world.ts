/** Owns the world of these tests: a real store in memory, real keys, a tenant, a clock that stands still until it is moved. */
import { randomBytes } from 'node:crypto'
import {
  type Client,
  type Connection,
  type Database,
  migrate,
  openDatabase,
  openStore,
  openVault,
  type ResourceServer,
  type SignedIn,
  type Store,
  type TenantSettings,
  type User,
} from '@latchkey/store'
import {
  type Context,
  ensureKeys,
  type Fetch,
  FetchError,
  indexConfiguration,
  openDocuments,
  readKeyRing,
} from '../../src/index.ts'

export const issuer = 'https://login.example.com/'
export const otherIssuer = 'http://localhost:8400/'
export const callback = 'https://app.example.com/callback'
export const start = 1_800_000_000_000

export function client(change: Partial<Client> = {}): Client {
  return {
    ...{ client_id: 'spa', name: 'App', app_type: 'spa', is_first_party: true, oidc_conformant: true },
    ...{ callbacks: [callback], web_origins: ['https://app.example.com'], allowed_origins: [] },
    ...{ allowed_logout_urls: [], grant_types: ['implicit'], token_endpoint_auth_method: 'none', client_metadata: {} },
    ...{ jwt_configuration: { lifetime_in_seconds: 36_000, alg: 'ES256' }, id_token_profile_claims: 'always' },
    ...change,
  }
}

export function api(change: Partial<ResourceServer> = {}): ResourceServer {
  return {
    ...{
      id: 'api',
      identifier: 'https://api.example.com/',
      name: 'API',
      scopes: [{ value: 'read:a' }, { value: 'write:a' }],
    },
    ...{ signing_alg: 'ES256', token_lifetime: 86_400, token_lifetime_for_web: 7200, allow_offline_access: false },
    ...{ skip_consent_for_verifiable_first_party_clients: true, token_dialect: 'access_token' },
    ...change,
  }
}

export const connection: Connection = {
  ...{ id: 'con', name: 'db', strategy: 'auth0', is_domain_connection: false, options: {} },
}

export interface Tenant {
  readonly settings?: TenantSettings
  readonly clients?: readonly Client[]
  readonly apis?: readonly ResourceServer[]
  readonly connections?: readonly Connection[]
}

export interface World {
  /** Of requests to `issuer`. */
  readonly ctx: Context
  readonly store: Store
  readonly db: Database
  advance(seconds: number): void
  signIn(user?: Partial<User>): Promise<SignedIn>
  /** The context with the keys, the configuration and the name that there are now. */
  reread(change?: Partial<Context>): Promise<Context>
  close(): Promise<void>
}

export async function openWorld(tenant: Tenant = {}): Promise<World> {
  const db = openDatabase('sqlite::memory:')
  await migrate(db)
  const store = openStore(db, 'tenant', openVault(['s'.repeat(32)]))
  let now = start
  await store.configuration.ensureTenant(now)
  await store.configuration.saveSettings(tenant.settings ?? {}, now)
  for (const one of tenant.clients ?? [client()]) await store.configuration.saveClient(one, now)
  for (const one of tenant.apis ?? [api()]) await store.configuration.saveResourceServer(one, now)
  for (const one of tenant.connections ?? [connection]) await store.configuration.saveConnection(one, now)
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  const first = indexConfiguration(await store.configuration.read(), () => [])
  // An RSA key takes its time: made where something signs with it.
  const algs = [...first.algorithms].filter((alg) => alg !== 'RS256' || signsWithRsa(tenant))
  await ensureKeys(store, algs, 'login.example.com', now)
  const reread = async (change: Partial<Context> = {}): Promise<Context> => ({
    ...{ tenant: 'tenant', issuer, issuers: [issuer, otherIssuer], store, random, now: () => now },
    configuration: indexConfiguration(await store.configuration.read(), () => []),
    keys: await readKeyRing(store),
    ...{ fetch: noNetwork, documents: openDocuments(noNetwork, () => now) },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...change,
  })
  return {
    ...{ ctx: await reread(), store, db, reread },
    advance(seconds) {
      now += seconds * 1000
    },
    async signIn(change = {}) {
      const user_id = change.user_id ?? `auth0|${random(6)}`
      const profile = { name: 'Ada Lovelace', given_name: 'Ada' }
      const person = { user_id, connection: 'db', email: `${random(6)}@example.com`, email_verified: true, profile }
      await store.users.create({ ...person, ...change }, now)
      const secret = random(32)
      const session = { session_id: random(8), secret, silent_secret: random(32), user_id, auth_time: now / 1000 }
      await store.sessions.create({ ...session, amr: ['pwd'], idle_ends_at: now + 1e9, ends_at: now + 1e9 }, now)
      const found = await store.sessions.find(secret, now)
      if (found === undefined) throw new Error('The session that was just made is gone')
      return found
    },
    close: () => db.destroy(),
  }
}

/** A test that asks others brings its own fetcher. */
const noNetwork: Fetch = async (url) => {
  throw new FetchError('refused', `${url}: there is no network in this test`)
}

function signsWithRsa({ clients = [], apis = [] }: Tenant): boolean {
  const algs = [...clients.map((one) => one.jwt_configuration.alg), ...apis.map((one) => one.signing_alg)]
  return algs.some((alg) => alg === 'RS256')
}

/** The header and the claims of a JWT, unchecked. */
export function decode(jwt: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = jwt.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  return { header: read(header), claims: read(claims) }
}

/** The code of the error that a call ends with; `none` when it does not. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
