/** Owns the reading of the `claims` parameter: which single claims a client asks for, and where it wants them. */
import { OAuthError, type Parameters, scopeOfClaim } from '@latchkey/oauth'

/** The names of the claims, by where they are to be delivered. */
export interface RequestedClaims {
  readonly id_token: readonly string[]
  readonly userinfo: readonly string[]
}

/** What an authorization request asks for with `claims`. */
export interface ClaimsRequest {
  readonly claims: RequestedClaims
  /** The one subject that an answer may be about. */
  readonly sub?: string
  /** Classes of which the sign-in must be one. */
  readonly essential_acr?: readonly string[]
}

interface OneClaim {
  readonly essential: boolean
  /** Of `value` and `values`. */
  readonly values: readonly string[]
}

type Member = ReadonlyMap<string, OneClaim>

/** The request is written down while a person signs in, and must stay small. */
const longest = 8192
const mostClaims = 100

/**
 * @throws OAuthError `invalid_request` for what is not of the form that the specification gives; unknown claims are no error
 * @spec OpenID Connect Core §5.5
 */
export function readClaimsRequest(parameters: Parameters): ClaimsRequest | undefined {
  const text = parameters.get('claims')
  if (text === undefined) return undefined
  if (text.length > longest) throw invalid(`claims is longer than ${longest} characters`)
  const asked = objectOf(parse(text), 'claims')
  const id_token = readMember(asked.id_token, 'id_token')
  const userinfo = readMember(asked.userinfo, 'userinfo')
  const sub = readSubject(id_token, userinfo)
  const acr = id_token.get('acr')
  return {
    claims: { id_token: [...id_token.keys()], userinfo: [...userinfo.keys()] },
    ...(sub === undefined ? {} : { sub }),
    // OpenID Connect Core §5.5.1.1: an essential acr with values is the one claim that may fail a sign-in.
    ...(acr?.essential === true && acr.values.length > 0 ? { essential_acr: acr.values } : {}),
  }
}

function readMember(given: unknown, name: string): Member {
  if (given === undefined || given === null) return new Map()
  const entries = Object.entries(objectOf(given, name))
  if (entries.length > mostClaims) throw invalid(`claims asks for more than ${mostClaims} claims in ${name}`)
  return new Map(entries.map(([claim, rule]) => [claim, readOne(rule, `${name}.${claim.slice(0, 100)}`)]))
}

/** @spec OpenID Connect Core §5.5.1 */
function readOne(given: unknown, name: string): OneClaim {
  if (given === null) return { essential: false, values: [] }
  const { essential, value, values } = objectOf(given, name)
  if (essential !== undefined && typeof essential !== 'boolean')
    throw invalid(`claims: essential of ${name} must be true or false`)
  if (values !== undefined && !Array.isArray(values)) throw invalid(`claims: values of ${name} must be an array`)
  const all = [...(value === undefined ? [] : [value]), ...(values ?? [])]
  return { essential: essential === true, values: all.filter((one): one is string => typeof one === 'string') }
}

/** @spec OpenID Connect Core §5.5.1 */
function readSubject(...members: readonly Member[]): string | undefined {
  const subjects = new Set(members.flatMap((member) => member.get('sub')?.values ?? []))
  if (subjects.size > 1) throw invalid('claims asks for more than one sub')
  return [...subjects][0]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'claims is not JSON', { cause })
  }
}

function objectOf(given: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(`claims: ${name} must be a JSON object`)
  return given as Readonly<Record<string, unknown>>
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_request', description)
}

/**
 * The scopes that a person is asked about: single claims are named by the scope that they belong to.
 * @spec OpenID Connect Core §5.5
 */
export function askedScopes(scope: readonly string[], claims: RequestedClaims | undefined): readonly string[] {
  if (claims === undefined) return scope
  const more = [...claims.id_token, ...claims.userinfo].map(scopeOfClaim).filter((word) => word !== undefined)
  return [...new Set([...scope, ...more])]
}

/** What is left of the request where a rule has set the scopes: it decides about the claims of a scope too. */
export function claimsWithin(
  claims: RequestedClaims | undefined,
  ruled: readonly string[] | undefined,
): RequestedClaims | undefined {
  if (claims === undefined || ruled === undefined) return claims
  const within = (name: string) => {
    const scope = scopeOfClaim(name)
    return scope === undefined || ruled.includes(scope)
  }
  return { id_token: claims.id_token.filter(within), userinfo: claims.userinfo.filter(within) }
}
