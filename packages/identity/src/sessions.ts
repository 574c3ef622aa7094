/** Owns signed-in browsers: how a session begins, lives and ends. The cookie itself is the HTTP layer's. */
import { type Context, seconds } from '@latchkey/core'
import type { SignedIn } from '@latchkey/store'

const hour = 3_600_000
const defaultLifetime = 168
const defaultIdleLifetime = 72
/** Milliseconds between two writes of the same session's activity. */
const activityStep = 60_000

export interface Cookie {
  readonly secret: string
  /** Milliseconds since 1970; undefined for a cookie that ends with the browser. */
  readonly ends_at: number | undefined
}

/** Begins a session and gives the secret for its cookie, which is known to nobody else. */
export async function beginSession(
  ctx: Context,
  user_id: string,
  amr: readonly string[],
): Promise<Cookie & { session_id: string }> {
  const now = ctx.now()
  const secret = ctx.random(32)
  const session_id = ctx.random(24)
  const ends_at = now + lifetime(ctx)
  await ctx.store.sessions.create(
    {
      session_id,
      secret,
      silent_secret: ctx.store.vault.derive('silent', secret),
      user_id,
      auth_time: seconds(now),
      amr,
      idle_ends_at: Math.min(now + idleLifetime(ctx), ends_at),
      ends_at,
    },
    now,
  )
  return {
    secret,
    session_id,
    ends_at: ctx.configuration.settings.session_cookie?.mode === 'non-persistent' ? undefined : ends_at,
  }
}

/**
 * The secret of the twin cookie, which works for silent authentication and nothing else.
 * @param secret of a live session, which may have begun when the server had another secret of its own
 */
export async function silentSecret(ctx: Context, secret: string): Promise<string> {
  const [current = '', ...former] = ctx.store.vault.derivations('silent', secret)
  if (former.length === 0) return current
  for (const one of [current, ...former])
    if ((await ctx.store.sessions.findSilent(one, ctx.now())) !== undefined) return one
  return current
}

/**
 * The live session of a cookie.
 * @param kind which of the two cookies the secret came in
 */
export async function findSession(
  ctx: Context,
  secret: string | undefined,
  kind: 'session' | 'silent',
): Promise<SignedIn | undefined> {
  if (secret === undefined || secret.length !== 43) return undefined
  const now = ctx.now()
  const found =
    kind === 'session' ? await ctx.store.sessions.find(secret, now) : await ctx.store.sessions.findSilent(secret, now)
  if (found === undefined) return undefined
  // A lifetime that was shortened counts for running sessions too; a lengthened one only for new ones.
  const { session } = found
  const idle = Math.min(idleLifetime(ctx), session.idle_ends_at - session.seen_at)
  if (now - session.created_at > lifetime(ctx) || now - session.seen_at > idle) return undefined
  if (now - session.seen_at > activityStep) {
    await ctx.store.sessions.see(session.session_id, Math.min(now + idle, session.ends_at), now)
  }
  return found
}

function lifetime(ctx: Context): number {
  return (ctx.configuration.settings.session_lifetime ?? defaultLifetime) * hour
}

function idleLifetime(ctx: Context): number {
  return (ctx.configuration.settings.idle_session_lifetime ?? defaultIdleLifetime) * hour
}
