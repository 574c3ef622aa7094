/** Owns which claims about a person a scope lets out. Absent values are left out: never null, never empty. */
import { scopeClaims, scopeOfClaim } from '@latchkey/oauth'
import type { Profile, User } from '@latchkey/store'
import { seconds } from './context.ts'

/** @spec OpenID Connect Core §5.4 */
export function userClaims(user: User, scope: readonly string[]): Record<string, unknown> {
  const claims: Record<string, unknown> = {}
  for (const word of scope) {
    if (!Object.hasOwn(scopeClaims, word)) continue
    for (const claim of scopeClaims[word as keyof typeof scopeClaims]) {
      const value = claimOf(user, claim)
      if (isPresent(value)) claims[claim] = value
    }
  }
  return claims
}

/** The claims that were asked for one by one, as far as they are claims of a scope. @spec OpenID Connect Core §5.5 */
export function namedClaims(user: User, names: readonly string[]): Record<string, unknown> {
  const named = names.filter((name) => scopeOfClaim(name) !== undefined && isPresent(claimOf(user, name)))
  return Object.fromEntries(named.map((name) => [name, claimOf(user, name)]))
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== ''
}

/** @param claim one that a scope stands for */
function claimOf(user: User, claim: string): unknown {
  const { profile, email, username } = user
  switch (claim) {
    case 'name':
      return profile.name ?? email ?? username
    case 'nickname':
      return profile.nickname ?? username ?? email?.split('@')[0]
    case 'preferred_username':
      return profile.preferred_username ?? username
    case 'updated_at':
      return seconds(user.updated_at)
    case 'email':
      return email
    case 'email_verified':
      return email === undefined ? undefined : user.email_verified
    case 'phone_number_verified':
      return profile.phone_number === undefined ? undefined : profile.phone_number_verified === true
    default:
      return profile[claim as keyof Profile]
  }
}
