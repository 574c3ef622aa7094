/**
 * What Latchkey remembers, over SQLite. Owns the schema, the migrations and every query; knows nothing of protocols or pages.
 */
export * from './access_tokens.ts'
export * from './configuration.ts'
export * from './counters.ts'
export { type Database, DatabaseError, migrate, openDatabase, pendingMigrations } from './database.ts'
export * from './grants.ts'
export * from './mails.ts'
export * from './rules.ts'
export type { Scope } from './scope.ts'
export * from './sessions.ts'
export * from './signing_keys.ts'
export { type Aggregates, openStore, type Store } from './store.ts'
export * from './tickets.ts'
export * from './token_claims.ts'
export * from './transactions.ts'
export * from './users.ts'
export { equal, openVault, type Vault } from './vault.ts'
