/** Owns what an administrator does to a running tenant in the middle of a test. */
import type { Latchkey } from './latchkey.ts'
import { connection } from './tenant.ts'

/** Rotates the signing keys as `latchkey keys rotate` does. @returns the kids that sign now, by algorithm */
export async function rotateKeys({ tenant, issuer }: Latchkey): Promise<Readonly<Record<string, string>>> {
  const { rotateSigningKeys } = await import('@latchkey/server/administration')
  const { loadConfig } = await import('@latchkey/server/config')
  const config = loadConfig('keys', { issuer }, {})
  const rotated = await rotateSigningKeys(config, tenant.store, { now: Date.now })
  await tenant.reload()
  return Object.fromEntries(rotated.map(({ alg, kid }) => [alg, kid]))
}

/** Takes back everything a person has allowed, as `latchkey grants revoke` does. @returns how many grants there were */
export async function revokeGrants({ tenant }: Latchkey, email: string): Promise<number> {
  const user = await tenant.store.users.findByEmail(connection, email)
  const grants = await tenant.store.grants.list(user?.user_id ?? '')
  for (const { grant_id } of grants) await tenant.store.grants.revoke(grant_id)
  return grants.length
}

/** What a person has allowed a client, by audience. */
export async function grantsOf(
  { tenant }: Latchkey,
  email: string,
  client_id: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const user = await tenant.store.users.findByEmail(connection, email)
  const grants = await tenant.store.grants.list(user?.user_id ?? '')
  return Object.fromEntries(
    grants.filter((one) => one.client_id === client_id).map(({ audience, scope }) => [audience, scope]),
  )
}
