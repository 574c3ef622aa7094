/**
 * Owns clients whose id is an address: what they publish there is read as their registration, kept in memory as long as its headers say,
 * and read again after that.
 */
import { type Document, FetchError, signingAlgsOf } from '@latchkey/core'
import { addressBucket, type IdentityContext } from '@latchkey/identity'
import { isLoopbackHost, OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { originsOf } from '../origins.ts'
import { readMetadata } from './lazy_metadata.ts'

export interface ClientDocuments {
  /** The client of an address that was read before. */
  find(client_id: string): Client | undefined
  /** True for the origin of a page of such a client. */
  hasOrigin(origin: string): boolean
  /**
   * Reads what a client publishes, unless it is no address or was read lately.
   * @param ip of who names a client that nobody has named before: a stranger makes the server look at so many addresses, and no more
   * @throws OAuthError `invalid_client` when it cannot be used, `too_many_requests`
   */
  read(ctx: IdentityContext, client_id: string, ip?: string): Promise<void>
}

interface Known {
  readonly document: Document
  readonly client: Client
  readonly origins: readonly string[]
}

/** Clients in memory; the one that was not used for longest goes first. */
const mostClients = 500

export function openClientDocuments(): ClientDocuments {
  const known = new Map<string, Known>()
  return {
    find: (client_id) => known.get(client_id)?.client,
    hasOrigin: (origin) => [...known.values()].some(({ origins }) => origins.includes(origin)),
    async read(ctx, client_id, ip) {
      if (!isAddress(client_id)) return
      if (ctx.configuration.settings.client_id_metadata_documents?.enabled !== true) return known.clear()
      const before = known.get(client_id)
      if (before === undefined && ip !== undefined) await countLook(ctx, ip)
      try {
        // Until it is read, requests that are under way go on with the one before.
        const document = await fetchDocument(ctx, client_id)
        const client = document === before?.document ? before.client : await clientOf(ctx, client_id, document)
        known.delete(client_id)
        known.set(client_id, { document, client, origins: originsOf(client) })
      } catch (error) {
        known.delete(client_id)
        throw error
      }
      for (const oldest of known.keys()) {
        if (known.size <= mostClients) break
        known.delete(oldest)
      }
    },
  }
}

async function countLook(ctx: IdentityContext, ip: string): Promise<void> {
  if (ctx.per_address === undefined) return
  const { count } = await ctx.store.counters.add(`client document ${addressBucket(ip)}`, 60_000, ctx.now())
  if (count > ctx.per_address.signups_per_minute)
    throw new OAuthError('too_many_requests', 'Too many client metadata documents were named from this address')
}

/** True for a client id that is looked up by reading it. */
export function isAddress(client_id: string): boolean {
  return /^https?:\/\//.test(client_id)
}

async function fetchDocument(ctx: IdentityContext, client_id: string): Promise<Document> {
  const problem = addressProblem(client_id) ?? hostProblem(ctx, client_id)
  if (problem !== undefined) throw unusable(client_id, problem)
  try {
    return await ctx.documents.read(client_id, { accept: ['application/json', 'application/*+json'] })
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    throw unusable(client_id, error.message, error)
  }
}

/** The address is compared byte for byte wherever the client is named, so it must be written in its one normal form. */
function addressProblem(client_id: string): string | undefined {
  if (client_id.length > 2000 || !/^[\x21-\x7e]+$/.test(client_id) || !URL.canParse(client_id))
    return 'It is no address.'
  const url = new URL(client_id)
  if (url.href !== client_id) return `It must be written as ${url.href}.`
  if (url.hash !== '' || url.username !== '' || url.password !== '') return 'It has a fragment or a user name.'
  if (url.pathname === '/' || /(^|\/)\.{1,2}(\/|$)/.test(url.pathname)) return 'It needs a path of its own.'
  // The fetcher refuses plain http as well, unless an option allows this very host.
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) return 'It must be https.'
  return undefined
}

function hostProblem({ configuration }: IdentityContext, client_id: string): string | undefined {
  const { allowed_hosts, denied_hosts = [] } = configuration.settings.client_id_metadata_documents ?? {}
  const { host } = new URL(client_id)
  const listed = (list: readonly string[]) =>
    list.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : host === one))
  if (listed(denied_hosts)) return `The host ${host} is among the denied_hosts of the tenant.`
  if (allowed_hosts !== undefined && !listed(allowed_hosts)) return `The host ${host} is not among the allowed_hosts.`
  return undefined
}

async function clientOf(ctx: IdentityContext, client_id: string, { text }: Document): Promise<Client> {
  const given = parse(client_id, text)
  if (given.client_id !== client_id) throw unusable(client_id, 'The document must name itself as client_id.')
  const method = given.token_endpoint_auth_method ?? 'none'
  // What anybody can read is no place for a secret.
  if ('client_secret' in given || (typeof method === 'string' && method.startsWith('client_secret_')))
    throw unusable(client_id, 'A published client can share no secret: use none or private_key_jwt.')
  const issued_at = Math.floor(ctx.now() / 1000)
  try {
    const metadata = { ...given, token_endpoint_auth_method: method }
    const client = await readMetadata(ctx, metadata, { client_id, by: 'document', issued_at })
    const missing = signingAlgsOf(client).find((alg) => !ctx.keys.algorithms.includes(alg))
    if (missing !== undefined) throw unusable(client_id, `This tenant has no keys for ${missing}.`)
    return { ...client, client_id, grant_types: client.grant_types.filter((type) => type !== 'implicit') }
  } catch (error) {
    if (error instanceof OAuthError && error.code !== 'invalid_client')
      throw unusable(client_id, error.description, error)
    throw error
  }
}

function parse(client_id: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(text)
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw unusable(client_id, 'The document is not a JSON object.')
}

/** What exactly is wrong is for the log and the developer: a stranger could map a network with it. */
function unusable(client_id: string, reason: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_client', 'The client metadata document at client_id cannot be used', {
    ...(cause === undefined ? {} : { cause }),
    explanation: {
      summary: `${client_id.slice(0, 300)}: ${reason}`,
      fix: 'Publish the metadata as application/json at exactly the address that is sent as client_id.',
      setting: 'tenant.client_id_metadata_documents',
    },
  })
}
