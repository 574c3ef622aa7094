/** Owns how a request, or the client's own settings, ask for a sign-in: how fresh, how strong, and which single claims about it. */
import { OAuthError, type Parameters, words } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { acrValues } from './acr.ts'
import { type RequestedClaims, readClaimsRequest } from './claims_request.ts'

/** What of it is kept with the request. */
export interface AuthenticationRequest {
  /** Seconds. */
  readonly max_age?: number
  /** Classes that the client would like the sign-in to be of, as far as they can be reached here. */
  readonly acr_values?: readonly string[]
  /** Classes of which it must be one. */
  readonly essential_acr?: readonly string[]
  readonly claims?: RequestedClaims
}

const mostValues = 50

/**
 * @returns with `sub`, where the answer may be about one person alone
 * @throws OAuthError `invalid_request`, or `unmet_authentication_requirements` for what nobody can reach here
 * @spec OpenID Connect Core §3.1.2.1
 * @spec OpenID Connect Registration §2
 */
export function readAuthentication(
  client: Client,
  parameters: Parameters,
  scope: readonly string[],
): AuthenticationRequest & { readonly sub?: string } {
  const max_age = checkMaxAge(parameters) ?? client.default_max_age
  const acr_values = readAcrValues(client, parameters)
  // Without openid it is no request of OpenID Connect, and the parameter has no meaning.
  const { essential_acr, ...asked } = (scope.includes('openid') ? readClaimsRequest(parameters) : undefined) ?? {}
  return {
    ...(max_age === undefined ? {} : { max_age }),
    ...(acr_values === undefined ? {} : { acr_values }),
    ...asked,
    ...(essential_acr === undefined ? {} : { essential_acr: reachable(essential_acr) }),
  }
}

function checkMaxAge(parameters: Parameters): number | undefined {
  const text = parameters.get('max_age')
  if (text === undefined) return undefined
  if (!/^\d{1,10}$/.test(text)) throw new OAuthError('invalid_request', 'max_age must be a number of seconds')
  return Number(text)
}

function readAcrValues({ default_acr_values = [] }: Client, parameters: Parameters): readonly string[] | undefined {
  const asked = words(parameters.get('acr_values'))
  if (asked.length > mostValues) throw new OAuthError('invalid_request', `More than ${mostValues} acr_values`)
  const wanted = asked.length > 0 ? asked : default_acr_values
  return wanted.length === 0 ? undefined : wanted.filter(isKnown)
}

/** @spec OpenID Connect Core Error Code unmet_authentication_requirements §2 */
function reachable(essential: readonly string[]): readonly string[] {
  const known = essential.filter(isKnown)
  if (known.length > 0) return known
  throw new OAuthError(
    'unmet_authentication_requirements',
    `No sign-in here is of the class asked for. There are: ${acrValues.join(', ')}`,
  )
}

/**
 * How a sign-in falls short of what was asked for: `essential` where the request must fail then, `wanted` where signing in again
 * might help and going on is allowed.
 * @spec OpenID Connect Core §5.5.1.1
 */
export function shortfall(
  { acr_values, essential_acr }: AuthenticationRequest,
  acr: string | undefined,
): 'essential' | 'wanted' | undefined {
  if (essential_acr !== undefined && !holds(essential_acr, acr)) return 'essential'
  const wanted = acr_values ?? []
  return wanted.length === 0 || holds(wanted, acr) ? undefined : 'wanted'
}

function isKnown(acr: string): boolean {
  return acrValues.includes(acr)
}

function holds(classes: readonly string[], acr: string | undefined): boolean {
  return acr !== undefined && classes.includes(acr)
}

/** What ID tokens tell of the sign-in, besides what they always do. */
export function toldOfSignIn(client: Client, request: AuthenticationRequest, asked_again: boolean) {
  const named = request.claims?.id_token ?? []
  const aged = request.max_age !== undefined
  return {
    tell_auth_time: aged || asked_again || client.require_auth_time === true || named.includes('auth_time'),
    ...(aged || request.acr_values !== undefined || named.includes('acr') || named.includes('amr')
      ? { tell_acr: true as const }
      : {}),
  }
}
