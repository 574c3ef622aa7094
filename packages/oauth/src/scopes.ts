/** Owns the scopes of OpenID Connect and the claims each one stands for. */

/** The claims that a scope asks for. @spec OpenID Connect Core §5.4 */
export const scopeClaims = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
} as const satisfies Record<string, readonly string[]>

/** Scope names with a meaning of their own, which no API may define. */
export const reservedScopes: readonly string[] = [
  'openid',
  ...Object.keys(scopeClaims),
  'offline_access',
  'online_access',
]

const scopes = new Map<string, string>(
  Object.entries(scopeClaims).flatMap(([scope, claims]) => claims.map((claim) => [claim, scope])),
)

/** The scope that a claim belongs to; undefined for a claim of no scope. */
export function scopeOfClaim(claim: string): string | undefined {
  return scopes.get(claim)
}
