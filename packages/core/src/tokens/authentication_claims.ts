/** Owns what tokens say of the sign-in behind them. */
import { acrOf } from '../acr.ts'
import type { SessionFacts } from '../authorization.ts'

/**
 * @spec OpenID Connect Core §2
 * @spec RFC 9068 §2.2.1
 * @spec RFC 9470 §6.1
 */
export function authenticationClaims(session: SessionFacts | undefined): {
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
} {
  if (session === undefined) return {}
  const { auth_time, amr } = session
  const acr = acrOf(amr)
  return { auth_time, ...(acr === undefined ? {} : { acr }), ...(amr.length === 0 ? {} : { amr }) }
}
