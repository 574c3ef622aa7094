/** Owns a second judge of redirect and logout targets, written from the rules with other means: patterns and the platform's URL parser. */

export interface Rules {
  readonly loopback_any_port: boolean
  readonly wildcards: boolean
}

const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(?![^/?#])/
const wildcardEntry = /^https?:\/\/[a-z0-9-]*\*[a-z0-9-]*(?:\.[a-z0-9-]+){2,}(?::[^/?#]*)?(?:[/?#]|$)/

/** True where the rules allow an answer to be sent to `requested`. */
export function secondMatches(requested: string, registered: string, rules: Rules): boolean {
  if (Buffer.compare(Buffer.from(requested, 'utf16le'), Buffer.from(registered, 'utf16le')) === 0) return true
  if (rules.loopback_any_port && sameBesidesPort(requested, registered)) return true
  return rules.wildcards && oneLabelMore(requested, registered)
}

function sameBesidesPort(requested: string, registered: string): boolean {
  const [asked, listed] = [loopback.exec(requested), loopback.exec(registered)]
  if (asked === null || listed === null) return false
  for (const [match, text] of [
    [asked, requested],
    [listed, registered],
  ] as const) {
    const port = match[2]
    if (port !== undefined && (port.length > 5 || Number(port) < 1 || Number(port) > 65_535)) return false
    if (!isPlain(text)) return false
  }
  return asked[1] === listed[1] && requested.slice(asked[0].length) === registered.slice(listed[0].length)
}

function oneLabelMore(requested: string, registered: string): boolean {
  if (!wildcardEntry.test(registered) || registered.split('*').length !== 2) return false
  const pattern = registered.replaceAll(/[.*+?^${}()|[\]\\/]/g, (c) => (c === '*' ? '([a-z0-9-]{1,63})' : `\\${c}`))
  return new RegExp(`^${pattern}$(?!\\n)`).test(requested)
}

/** What a browser would reach with an accepted target: for checking that nothing accepted leads elsewhere. */
export function leadsElsewhere(requested: string, registered: string): string | undefined {
  if (requested === registered) return undefined
  const at = new URL(requested)
  if (at.username !== '' || at.password !== '') return 'it carries a user name'
  const listed = new URL(registered.replace('*', 'x'))
  if (at.protocol !== listed.protocol) return 'another scheme'
  if (at.pathname !== listed.pathname || at.search !== listed.search || at.hash !== listed.hash) return 'another path'
  if (!registered.includes('*')) return at.hostname === listed.hostname ? undefined : 'another host'
  const [, ...parents] = listed.hostname.split('.')
  const [, ...asked] = at.hostname.split('.')
  return asked.join('.') === parents.join('.') && at.port === listed.port ? undefined : 'another domain'
}

/** Auth0's rule for `returnTo`: scheme and host in any case, query and fragment ignored, path exact, one wildcard label. */
export function secondMatchesLogout(requested: string, registered: string): boolean {
  const [asked, listed] = [comparable(requested), comparable(registered)]
  if (asked === undefined || listed === undefined) return false
  return asked === listed || oneLabelMore(asked, listed)
}

function comparable(text: string): string | undefined {
  if (!isPlain(text)) return undefined
  const uri = new URL(text)
  if (uri.username + uri.password !== '') return undefined
  const [before = ''] = text.split(/[?#]/)
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/]*)(.*)$/i.exec(before)
  if (match === null) return undefined
  const [, scheme = '', authority = '', path = ''] = match
  return `${(scheme + authority).toLowerCase()}${path || '/'}`
}

/** Printable ASCII without a backslash, and a URI at all. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f || code === 0x5c) return false
  }
  return URL.canParse(text)
}
