/** Owns applying a tenant file from the disk. */
import { readFileSync } from 'node:fs'
import type { Store } from '@latchkey/store'
import { type Config, loadKeywords } from '../config.ts'
import { filesBeside, type Plan, planTenant } from '../tenant_file/index.ts'
import { AdministrationError, type Source } from './open.ts'
import { withPasswords } from './passwords.ts'

export interface ApplyOptions extends Source {
  /** Plan, and change nothing. */
  readonly dry_run?: boolean
}

/**
 * Brings the tenant to what a file says.
 * @returns the plan, which was carried out unless this is a dry run
 * @throws TenantFileError with every problem of the file
 * @throws AdministrationError when the file cannot be read
 */
export function applyTenantFile(config: Config, store: Store, file: string, options: ApplyOptions): Promise<Plan> {
  const { now, random, dry_run = false } = options
  const text = readText(file)
  return withPasswords(config, async (passwords) => {
    const read_file = filesBeside(file)
    const keywords = loadKeywords(config)
    const plan = await planTenant(text, { file, read_file, keywords, store, now, random, passwords })
    if (!dry_run) await plan.apply()
    return plan
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'there is no such file' : cause
    throw new AdministrationError(`The tenant file ${file} cannot be read: ${reason}.`, { cause })
  }
}
