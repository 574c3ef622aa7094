/** Owns the Content-Security-Policy of the hosted pages and the source expressions that go into it. */
import { webAddress } from './addresses.ts'

export interface PolicyParts {
  /** Fresh for every response. */
  readonly nonce: string
  /** Where a form of this page may lead, redirects included: see `formActionSource`. */
  readonly form_action: readonly string[]
  /** Origins that may frame the page; none as a rule. */
  readonly frame_ancestors: readonly string[]
  /** Origins of the logos and portraits on the page: see `imageSources`. */
  readonly img_src: readonly string[]
  /** For the development mailbox alone, which shows mails, and mails carry their styles in attributes. */
  readonly inline_styles?: boolean
}

/**
 * The Content-Security-Policy header of one response.
 * @throws RangeError when a source expression or the nonce could change the policy
 * @spec CSP Level 3 §6
 */
export function contentSecurityPolicy(parts: PolicyParts): string {
  if (!/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(parts.nonce))
    throw new RangeError('The nonce must be base64 of 12 bytes or more')
  const nonce = `'nonce-${parts.nonce}'`
  const style = parts.inline_styles === true ? `'self' 'unsafe-inline'` : `'self' ${nonce}`
  return [
    `default-src 'none'`,
    `style-src ${style}`,
    `script-src ${nonce} 'self'`,
    `img-src ${sources([`'self'`], parts.img_src)}`,
    // Chromium applies this to the redirect that follows a form post as well, so the client's target must be listed.
    `form-action ${sources([`'self'`], parts.form_action)}`,
    `frame-ancestors ${parts.frame_ancestors.length === 0 ? `'none'` : sources([], parts.frame_ancestors)}`,
    `base-uri 'none'`,
  ].join('; ')
}

function sources(first: readonly string[], more: readonly string[]): string {
  for (const source of more) {
    if (!/^([a-z][a-z0-9+.-]*:|https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?)$/.test(source)) {
      throw new RangeError(`${JSON.stringify(source)} is no origin or scheme for a Content-Security-Policy`)
    }
  }
  return [...new Set([...first, ...more])].join(' ')
}

/**
 * The source expression that lets a form's answer redirect to a URI: its origin, or `scheme:` for a native app.
 * A Content-Security-Policy cannot name an IPv6 address, so such a target is listed by its scheme.
 */
export function formActionSource(redirectUri: string): string | undefined {
  if (!URL.canParse(redirectUri)) return undefined
  const { protocol, hostname, origin } = new URL(redirectUri)
  const web = protocol === 'http:' || protocol === 'https:'
  return web && !hostname.startsWith('[') ? origin : protocol
}

/** The origins to allow for pictures; an address that is not http or https, or has an IPv6 host, is left out. */
export function imageSources(addresses: readonly (string | undefined)[]): readonly string[] {
  const origins = addresses.flatMap((address) => {
    const source = webAddress(address) === undefined ? undefined : formActionSource(address ?? '')
    return source?.includes('//') ? [source] : []
  })
  return [...new Set(origins)]
}
