/** Owns the brake on guessing user codes of devices: counted before a guess is judged, for its browser and for its network address. */
import { addressBucket } from './addresses.ts'
import type { IdentityContext } from './context.ts'

/** Milliseconds: as long as a code lives. */
const window = 900_000
const wrongPerBrowser = 10
const wrongPerAddress = 50

export interface UserCodeAttempt {
  /** The browser's own secret. */
  readonly browser: string
  readonly ip: string
}

/**
 * @returns false when no more codes may be tried from there for now
 * @spec RFC 8628 §5.1
 */
export async function countUserCode(ctx: IdentityContext, attempt: UserCodeAttempt): Promise<boolean> {
  const now = ctx.now()
  if (ctx.per_address !== undefined) {
    const { count } = await ctx.store.counters.add(addressKey(attempt), window, now)
    if (count > wrongPerAddress) return false
  }
  return (await ctx.store.counters.add(browserKey(ctx, attempt), window, now)).count <= wrongPerBrowser
}

/** The code was right: that was no guess. */
export async function forgiveUserCode(ctx: IdentityContext, attempt: UserCodeAttempt): Promise<void> {
  if (ctx.per_address !== undefined) await ctx.store.counters.takeBack(addressKey(attempt))
  await ctx.store.counters.takeBack(browserKey(ctx, attempt))
}

function addressKey({ ip }: UserCodeAttempt): string {
  return `user code ${addressBucket(ip)}`
}

function browserKey(ctx: IdentityContext, { browser }: UserCodeAttempt): string {
  return `user code of ${ctx.store.vault.hash('browser', browser)}`
}
