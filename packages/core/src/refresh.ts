/** Owns when a refresh token is given, and how long its family lives: a client's setting, fixed when the family begins. */
import type { Client, RefreshFamily, RefreshTokenSettings } from '@latchkey/store'
import type { PersonalAuthorization } from './authorization.ts'
import type { Context } from './context.ts'
import { storeAuthorization } from './stored_authorization.ts'
import { newFamilyId, newRefreshToken } from './tokens/refresh_token.ts'

/** Milliseconds since 1970, for what does not end: the last of the years that a date can have. */
const never = 253_402_300_799_000

/** What a client's settings leave open, as Auth0 names it; lifetimes in seconds. */
export function refreshSettings(client: Client): Required<RefreshTokenSettings> {
  return {
    rotation_type: client.token_endpoint_auth_method === 'none' ? 'rotating' : 'non-rotating',
    expiration_type: 'expiring',
    leeway: 30,
    token_lifetime: 2_592_000,
    idle_token_lifetime: 1_296_000,
    infinite_token_lifetime: false,
    infinite_idle_token_lifetime: false,
    ...client.refresh_token,
  }
}

/** True when a refresh token comes of an authorization. */
export function isRefreshable({ client, scope }: PersonalAuthorization): boolean {
  const asked = scope.includes('offline_access') || scope.includes('online_access')
  return asked && client.grant_types.includes('refresh_token')
}

/** When a family ends that is used now, in milliseconds since 1970. Never later than its absolute end. */
export function idleEnd(client: Client, ends_at: number, now: number): number {
  const settings = refreshSettings(client)
  const endless = settings.expiration_type === 'non-expiring' || settings.infinite_idle_token_lifetime
  return endless ? ends_at : Math.min(ends_at, now + settings.idle_token_lifetime * 1000)
}

export function absoluteEnd(client: Client, now: number): number {
  const settings = refreshSettings(client)
  const endless = settings.expiration_type === 'non-expiring' || settings.infinite_token_lifetime
  return endless ? never : now + settings.token_lifetime * 1000
}

/** False for a family that was revoked, is over, or whose session has ended. */
export async function isAlive(
  ctx: Context,
  { revoked, idle_ends_at, ends_at, session_id }: RefreshFamily,
): Promise<boolean> {
  const now = ctx.now()
  if (revoked || idle_ends_at <= now || ends_at <= now) return false
  return session_id === undefined || ctx.store.sessions.isLive(session_id, now)
}

/** A new family. @returns its first token, and the row that goes with it */
export function beginFamily(ctx: Context, authorization: PersonalAuthorization, lineage: string) {
  const { client, user, scope, session } = authorization
  const now = ctx.now()
  // `online_access` alone: the family lives only as long as the session.
  const bound = scope.includes('offline_access') ? undefined : session
  const family_id = newFamilyId(ctx)
  const ends_at = absoluteEnd(client, now)
  const family = {
    ...{ family_id, lineage, ends_at, client_id: client.client_id, user_id: user.user_id },
    authorization: storeAuthorization(authorization),
    idle_ends_at: idleEnd(client, ends_at, now),
    ...(bound === undefined ? {} : { session_id: bound.session_id }),
  }
  return { family, refresh_token: newRefreshToken(ctx, family_id, ends_at) }
}
