/** Owns the tenant as it would be once the file is applied, while the file is being read. */
import type {
  Client,
  ClientGrant,
  Configuration,
  Connection,
  ResourceServer,
  Rule,
  RulesConfig,
  Store,
  TenantSettings,
} from '@latchkey/store'
import { changedFields, type PlannedChange } from './change.ts'
import type { Keywords } from './keyword_sources.ts'
import type { ReadFile } from './script_files.ts'

/** Hashing and verifying of passwords, as identity's workers do it. */
export interface PasswordWork {
  hash(password: string): Promise<string>
  verify(encoded: string, password: string): Promise<{ readonly ok: boolean }>
}

export interface DraftOptions {
  readonly store: Store
  /** Random bytes as base64url. */
  readonly random: (bytes: number) => string
  readonly passwords: PasswordWork
  readonly keywords: Keywords
  /** Reads the files that the tenant file names; without it there are none. */
  readonly read_file?: ReadFile
  /** Whether a user who is there already is brought to what the file says, or left alone. */
  readonly existing_users: 'update' | 'keep'
}

export interface Draft extends DraftOptions {
  settings: TenantSettings
  /** By id. */
  readonly clients: Map<string, Client>
  /** By identifier. */
  readonly resource_servers: Map<string, ResourceServer>
  /** By name. */
  readonly connections: Map<string, Connection>
  /** By client id and audience. */
  readonly client_grants: Map<string, ClientGrant>
  /** By name. */
  readonly rules: Map<string, Rule>
  /** By key. */
  readonly rules_configs: Map<string, RulesConfig>
  /** Names that the file gives to a record with problems of its own: a reference to one is no second problem. */
  readonly broken: Set<string>
  /** Records that the file has named already, so that it names each once. */
  readonly named: Set<string>
  readonly changes: PlannedChange[]
}

export function newDraft(configuration: Configuration, options: DraftOptions): Draft {
  return {
    ...options,
    settings: configuration.settings,
    clients: new Map(configuration.clients.map((one) => [one.client_id, one])),
    resource_servers: new Map(configuration.resource_servers.map((one) => [one.identifier, one])),
    connections: new Map(configuration.connections.map((one) => [one.name, one])),
    client_grants: new Map(configuration.client_grants.map((one) => [grantKey(one.client_id, one.audience), one])),
    rules: new Map(configuration.rules.map((one) => [one.name, one])),
    rules_configs: new Map(configuration.rules_configs.map((one) => [one.key, one])),
    broken: new Set(),
    named: new Set(),
    changes: [],
  }
}

export function grantKey(client_id: string, audience: string): string {
  return `${client_id} ${audience}`
}

/** True the first time that the file names this record. */
export function nameOnce(draft: Draft, kind: string, name: string): boolean {
  const key = `${kind} ${name}`
  if (draft.named.has(key)) return false
  draft.named.add(key)
  return true
}

/** A record that is written when the plan is carried out, unless nothing of it changes. */
export interface Put<T extends object> extends Pick<PlannedChange, 'kind' | 'name' | 'id' | 'prepare' | 'write'> {
  readonly before: T | undefined
  readonly after: T
  /** Fields whose values are never shown. */
  readonly hidden?: readonly string[]
  /** Changes that the record itself does not show, such as a secret that is stored as a hash. */
  readonly unseen?: readonly string[]
}

export function put<T extends object>(draft: Draft, { before, after, hidden, unseen = [], ...change }: Put<T>): void {
  if (before === undefined) {
    draft.changes.push({ ...change, action: 'create' })
    return
  }
  const fields = [...changedFields(before, after, hidden), ...unseen.map((name) => ({ name }))]
  if (fields.length > 0) draft.changes.push({ ...change, action: 'update', fields })
}

/** The clients with this name, but for those that registered themselves and took it; an id names one too, as in an export. */
export function clientsNamed(draft: Draft, name: string): readonly Client[] {
  const byId = draft.clients.get(name)
  if (byId !== undefined) return [byId]
  return [...draft.clients.values()].filter((one) => one.name === name && one.registration === undefined)
}
