/** Owns reading the certificate that a proxy passes on in a header. */

/**
 * The forms that proxies use: bytes between colons (RFC 9440), PEM in percent-encoding (nginx), Base64 alone.
 * @returns DER; undefined for anything else
 */
export function certificateFrom(header: string | undefined): Uint8Array | undefined {
  try {
    const text = decodeURIComponent(header ?? '')
    const bare = text.replace(/^\s*-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----\s*$/g, '').replace(/\s+/g, '')
    const base64 = /^:?([A-Za-z0-9+/]+=*):?$/.exec(bare)?.[1]
    return base64 === undefined ? undefined : Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))
  } catch {
    return undefined
  }
}
