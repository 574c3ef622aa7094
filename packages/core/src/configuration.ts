/** Owns the configuration of a tenant as requests read it: in memory, indexed, with every default filled in. */
import type {
  Client,
  ClientGrant,
  Configuration,
  Connection,
  ResourceServer,
  Rule,
  TenantSettings,
} from '@latchkey/store'
import { servedClient } from './switched_off.ts'
import { signingAlgsOf } from './tokens/for_client.ts'

export interface TenantConfiguration {
  readonly version: number
  readonly settings: TenantSettings
  /** As it is served: without what the tenant has switched off. */
  client(client_id: string): Client | undefined
  resourceServer(identifier: string): ResourceServer | undefined
  connection(name: string): Connection | undefined
  /** What a client may do at an API for itself. */
  clientGrant(client_id: string, audience: string): ClientGrant | undefined
  /** The connections that people of a client may sign in with, by name. */
  connectionsOf(client: Client): readonly Connection[]
  readonly connections: readonly Connection[]
  /** As they were configured. */
  readonly clients: readonly Client[]
  readonly resourceServers: readonly ResourceServer[]
  /** The rules that are switched on, in the order they run. */
  readonly rules: readonly Rule[]
  /** What rules read as `configuration`. */
  readonly rules_configuration: Readonly<Record<string, string>>
  /** Origins that may call this server from a browser: those of every client. */
  readonly origins: { has(origin: string): boolean }
  /** Every algorithm that something is signed with for a client or an API, or encrypted with by a client. */
  readonly algorithms: ReadonlySet<string>
}

/** Clients that are not configured: they publish what they are. */
export interface ClientsElsewhere {
  find(client_id: string): Client | undefined
  hasOrigin(origin: string): boolean
}

const nowhere: ClientsElsewhere = { find: () => undefined, hasOrigin: () => false }

export function indexConfiguration(
  read: Configuration,
  originsOf: (client: Client) => readonly string[],
  elsewhere: ClientsElsewhere = nowhere,
): TenantConfiguration {
  const origins = new Set(read.clients.flatMap(originsOf))
  const clients = new Map(read.clients.map((one) => [one.client_id, servedClient(read.settings, one)]))
  const publishedClient = (client_id: string) => {
    const found = elsewhere.find(client_id)
    return found === undefined ? undefined : servedClient(read.settings, found)
  }
  const apis = new Map(read.resource_servers.map((one) => [one.identifier, one]))
  const clientGrants = new Map(read.client_grants.map((one) => [`${one.client_id} ${one.audience}`, one]))
  const connections = new Map(read.connections.map((one) => [one.name, one]))
  return {
    version: read.version,
    settings: read.settings,
    client: (client_id) => clients.get(client_id) ?? publishedClient(client_id),
    resourceServer: (identifier) => apis.get(identifier),
    connection: (name) => connections.get(name),
    clientGrant: (client_id, audience) => clientGrants.get(`${client_id} ${audience}`),
    connectionsOf: (client) =>
      read.connections.filter(
        (one) =>
          one.enabled_clients === undefined ||
          one.enabled_clients.includes(client.client_id) ||
          // Who registers himself is on nobody's list.
          (one.is_domain_connection && !client.is_first_party),
      ),
    connections: read.connections,
    clients: read.clients,
    resourceServers: read.resource_servers,
    rules: read.rules.filter((one) => one.enabled),
    rules_configuration: Object.fromEntries(read.rules_configs.map(({ key, value }) => [key, value])),
    origins: { has: (origin) => origins.has(origin) || elsewhere.hasOrigin(origin) },
    algorithms: new Set([
      'RS256',
      ...read.clients.flatMap(signingAlgsOf),
      ...read.clients.flatMap((one) => one.request_object_encryption_alg ?? []),
      ...read.resource_servers.map((one) => one.signing_alg).filter((alg) => alg !== 'HS256'),
    ]),
  }
}
