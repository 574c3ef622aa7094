/** Owns the strict reading of request parameters: a repeated, oversized or undecodable one is an error, never a guess. `resource` may be repeated. */
import { OAuthError } from './errors.ts'

/** Parameters by their wire name. A parameter sent without a value counts as absent (RFC 6749 §3.1). */
export type Parameters = ReadonlyMap<string, string>

/** What may be sent several times, and is then one value with spaces between: no URI has a space. @spec RFC 8707 §2 */
const repeatable = 'resource'

/** What is JSON in a form, and so may stand as itself in JSON. */
const structured: readonly string[] = ['authorization_details', 'claims']

export interface ParameterLimits {
  /** Bytes of the whole encoded text. */
  readonly total: number
  /** Number of parameters. */
  readonly count: number
  /** Characters of one decoded value. */
  readonly value: number
}

export const defaultLimits: ParameterLimits = { total: 32_768, count: 100, value: 16_384 }

/**
 * Reads `application/x-www-form-urlencoded` text, from a query or a body.
 * @throws OAuthError `invalid_request` when a parameter is repeated, too long, not valid percent-encoded UTF-8, or holds a NUL
 * @spec RFC 6749 §3.1
 * @spec RFC 6749 §3.2
 */
export function readParameters(text: string, limits: ParameterLimits = defaultLimits): Parameters {
  const parameters = new Map<string, string>()
  if (text === '') return parameters
  if (text.length > limits.total)
    throw new OAuthError('invalid_request', `The request is longer than ${limits.total} bytes`)
  const seen = new Set<string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), 'A parameter name')
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), `The parameter ${name}`)
    if (seen.has(name) && name !== repeatable)
      throw new OAuthError('invalid_request', `The parameter ${name} is repeated`)
    seen.add(name)
    if (seen.size > limits.count) throw new OAuthError('invalid_request', `More than ${limits.count} parameters`)
    put(parameters, name, value, limits)
  }
  return parameters
}

function put(parameters: Map<string, string>, name: string, value: string, limits: ParameterLimits): void {
  const before = name === repeatable && value !== '' ? parameters.get(name) : undefined
  const whole = before === undefined ? value : `${before} ${value}`
  checkValue(name, whole, limits)
  if (whole !== '') parameters.set(name, whole)
}

/**
 * Reads parameters out of a parsed JSON body: an object whose values are strings, numbers or booleans; `resource` may be a list,
 * and `authorization_details` and `claims` what they are in a form as text.
 * @throws OAuthError `invalid_request` for anything else
 */
export function parametersFromObject(body: unknown, limits: ParameterLimits = defaultLimits): Parameters {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new OAuthError('invalid_request', 'The body must be a JSON object')
  }
  const parameters = new Map<string, string>()
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null) continue
    if (structured.includes(name) && typeof value === 'object') {
      put(parameters, name, JSON.stringify(value), limits)
      continue
    }
    if (name === repeatable && Array.isArray(value) && value.every((one) => typeof one === 'string')) {
      for (const one of value) put(parameters, name, one, limits)
      continue
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new OAuthError('invalid_request', `The parameter ${name} must be a string`)
    }
    checkValue(name, String(value), limits)
    if (value !== '') parameters.set(name, String(value))
  }
  if (parameters.size > limits.count) throw new OAuthError('invalid_request', `More than ${limits.count} parameters`)
  return parameters
}

/** Encodes parameters as `application/x-www-form-urlencoded`, in the order given (OAuth 2.0 Multiple Response Types §2). */
export function encodeParameters(parameters: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [name, value] of parameters) text += `${text === '' ? '' : '&'}${encodeWord(name)}=${encodeWord(value)}`
  return text
}

// Every reader of a fragment (decodeURIComponent, URLSearchParams, hand-written) understands %20; not every one reads "+" as a space.
function encodeWord(text: string): string {
  // A token is long and needs no encoding: one look is cheaper than two passes.
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function decode(text: string, what: string): string {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text
  try {
    return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text)
  } catch {
    throw new OAuthError('invalid_request', `${what} is not valid percent-encoded UTF-8`)
  }
}

function checkValue(name: string, value: string, limits: ParameterLimits): void {
  if (name.length > 256) throw new OAuthError('invalid_request', 'A parameter name is longer than 256 characters')
  if (value.length > limits.value) {
    throw new OAuthError('invalid_request', `The parameter ${name} is longer than ${limits.value} characters`)
  }
  if (value.includes('\0') || name.includes('\0')) {
    throw new OAuthError('invalid_request', 'A parameter holds a NUL character')
  }
  // JSON can carry half a character, which no answer could encode again.
  if (!value.isWellFormed() || !name.isWellFormed()) {
    throw new OAuthError('invalid_request', 'A parameter is not Unicode text')
  }
}
