/** Owns which claims about a person a scope lets out. Absent values are left out: never null, never empty. */
import { scopeClaims, scopeOfClaim } from '@latchkey/oauth'
import type { User } from '@latchkey/store'
import { seconds } from './context.ts'

/** @spec OpenID Connect Core §5.4 */
export function userClaims(user: User, scope: readonly string[]): Record<string, unknown> {
  const known = everyClaim(user)
  const claims: Record<string, unknown> = {}
  for (const word of scope) {
    if (!Object.hasOwn(scopeClaims, word)) continue
    for (const claim of scopeClaims[word as keyof typeof scopeClaims]) {
      const value = known[claim]
      if (isPresent(value)) claims[claim] = value
    }
  }
  return claims
}

/** The claims that were asked for one by one, as far as they are claims of a scope. @spec OpenID Connect Core §5.5 */
export function namedClaims(user: User, names: readonly string[]): Record<string, unknown> {
  const known = everyClaim(user)
  const named = names.filter((name) => scopeOfClaim(name) !== undefined && isPresent(known[name]))
  return Object.fromEntries(named.map((name) => [name, known[name]]))
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== ''
}

function everyClaim(user: User): Readonly<Record<string, unknown>> {
  const { user_metadata: _user, app_metadata: _app, ...profile } = user.profile
  return {
    ...profile,
    name: profile.name ?? user.email ?? user.username,
    nickname: profile.nickname ?? user.username ?? user.email?.split('@')[0],
    preferred_username: profile.preferred_username ?? user.username,
    updated_at: seconds(user.updated_at),
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.email_verified,
    phone_number_verified: profile.phone_number === undefined ? undefined : profile.phone_number_verified === true,
  }
}
