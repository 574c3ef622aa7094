/** Owns the question whether the sign-in behind a token is strong and fresh enough for a request. */
import type { AccessTokenClaims } from './claims.ts'
import { OptionError } from './options.ts'
import { type ScopeCheck, schemeOf } from './scope.ts'
import { TokenError } from './token_error.ts'

export interface AuthenticationOptions {
  /** Classes of which the sign-in must be one, as the authorization server names them. */
  readonly acr_values?: readonly string[]
  /** Seconds since the person signed in. */
  readonly max_age?: number
  /** Seconds by which the clocks of issuer and API may differ, 0 to 300. Default 5. */
  readonly clock_tolerance?: number
  /** The present time in milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number
}

/**
 * The person must have signed in in one of these ways, and recently. A token that says nothing of it does not count.
 * @throws OptionError at once for an option that cannot work
 * @spec RFC 9470 §3
 */
export function requireAuthentication(options: AuthenticationOptions): ScopeCheck {
  const { acr_values, max_age, clock_tolerance = 5, clock = Date.now } = checked(options)
  const challenge = {
    ...(acr_values === undefined ? {} : { acr_values: acr_values.join(' ') }),
    ...(max_age === undefined ? {} : { max_age: String(max_age) }),
  }
  return (claims) => {
    if (claims === undefined) throw new OptionError('requireAuthentication', 'Put protect(verifier) before it')
    const oldest = max_age === undefined ? undefined : Math.floor(clock() / 1000) - max_age - clock_tolerance
    if (isStrong(claims, acr_values) && isFresh(claims, oldest)) return
    throw new TokenError('insufficient_user_authentication', { challenge, scheme: schemeOf(claims) })
  }
}

function isStrong({ acr }: AccessTokenClaims, acr_values: readonly string[] | undefined): boolean {
  return acr_values === undefined || (typeof acr === 'string' && acr_values.includes(acr))
}

function isFresh({ auth_time }: AccessTokenClaims, oldest: number | undefined): boolean {
  return oldest === undefined || (typeof auth_time === 'number' && auth_time >= oldest)
}

function checked(options: AuthenticationOptions): AuthenticationOptions {
  const { acr_values, max_age, clock_tolerance } = options
  if (acr_values === undefined && max_age === undefined)
    throw new OptionError('requireAuthentication', 'Give acr_values, max_age, or both')
  if (acr_values !== undefined && (acr_values.length === 0 || !acr_values.every(isClass)))
    throw new OptionError('acr_values', 'Give a list of classes, each a text without spaces and quotes')
  if (max_age !== undefined && !(Number.isInteger(max_age) && max_age >= 0))
    throw new OptionError('max_age', 'Give a whole number of seconds')
  if (clock_tolerance !== undefined && !(clock_tolerance >= 0 && clock_tolerance <= 300))
    throw new OptionError('clock_tolerance', 'Give a number of seconds from 0 to 300')
  return options
}

function isClass(text: unknown): boolean {
  return typeof text === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}
