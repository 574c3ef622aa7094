/** Owns the list of migrations, in the order they run. */
import type { Migration } from 'kysely/migration'
import * as first from './0001_first.ts'

export const migrations: Record<string, Migration> = { '0001_first': first }
