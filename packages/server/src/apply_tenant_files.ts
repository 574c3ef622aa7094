/** Owns applying tenant files at the start of a server. */
import { readFileSync } from 'node:fs'
import type { Log } from '@latchkey/core'
import type { Passwords } from '@latchkey/identity'
import type { Store } from '@latchkey/store'
import { type Config, loadKeywords } from './config.ts'

export interface Surroundings {
  readonly store: Store
  readonly passwords: Passwords
  readonly now: () => number
  readonly random: (bytes: number) => string
  readonly log: Log
}

/**
 * Brings the tenant to what the files of `apply` say. The loader is only read where there is a file.
 * @throws TenantFileError with every problem in a file; then nothing of it is applied
 */
export async function applyTenantFiles(
  config: Pick<Config, 'apply' | 'env' | 'define'>,
  { log, ...options }: Surroundings,
): Promise<void> {
  if (config.apply.length === 0) return
  const { filesBeside, planTenant } = await import('./tenant_file/index.ts')
  const keywords = loadKeywords(config)
  for (const file of config.apply) {
    const plan = await planTenant(readFileSync(file, 'utf8'), {
      file,
      read_file: filesBeside(file),
      keywords,
      ...options,
    })
    await plan.apply()
    const ignored = plan.ignored.map(({ path }) => path)
    log.info({ file, changes: plan.changes.length, ignored }, 'tenant file applied')
    for (const warning of plan.warnings) log.warn({ file, warning }, 'tenant file: warning')
  }
}
