/** Owns the revoking of everything that came of one code: refresh tokens, opaque access tokens, and JWTs by their id. */
import type { Context } from './context.ts'

/** Seconds; no access token lives longer. */
export const longestTokenLifetime = 2_592_000

/** @spec RFC 6749 §4.1.2 */
export async function revokeLineage(ctx: Context, lineage: string): Promise<void> {
  const now = ctx.now()
  await ctx.store.atomically(async (store) => {
    await store.refreshTokens.revokeLineage(lineage, now)
    await store.accessTokens.revokeLineage(lineage)
    await store.revocations.add(lineage, now + longestTokenLifetime * 1000)
  })
}

/** The id of a JWT: what is revoked as a whole stands in front. */
export function newTokenId(ctx: Context, lineage: string | undefined): string {
  const own = ctx.random(16)
  return lineage === undefined ? own : `${lineage}.${own}`
}

/**
 * What revoking an access token goes by: the id of a JWT; of an opaque token a value made of it. The ids of the tokens that it is
 * exchanged for begin with it.
 */
export function exchangedId(
  ctx: Context,
  { jti, lineage }: { readonly jti?: string; readonly lineage?: string },
  token: string,
): string {
  if (jti !== undefined) return jti
  const own = ctx.store.vault.derive('exchanged', token).slice(0, 22)
  return lineage === undefined ? own : `${lineage}.${own}`
}

/** True when a JWT with this id counts no more: by itself, with its lineage, or with a token that it was exchanged for. */
export async function isRevoked(ctx: Context, jti: string): Promise<boolean> {
  const parts = jti.split('.')
  if (await ctx.store.revocations.has(jti, parts[0] ?? '')) return true
  // Only exchanged tokens have more parts: each names the token before it.
  for (let length = 2; length < parts.length; length++) {
    const before = parts.slice(0, length).join('.')
    if (await ctx.store.revocations.has(before, before)) return true
  }
  return false
}
