/** Owns the certificate that a client shows in the TLS handshake: its thumbprint, who issued it, and the names in it. */
import type { X509Certificate } from 'node:crypto'
import { createHash } from 'node:crypto'

export type ClientCertificate = X509Certificate

/** How this server knows clients by their certificates; absent where no connection brings one. */
export interface MutualTls {
  /** The certificates of authorities, each of which vouches for those it issued itself. */
  readonly authorities: readonly X509Certificate[]
  /** Where clients with a certificate call, with a trailing slash, if that is not the issuer. @spec RFC 8705 §5 */
  readonly url?: string
}

/** @spec RFC 8705 §3.1 */
export function certificateThumbprint(certificate: ClientCertificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url')
}

/** The extended key usage of TLS clients (RFC 5280 §4.2.1.12). */
const clientAuth = '1.3.6.1.5.5.7.3.2'

/**
 * True when one of the authorities issued this certificate for a TLS client, and both are valid now. Nobody further up is asked:
 * an authority in between must be listed itself.
 * @param now milliseconds since 1970
 * @spec RFC 8705 §2.1
 */
export function isVouchedFor(
  certificate: ClientCertificate,
  authorities: readonly X509Certificate[],
  now: number,
): boolean {
  const usage: readonly string[] | undefined = certificate.keyUsage
  if (!isCurrent(certificate, now) || (usage !== undefined && !usage.includes(clientAuth))) return false
  return authorities.some(
    (authority) =>
      authority.ca &&
      isCurrent(authority, now) &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  )
}

export function isCurrent({ validFrom, validTo }: ClientCertificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo)
}
