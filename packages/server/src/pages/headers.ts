/** Owns the Content-Security-Policy of the hosted pages and the source expressions that go into it. */
import { linkAddress, webAddress } from './addresses.ts'

export interface PolicyParts {
  /** Fresh for every response. */
  readonly nonce: string
  /** Where a form of this page may lead, redirects included: see `formActionSource`. */
  readonly form_action: readonly string[]
  /** Origins that may frame the page; none as a rule. */
  readonly frame_ancestors: readonly string[]
  /** Origins of the logos on the page: see `imageSources`. */
  readonly img_src: readonly string[]
  /** Origins that the page may frame; none as a rule. */
  readonly frame_src?: readonly string[]
  /** For pages that an administrator has written: their scripts may call this server. */
  readonly connects?: boolean
  /** For the development mailbox alone, which shows mails, and mails carry their styles in attributes. */
  readonly inline_styles?: boolean
}

/**
 * The Content-Security-Policy header of one response. A source that no policy can express (an IPv6 address, a host with
 * a semicolon) is left out, which only makes the policy stricter.
 * @throws RangeError when the nonce could change the policy
 * @spec CSP Level 3 §6
 */
export function contentSecurityPolicy(parts: PolicyParts): string {
  if (!/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(parts.nonce))
    throw new RangeError('The nonce must be base64 of 12 bytes or more')
  const nonce = `'nonce-${parts.nonce}'`
  const style = parts.inline_styles === true ? `'self' 'unsafe-inline'` : `'self' ${nonce}`
  const framed = sources([], parts.frame_src ?? [])
  return [
    `default-src 'none'`,
    `style-src ${style}`,
    `script-src ${nonce} 'self'`,
    ...(parts.connects === true ? [`connect-src 'self'`] : []),
    `img-src ${sources([`'self'`], parts.img_src)}`,
    // Chromium applies this to the redirect that follows a form post as well, so the client's target must be listed.
    `form-action ${sources([`'self'`], parts.form_action)}`,
    `frame-ancestors ${sources([], parts.frame_ancestors) || `'none'`}`,
    `base-uri 'none'`,
    ...(framed === '' ? [] : [`frame-src ${framed}`]),
  ].join('; ')
}

function sources(first: readonly string[], more: readonly string[]): string {
  return [...new Set([...first, ...more.filter(isSource)])].join(' ')
}

function isSource(text: string): boolean {
  return /^([a-z][a-z0-9+.-]*:|https?:\/\/[a-z0-9._-]+(:[0-9]{1,5})?)$/.test(text)
}

/**
 * The source expression that lets a form's answer redirect to a URI: its origin, or `scheme:` for a native app.
 * A Content-Security-Policy cannot name an IPv6 address, so such a target is listed by its scheme.
 */
export function formActionSource(redirectUri: string): string | undefined {
  if (linkAddress(redirectUri) === undefined) return undefined
  const { protocol, hostname, origin } = new URL(redirectUri)
  const web = protocol === 'http:' || protocol === 'https:'
  return web && !hostname.startsWith('[') ? origin : protocol
}

/** The origins to allow for pictures; an address that is not http or https is left out. */
export function imageSources(addresses: readonly (string | undefined)[]): readonly string[] {
  const pictures = addresses.flatMap((address) => webAddress(address) ?? [])
  return [...new Set(pictures.map((address) => new URL(address).origin))]
}
