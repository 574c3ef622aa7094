/**
 * What an administrator does to a tenant without a running server: applying a tenant file, rotating keys, adding a user. A server that
 * runs meanwhile sees the change by itself. Knows no command line and prints nothing.
 */
export { type ApplyOptions, applyTenantFile } from './apply.ts'
export { type RotatedKey, rotateSigningKeys } from './keys.ts'
export {
  type Administration,
  AdministrationError,
  migrateDatabase,
  type Opening,
  openAdministration,
  type Source,
} from './open.ts'
export { createUser, findUser, type NewPerson } from './users.ts'
