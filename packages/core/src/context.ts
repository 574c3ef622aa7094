/** Owns the one small value that every step gets: whose request this is, and the clock, randomness, store and keys to serve it with. */
import type { Store } from '@latchkey/store'
import type { TenantConfiguration } from './configuration.ts'
import type { Documents } from './documents.ts'
import type { Fetch } from './outbound.ts'
import type { CheckPassword } from './password_check.ts'
import type { MutualTls } from './proofs/client_certificate.ts'
import type { RunRules } from './rules/rules.ts'
import type { KeyRing } from './tokens/key_ring.ts'

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface Context {
  readonly tenant: string
  /** The name of the server that this request was sent to, with its trailing slash. */
  readonly issuer: string
  /** Every name of this tenant; the first is the canonical one. */
  readonly issuers: readonly string[]
  readonly store: Store
  readonly configuration: TenantConfiguration
  readonly keys: KeyRing
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes as base64url. */
  readonly random: (bytes: number) => string
  readonly log: Log
  /** The one way out: guarded, see its options. */
  readonly fetch: Fetch
  /** What others publish, kept in memory. */
  readonly documents: Documents
  /** Absent where no connection brings a client's certificate. */
  readonly mtls?: MutualTls
  /** For the grants that bring a password. */
  readonly checkPassword?: CheckPassword
  /** Absent in a tenant where no rule is switched on. */
  readonly rules?: RunRules
}

/** Seconds since 1970, as JWT claims count. */
export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
