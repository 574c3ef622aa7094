/** Owns `self_signed_tls_client_auth`: a certificate, or the key in it, that stands in the client's own key set. */
import { createPublicKey } from 'node:crypto'
import type { ClientCertificate } from '../proofs/client_certificate.ts'
import { isCurrent } from '../proofs/client_certificate.ts'
import { defineClientAuthMethod } from './client_auth.ts'

/** @spec RFC 8705 §2.2 */
export const selfSignedTlsClientAuth = defineClientAuthMethod({
  name: 'self_signed_tls_client_auth',
  serves: ['self_signed_tls_client_auth'],
  isOffered: ({ mtls }) => mtls !== undefined,
  find({ parameters, certificate }) {
    const client_id = parameters.get('client_id')
    if (client_id === undefined) return undefined
    return {
      client_id,
      async prove(ctx, client) {
        if (certificate === undefined || client === undefined || !isCurrent(certificate, ctx.now())) return false
        return (client.jwks?.keys ?? []).some((key) => isRegistered(key, certificate))
      },
    }
  },
})

/** With `x5c` that very certificate, else any certificate of the key. @spec RFC 8705 §2.2.2 */
function isRegistered(jwk: Readonly<Record<string, unknown>>, certificate: ClientCertificate): boolean {
  if (Array.isArray(jwk.x5c)) return jwk.x5c[0] === certificate.raw.toString('base64')
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }).equals(certificate.publicKey)
  } catch {
    // A key for something else, which Node does not know.
    return false
  }
}
