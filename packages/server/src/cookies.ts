/**
 * Owns the cookies: who is signed in, the twin of that for silent authentication across sites, the secret that ties a trip to its
 * browser, and the one that the frame of `check_session_iframe` reads.
 */
import type { Context } from '@latchkey/core'
import { silentSecret } from '@latchkey/identity'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type CookieName = 'session' | 'silent' | 'browser' | 'state'

/**
 * Over https the names carry `__Host-`, which binds a cookie to this host and to TLS. Plain http, which only loopback hosts may use,
 * cannot have it.
 * @spec RFC 6265bis §4.1.3.2
 */
function nameOf(ctx: Context, cookie: CookieName): string {
  return `${isSecure(ctx) ? '__Host-' : ''}latchkey_${cookie}`
}

function isSecure(ctx: Context): boolean {
  return ctx.issuer.startsWith('https:')
}

export function readCookie(ctx: Context, request: FastifyRequest, cookie: CookieName): string | undefined {
  const value = request.cookies[nameOf(ctx, cookie)]
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
}

/** @param ends_at milliseconds since 1970; undefined for a cookie that ends with the browser */
export function setSessionCookie(ctx: Context, reply: FastifyReply, secret: string, ends_at: number | undefined): void {
  set(ctx, reply, 'session', secret, ends_at)
}

/**
 * The twin is `SameSite=None`, so a frame on another site sends it. It opens nothing but silent authentication, so a forged request
 * that carries it can change nothing. Plain http on loopback has no use for it: every port of a host is one site.
 */
export async function setSilentCookie(
  ctx: Context,
  reply: FastifyReply,
  secret: string,
  ends_at: number | undefined,
): Promise<void> {
  if (isSecure(ctx)) set(ctx, reply, 'silent', await silentSecret(ctx, secret), ends_at)
}

/** The browser's own secret; made when it has none. */
export function browserSecret(ctx: Context, request: FastifyRequest, reply: FastifyReply): string {
  const known = readCookie(ctx, request, 'browser')
  if (known !== undefined) return known
  const made = ctx.random(32)
  set(ctx, reply, 'browser', made, undefined)
  return made
}

/**
 * The value that a frame of ours compares, on any site. It opens nothing.
 * @spec OpenID Connect Session Management §3.2
 */
export function setStateCookie(ctx: Context, reply: FastifyReply, state: string, ends_at: number | undefined): void {
  set(ctx, reply, 'state', state, ends_at)
}

export function clearSessionCookies(ctx: Context, reply: FastifyReply): void {
  set(ctx, reply, 'session', '', 0)
  set(ctx, reply, 'state', '', 0)
  clearSilentCookie(ctx, reply)
}

export function clearSilentCookie(ctx: Context, reply: FastifyReply): void {
  if (isSecure(ctx)) set(ctx, reply, 'silent', '', 0)
}

function set(ctx: Context, reply: FastifyReply, cookie: CookieName, value: string, ends_at: number | undefined): void {
  reply.setCookie(nameOf(ctx, cookie), value, {
    path: '/',
    httpOnly: cookie !== 'state',
    secure: isSecure(ctx),
    sameSite: cookie === 'silent' || (cookie === 'state' && isSecure(ctx)) ? 'none' : 'lax',
    ...(ends_at === undefined ? {} : { expires: new Date(ends_at) }),
  })
}
