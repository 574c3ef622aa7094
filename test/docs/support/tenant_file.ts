/** Owns the judgement of a tenant file on a page: it must apply to an empty tenant, with nothing ignored and nothing to warn of. */
import { randomBytes } from 'node:crypto'
import { openAdministration } from '@latchkey/server/administration'
import { loadConfig } from '@latchkey/server/config'
import { planTenant } from '@latchkey/server/tenant_file'

const passwords = { hash: async () => '', verify: async () => ({ ok: false, rehash: false }) }

/** @returns a line for everything that the loader has to say */
export async function judgeTenantFile(text: string): Promise<readonly string[]> {
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  const config = loadConfig('apply', { database: 'sqlite::memory:' }, {})
  const { store, close } = await openAdministration(config, 'make', { now: Date.now, random })
  try {
    const options = { store, passwords, now: Date.now, random, keywords: {} }
    const { warnings, ignored, changes } = await planTenant(text, options)
    if (changes.length === 0) return ['The file changes nothing']
    return [
      ...warnings.map(({ path, sentence }) => `${path}: ${sentence}`),
      ...ignored.map(({ path }) => `${path} is ignored`),
    ]
  } finally {
    await close()
  }
}
