/** Owns the comparison of redirect, logout and origin targets: byte for byte, with the two written exceptions. */

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Parses an absolute URI; undefined when it is not one, or carries control characters, spaces or a backslash. */
export function parseUri(text: string): URL | undefined {
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\')) return undefined
  return URL.canParse(text) ? new URL(text) : undefined
}

/**
 * True for `localhost`, all of 127.0.0.0/8 and `::1`, however a name or an address is written.
 * @param hostname as the URL parser gives it
 * @spec RFC 8252 §7.3
 */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  if (loopbackNames.has(name) || name.endsWith('.localhost')) return true
  return /^127(\.\d{1,3}){3}$/.test(name) || /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(name)
}

/** True when the URI leads back to the user's own machine, so that nobody can vouch for who listens there. */
export function isLoopbackUri(text: string): boolean {
  const uri = parseUri(text)
  return uri !== undefined && (uri.protocol === 'http:' || uri.protocol === 'https:') && isLoopbackHost(uri.hostname)
}

/**
 * True when the URI leads to some program of the user's own machine, by a loopback address or by a scheme of its own: any program may
 * listen there or claim the scheme, so nobody can vouch for the one that gets the answer.
 * @spec RFC 8252 §8.6
 */
export function staysOnDevice(text: string): boolean {
  return isLoopbackUri(text) || originOf(text) === undefined
}

/** The origin of an http or https URI as browsers write it; undefined for any other scheme. */
export function originOf(text: string): string | undefined {
  const uri = parseUri(text)
  return uri !== undefined && (uri.protocol === 'http:' || uri.protocol === 'https:') ? uri.origin : undefined
}

export interface MatchRules {
  /** Any port on a loopback host, for native apps. @spec RFC 8252 §7.3 */
  readonly loopback_any_port: boolean
  /** One `*` in the left-most label of the host, where an administrator wrote it. */
  readonly wildcards: boolean
}

/**
 * True when `requested` is the registered URI, byte for byte, or differs only where a rule allows.
 * @spec RFC 6749 §3.1.2.3
 * @spec RFC 9700 §4.1.3
 */
export function matchesRegistered(requested: string, registered: string, rules: MatchRules): boolean {
  if (requested === registered) return true
  if (rules.loopback_any_port && matchesLoopback(requested, registered)) return true
  return rules.wildcards && registered.includes('*') && matchesWildcard(requested, registered)
}

function matchesLoopback(requested: string, registered: string): boolean {
  const asked = splitLoopback(requested)
  const listed = splitLoopback(registered)
  return asked !== undefined && listed !== undefined && asked.host === listed.host && asked.rest === listed.rest
}

function splitLoopback(text: string): { host: string; rest: string } | undefined {
  if (!text.startsWith('http://') || parseUri(text) === undefined) return undefined
  const after = text.slice('http://'.length)
  const end = after.search(/[/?#]/)
  const authority = end < 0 ? after : after.slice(0, end)
  const colon = authority.startsWith('[') ? authority.indexOf(':', authority.indexOf(']')) : authority.indexOf(':')
  const host = colon < 0 ? authority : authority.slice(0, colon)
  const port = colon < 0 ? '' : authority.slice(colon + 1)
  if (!loopbackNames.has(host) || (colon >= 0 && !isPort(port))) return undefined
  return { host, rest: end < 0 ? '' : after.slice(end) }
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536
}

/** The parts of a wildcard entry; undefined when the `*` stands anywhere but in the left-most label of an http(s) host. */
export function splitWildcard(registered: string): { before: string; after: string } | undefined {
  const star = registered.indexOf('*')
  if (star < 0 || registered.indexOf('*', star + 1) >= 0) return undefined
  const before = registered.slice(0, star)
  const after = registered.slice(star + 1)
  const scheme = /^https?:\/\/([a-z0-9-]*)$/.exec(before)
  // At least two labels must follow, so that `https://*.com` never matches.
  const host = /^[a-z0-9-]*\.[a-z0-9-]+(\.[a-z0-9-]+)+(?=[:/?#]|$)/.exec(after)
  return scheme !== null && host !== null ? { before, after } : undefined
}

function matchesWildcard(requested: string, registered: string): boolean {
  const parts = splitWildcard(registered)
  if (parts === undefined || requested.length < parts.before.length + parts.after.length + 1) return false
  if (!requested.startsWith(parts.before) || !requested.endsWith(parts.after)) return false
  const label = requested.slice(parts.before.length, requested.length - parts.after.length)
  return /^[a-z0-9-]{1,63}$/.test(label)
}

/**
 * True when a logout target is on the list. Auth0's rule: scheme and host in any case, query and fragment ignored, path exact.
 * Used by `/v2/logout` alone.
 */
export function matchesLogoutUrl(requested: string, registered: string): boolean {
  const asked = withoutQuery(requested)
  if (asked === undefined) return false
  const listed = withoutQuery(registered)
  return (
    listed !== undefined &&
    (asked === listed || matchesRegistered(asked, listed, { loopback_any_port: false, wildcards: true }))
  )
}

function withoutQuery(text: string): string | undefined {
  const uri = parseUri(text)
  if (uri === undefined || uri.username !== '' || uri.password !== '') return undefined
  // The path is taken from the text, not from the parser, which would resolve dot segments.
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/.exec(text)
  if (match === null) return undefined
  const [, scheme = '', authority = '', path = ''] = match
  return `${scheme.toLowerCase()}://${authority.toLowerCase()}${path === '' ? '/' : path}`
}

/** How far two texts agree: the index of the first character in which they differ. */
export function differsAt(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return index
  return length
}

/** The entry of a list that is most like the text, by shared beginning and end. */
export function nearest(text: string, list: readonly string[]): string | undefined {
  let best: { readonly entry: string; readonly score: number } | undefined
  for (const entry of list) {
    const score = differsAt(text, entry) + sharedEnd(text, entry)
    if (best === undefined || score > best.score) best = { entry, score }
  }
  return best?.entry
}

function sharedEnd(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) if (a[a.length - 1 - index] !== b[b.length - 1 - index]) return index
  return length
}
