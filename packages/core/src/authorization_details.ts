/** Owns `authorization_details`: rich requests, of the types that an API knows, and what of them a token is for. */
import { OAuthError, type Parameters } from '@latchkey/oauth'
import type { Client, ResourceServer } from '@latchkey/store'

/** Besides `type`, its fields are the API's. */
export interface AuthorizationDetail {
  readonly type: string
  readonly [field: string]: unknown
}

/** Characters: the request is written down while a person signs in, and all of it is shown. */
const longest = 4096
const mostDetails = 10
const deepest = 6

/** Fields that mean the same in every type: lists of texts, of which fewer allow less. @spec RFC 9396 §2.2 */
const lists = ['locations', 'actions', 'datatypes', 'privileges']

/**
 * @param apis those that the request is for: a type that none of them has is refused
 * @throws OAuthError `invalid_authorization_details`
 * @spec RFC 9396 §2
 * @spec RFC 9396 §5
 */
export function readAuthorizationDetails(
  { authorization_details_types: registered }: Client,
  apis: readonly ResourceServer[],
  parameters: Parameters,
): readonly AuthorizationDetail[] | undefined {
  const details = parse(parameters.get('authorization_details'))
  if (details === undefined) return undefined
  const types = new Set(apis.flatMap(typesOf).filter((type) => registered?.includes(type) ?? true))
  for (const { type } of details) {
    if (!types.has(type))
      throw new OAuthError('invalid_authorization_details', `The type ${type.slice(0, 200)} is not allowed here`, {
        explanation: {
          summary: `No API that the request is for has authorization details of the type ${type.slice(0, 200)}, or the application may not use it.`,
          fix: 'Name the API as audience or resource, and list the type at the API, and at the application if that lists any.',
          setting: 'resourceServers[].authorization_details[].type',
        },
      })
  }
  return details
}

function parse(text: string | undefined): readonly AuthorizationDetail[] | undefined {
  if (text === undefined) return undefined
  if (text.length > longest) throw invalid(`authorization_details is longer than ${longest} characters`)
  const given = fromJson(text)
  if (!Array.isArray(given) || given.length === 0)
    throw invalid('authorization_details must be a JSON array of objects')
  if (given.length > mostDetails) throw invalid(`authorization_details has more than ${mostDetails} entries`)
  return given.map(readDetail)
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OAuthError('invalid_authorization_details', 'authorization_details is not JSON', { cause })
  }
}

function readDetail(given: unknown): AuthorizationDetail {
  if (!isObject(given)) throw invalid('authorization_details must be a JSON array of objects')
  if (!isDetail(given)) throw invalid('Each of the authorization_details needs a type')
  for (const name of lists) {
    const value = given[name]
    if (value !== undefined && !isTexts(value))
      throw invalid(`${name} of authorization_details must be a list of texts`)
  }
  if (given.identifier !== undefined && typeof given.identifier !== 'string')
    throw invalid('identifier of authorization_details must be a text')
  if (depthOf(given) > deepest) throw invalid('authorization_details is nested too deeply')
  return given
}

/** The types that an API knows. */
export function typesOf({ authorization_details = [] }: ResourceServer): readonly string[] {
  return authorization_details.map(({ type }) => type)
}

/** Those of the details that are of a type that one of the APIs knows. */
export function detailsAt(
  apis: readonly ResourceServer[],
  details: readonly AuthorizationDetail[] | undefined,
): { readonly authorization_details?: readonly AuthorizationDetail[] } {
  const types = apis.flatMap(typesOf)
  const there = (details ?? []).filter(({ type }) => types.includes(type))
  return there.length === 0 ? {} : { authorization_details: there }
}

/**
 * What a client asks for of what was granted.
 * @throws OAuthError `invalid_authorization_details` for what exceeds it
 * @spec RFC 9396 §6
 * @spec RFC 9396 §6.1
 */
export function narrowedDetails(
  granted: readonly AuthorizationDetail[],
  text: string | undefined,
): readonly AuthorizationDetail[] {
  const asked = parse(text)
  if (asked === undefined) return granted
  if (asked.every((one) => granted.some((whole) => isWithin(one, whole)))) return asked
  throw invalid('authorization_details must not exceed what was granted first')
}

/** Every field is the same, or a list of those that fewer of allow less. */
function isWithin(asked: AuthorizationDetail, granted: AuthorizationDetail): boolean {
  const names = Object.keys(granted)
  if (names.length !== Object.keys(asked).length) return false
  return names.every((name) => {
    if (!Object.hasOwn(asked, name)) return false
    const [some, all] = [asked[name], granted[name]]
    if (lists.includes(name) && isTexts(some) && isTexts(all))
      return (some.length > 0 || all.length === 0) && some.every((one) => all.includes(one))
    return isSame(some, all)
  })
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => isSame(one, b[at]))
  if (!isObject(a) || !isObject(b)) return a === b
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  )
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDetail(value: Readonly<Record<string, unknown>>): value is AuthorizationDetail {
  return typeof value.type === 'string' && value.type !== ''
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_authorization_details', description)
}
