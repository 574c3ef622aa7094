/** Owns what every aggregate of a tenant is made from: the database, the tenant's name, the server secret. */
import type { Database } from './database.ts'
import type { Vault } from './vault.ts'

export interface Scope {
  readonly db: Database
  readonly tenant: string
  readonly vault: Vault
}
