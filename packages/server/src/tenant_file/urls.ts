/** Owns which URLs an administrator may register: callbacks, logout targets, origins, links. */
import { isLoopbackHost, originOf, parseUri, splitWildcard } from '@latchkey/oauth'

export interface Verdict {
  /** Why it cannot be registered, and what to write. */
  readonly problem?: string
  /** Why it should not be, although it can. */
  readonly warning?: string
}

/** Entries of a list, and characters of one. */
export const maxUrls = 100
export const maxUrlLength = 2048

/** Schemes that run script, show local content or lead nowhere: no callback belongs there. */
const refusedSchemes = new Set([
  ...['javascript:', 'data:', 'vbscript:', 'blob:', 'about:', 'file:', 'filesystem:', 'view-source:'],
  ...['ws:', 'wss:', 'ftp:', 'mailto:', 'tel:', 'sms:', 'chrome:', 'jar:', 'content:'],
])

export interface TargetRules {
  /** Third-party clients may register none. */
  readonly wildcards: boolean
}

/**
 * @spec RFC 6749 §3.1.2
 * @spec RFC 9700 §4.1.3
 */
export function callbackVerdict(text: string, rules: TargetRules): Verdict {
  if (text.includes('#')) return { problem: 'A callback URL has no fragment: leave out the # and what follows.' }
  return targetVerdict(text, rules)
}

/** A logout target's query and fragment are not compared, so they may stand there. */
export function logoutVerdict(text: string, rules: TargetRules): Verdict {
  return targetVerdict(text, rules)
}

function targetVerdict(text: string, { wildcards }: TargetRules): Verdict {
  const uri = parseUri(text)
  const isWeb = /^https?:/i.test(text)
  if (uri === undefined || (isWeb && !/^https?:\/\/[^/?#]/i.test(text))) return { problem: notAbsolute }
  if (refusedSchemes.has(uri.protocol)) {
    return { problem: `The scheme ${uri.protocol} is not allowed: use https, or the app's own scheme.` }
  }
  // `localhost:3000/x` reads as a scheme named localhost.
  if (!isWeb && !/^[a-z][a-z0-9+.-]*:\//i.test(text)) return { problem: notAbsolute }
  if (uri.username !== '' || uri.password !== '') return { problem: 'Leave the user name and password out of the URL.' }
  if (text.includes('*')) return wildcardVerdict(text, wildcards)
  return httpVerdict(uri)
}

const notAbsolute = 'This must be an absolute URL with its scheme, in ASCII, such as https://app.example.com/callback.'

function wildcardVerdict(text: string, allowed: boolean): Verdict {
  if (!allowed) return { problem: 'A third-party application may not use a wildcard: list each URL.' }
  if (splitWildcard(text) === undefined) {
    return {
      problem:
        'A * may stand once, in the left-most label of a host with two more labels, such as https://*.example.com/callback: list each URL instead.',
    }
  }
  return { warning: 'A wildcard lets every host of that name receive tokens: list each URL where you can.' }
}

function httpVerdict(uri: URL): Verdict {
  if (uri.protocol !== 'http:' || isLoopbackHost(uri.hostname)) return {}
  return { warning: 'Plain http lets everyone on the way read the answer: use https.' }
}

/** An origin is scheme, host and port alone. The value to keep is its normal form. */
export function originVerdict(text: string): Verdict & { readonly value?: string } {
  const origin = originOf(text)
  if (origin === undefined || !/^https?:\/\/[^/?#]/i.test(text)) {
    return { problem: 'This must be an origin: scheme, host and port, such as https://app.example.com.' }
  }
  if (text.includes('*')) {
    return {
      value: text,
      warning: 'Wildcards are not supported in origins, so this matches nothing: list each origin.',
    }
  }
  const isBare = text.toLowerCase() === origin || text.toLowerCase() === `${origin}/` || withoutPort(text) === origin
  if (!isBare) return { problem: `An origin has no path, query or fragment: write ${origin}.` }
  const uri = parseUri(text)
  return { value: origin, ...(uri === undefined ? {} : httpVerdict(uri)) }
}

/** Without a default port and a slash at the end, which say nothing. */
function withoutPort(text: string): string {
  return text
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/^(http:.*):80$/, '$1')
    .replace(/^(https:.*):443$/, '$1')
}

/** A page or picture that people are shown or sent to. */
export function linkVerdict(text: string): Verdict {
  const uri = parseUri(text)
  if (uri === undefined || !/^https?:\/\/[^/?#]/i.test(text)) {
    return { problem: 'This must be an absolute https URL, such as https://www.example.com/logo.svg.' }
  }
  if (uri.username !== '' || uri.password !== '') return { problem: 'Leave the user name and password out of the URL.' }
  return httpVerdict(uri)
}

/** Where the server itself sends people who arrive without a request. */
export function entryVerdict(text: string): Verdict {
  const uri = parseUri(text)
  const isSafe = uri?.protocol === 'https:' || (uri?.protocol === 'http:' && isLoopbackHost(uri.hostname))
  if (!isSafe || text.includes('#') || uri.username !== '') {
    return { problem: 'This must be an absolute https URL without a fragment, such as https://app.example.com/login.' }
  }
  return {}
}
