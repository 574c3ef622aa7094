/** Owns the tables, as Kysely sees them. Every row carries its tenant; instants ending in `_at` are milliseconds since 1970. */
import type { Generated } from 'kysely'

/** Text that holds JSON. */
type Json = string
/** SQLite has no boolean: 0 or 1. */
type Flag = number

export interface TenantTable {
  tenant: string
  settings: Json
  /** Grows with every change of configuration or keys, so that other processes know to read again. */
  version: Generated<number>
  created_at: number
  updated_at: number
}

export interface ClientTable {
  tenant: string
  client_id: string
  name: string
  settings: Json
  secret_hash: string | null
  /** Of a client that signs with its secret. */
  secret_sealed: string | null
  created_at: number
  updated_at: number
}

export interface ResourceServerTable {
  tenant: string
  id: string
  identifier: string
  settings: Json
  /** Of an HS256 API alone; sealed. */
  signing_secret: string | null
  created_at: number
  updated_at: number
}

export interface ConnectionTable {
  tenant: string
  id: string
  name: string
  strategy: string
  settings: Json
  created_at: number
  updated_at: number
}

export interface ClientGrantTable {
  tenant: string
  id: string
  client_id: string
  audience: string
  settings: Json
  created_at: number
  updated_at: number
}

export interface RuleTable {
  tenant: string
  id: string
  name: string
  settings: Json
  created_at: number
  updated_at: number
}

export interface RulesConfigTable {
  tenant: string
  config_key: string
  sealed_value: string
  created_at: number
  updated_at: number
}

export interface UserTable {
  tenant: string
  user_id: string
  connection: string
  email: string | null
  email_verified: Flag
  username: string | null
  password_hash: string | null
  blocked: Flag
  profile: Json
  logins_count: Generated<number>
  last_login_at: number | null
  last_ip: string | null
  password_changed_at: number | null
  created_at: number
  updated_at: number
}

export interface FormerPasswordTable {
  tenant: string
  user_id: string
  replaced_at: number
  password_hash: string
}

export interface SessionTable {
  tenant: string
  session_id: string
  secret_hash: string
  silent_hash: string
  user_id: string
  /** Seconds since 1970, as the claim of the same name. */
  auth_time: number
  amr: Json
  created_at: number
  seen_at: number
  idle_ends_at: number
  ends_at: number
}

export interface GrantTable {
  tenant: string
  grant_id: string
  user_id: string
  client_id: string
  audience: string
  scope: string
  created_at: number
  updated_at: number
}

export interface TransactionTable {
  tenant: string
  state_hash: string
  browser_hash: string
  request: Json
  /** The session that signed in during this trip. */
  authenticated: string | null
  /** The session whose person chose this account on the account page. */
  account_chosen: string | null
  /** The session whose person said yes on the consent page. */
  consented: string | null
  /** What the rules said during this trip, as its owner wrote it. */
  rules: Json | null
  created_at: number
  ends_at: number
  taken_at: number | null
}

export interface AccessTokenTable {
  tenant: string
  token_hash: string
  client_id: string
  user_id: string
  session_id: string | null
  audience: Json
  scope: string
  issued_at: number
  ends_at: number
  /** What it was issued together with: revoking one revokes all. */
  lineage: string | null
  details: Json | null
}

export interface CodeTable {
  tenant: string
  code_hash: string
  lineage: string
  client_id: string
  authorization: Json
  created_at: number
  ends_at: number
  /** A used code stays for a while, so that its second use is seen. */
  kept_until: number
  used_at: number | null
}

/** Authorization requests that were pushed, sealed: they carry what a browser is not to see. */
export interface PushedRequestTable {
  tenant: string
  request_hash: string
  client_id: string
  request: string
  created_at: number
  ends_at: number
  kept_until: number
  used_at: number | null
}

/** One row for each family: the tokens that came one out of the other. */
export interface RefreshTokenTable {
  tenant: string
  family_id: string
  lineage: string
  client_id: string
  user_id: string
  /** Where the family lives only as long as the session. */
  session_id: string | null
  authorization: Json
  current_hash: string
  previous_hash: string | null
  /** The current token, which only the previous one opens. */
  successor: string | null
  rotated_at: number | null
  created_at: number
  idle_ends_at: number
  ends_at: number
  revoked_at: number | null
}

/** Ids of tokens that verify by themselves and yet count no more: a `jti`, or the lineage in it. */
export interface RevocationTable {
  tenant: string
  revoked_id: string
  ends_at: number
}

/** Kind `initial` lets clients register, kind `client` lets one change itself. */
export interface RegistrationTokenTable {
  tenant: string
  token_hash: string
  kind: string
  client_id: string | null
  uses_left: number | null
  created_at: number
  ends_at: number
}

/** Ids that strangers make up and that may be used once. */
export interface UsedIdTable {
  tenant: string
  id_hash: string
  ends_at: number
}

/** The clients that a session gave tokens to, of those that want to hear of its end. */
export interface SessionClientTable {
  tenant: string
  /** The session as the client's tokens name it. */
  sid: string
  client_id: string
  /** The session that ends it: another one once the person has signed in again. */
  session_id: string
  user_id: string
  issuer: string
  created_at: number
  ends_at: number
  attempts: Generated<number>
  /** Absent while the session lives. */
  next_attempt_at: number | null
  failure: string | null
}

export interface DeviceCodeTable {
  tenant: string
  device_code_hash: string
  user_code_hash: string
  client_id: string
  request: Json
  created_at: number
  ends_at: number
  /** What became of the code is told until then. */
  kept_until: number
  /** Seconds. */
  poll_interval: number
  next_poll_at: number
  /** 0 where the newest question came too early. */
  patient: Generated<number>
  decision: string | null
  decided_at: number | null
  authorization: Json | null
  used_at: number | null
}

/** Custom claims that `/userinfo` gives for an access token. */
export interface TokenClaimTable {
  tenant: string
  token_hash: string
  claims: Json
  ends_at: number
}

export interface TicketTable {
  tenant: string
  ticket_hash: string
  kind: string
  user_id: string
  details: Json
  created_at: number
  ends_at: number
  used_at: number | null
}

export interface SigningKeyTable {
  tenant: string
  kid: string
  alg: string
  state: string
  public_jwk: Json
  private_key: string
  created_at: number
  updated_at: number
}

export interface CounterTable {
  tenant: string
  counter_key: string
  count: number
  ends_at: number
}

export interface MailTable {
  tenant: string
  mail_id: string
  recipient: string
  kind: string
  subject: string
  /** The message, sealed: it carries a ticket. */
  message: string
  created_at: number
  sent_at: number | null
  attempts: Generated<number>
  next_attempt_at: number
  failure: string | null
}

export interface UsageTable {
  tenant: string
  client_id: string
  response_type: string
  day: string
  count: number
}

export interface SubjectTable {
  tenant: string
  sub: string
  sector: string
  user_id: string
  created_at: number
}

export interface Schema {
  tenants: TenantTable
  clients: ClientTable
  resource_servers: ResourceServerTable
  connections: ConnectionTable
  client_grants: ClientGrantTable
  rules: RuleTable
  rules_configs: RulesConfigTable
  users: UserTable
  former_passwords: FormerPasswordTable
  subjects: SubjectTable
  sessions: SessionTable
  grants: GrantTable
  transactions: TransactionTable
  access_tokens: AccessTokenTable
  token_claims: TokenClaimTable
  session_clients: SessionClientTable
  device_codes: DeviceCodeTable
  codes: CodeTable
  pushed_requests: PushedRequestTable
  refresh_tokens: RefreshTokenTable
  revocations: RevocationTable
  used_ids: UsedIdTable
  registration_tokens: RegistrationTokenTable
  tickets: TicketTable
  signing_keys: SigningKeyTable
  counters: CounterTable
  mails: MailTable
  usage: UsageTable
}
