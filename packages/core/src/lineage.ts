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

/** True when a JWT with this id counts no more, by itself or with its lineage. */
export function isRevoked(ctx: Context, jti: string): Promise<boolean> {
  return ctx.store.revocations.has(jti, jti.split('.')[0] ?? '')
}
