/** Owns opening a tenant's database for a command. */
import { existsSync } from 'node:fs'
import { migrate, openDatabase, openStore, openVault, pendingMigrations, type Store } from '@latchkey/store'
import type { Config } from '../config.ts'
import { serverSecrets } from '../secret_file.ts'

/** Something that cannot be done; the message says what to change. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError'
}

/** Where time and chance come from. */
export interface Source {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes as base64url. */
  readonly random: (bytes: number) => string
}

/**
 * `make` makes a database that is not there and brings an old one up to date; `find` refuses one that is not there, as a slip of the
 * pen; `look` writes nothing at all.
 */
export type Opening = 'make' | 'find' | 'look'

export interface Administration {
  readonly store: Store
  close(): Promise<void>
}

/**
 * Opens the database of a configuration.
 * @throws AdministrationError when it is not there and may not be made, or would have to be migrated first
 * @throws DatabaseError when it cannot be opened
 */
export async function openAdministration(config: Config, opening: Opening, source: Source): Promise<Administration> {
  const isThere = fileOf(config) === undefined || existsSync(fileOf(config) ?? '')
  if (opening === 'find' && !isThere)
    throw new AdministrationError(
      `There is no database at ${fileOf(config)}: name the right one with --database, or make it with "latchkey apply".`,
    )
  const isEmpty = opening === 'look' && !isThere
  const used = isEmpty ? { ...config, database: 'sqlite::memory:' } : config
  const db = openDatabase(used.database)
  try {
    const store = openStore(db, config.tenant, openVault(serverSecrets(used, source.random)))
    if (opening === 'look' && !isEmpty && (await pendingMigrations(db)).length > 0)
      throw new AdministrationError('The database is of an older version: bring it up to date with "latchkey migrate".')
    if (opening !== 'look' || isEmpty) {
      await migrate(db)
      await store.configuration.ensureTenant(source.now())
    }
    return { store, close: () => db.destroy() }
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/**
 * Makes or updates the database of a configuration.
 * @returns the names of the migrations that ran
 */
export async function migrateDatabase(config: Config): Promise<readonly string[]> {
  const db = openDatabase(config.database)
  try {
    return await migrate(db)
  } finally {
    await db.destroy()
  }
}

function fileOf({ database }: Config): string | undefined {
  const file = database.slice('sqlite:'.length)
  return file === ':memory:' ? undefined : file
}
