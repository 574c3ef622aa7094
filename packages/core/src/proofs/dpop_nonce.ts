/** Owns the nonces of DPoP proofs: derived from the server's secret and the time, so that none is stored. */
import { equal } from '@latchkey/store'
import type { Context } from '../context.ts'

/** Milliseconds that one nonce is handed out; it counts for as long again. */
const lasts = 300_000

/**
 * The nonce to use from now on.
 * @spec RFC 9449 §8
 */
export function dpopNonce(ctx: Pick<Context, 'store' | 'tenant' | 'now'>): string {
  return nonceOf(ctx, Math.floor(ctx.now() / lasts))
}

/** The present nonce counts, and the one before it, which is on its way still. @spec RFC 9449 §8.2 */
export function isDpopNonce(ctx: Pick<Context, 'store' | 'tenant' | 'now'>, nonce: string): boolean {
  const window = Math.floor(ctx.now() / lasts)
  return [window, window - 1].map((one) => equal(nonceOf(ctx, one), nonce)).includes(true)
}

function nonceOf({ store, tenant }: Pick<Context, 'store' | 'tenant'>, window: number): string {
  return store.vault.derive('dpop nonce', `${tenant} ${window}`)
}
