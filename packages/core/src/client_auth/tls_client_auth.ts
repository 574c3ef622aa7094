/** Owns `tls_client_auth`: a certificate that a known authority issued, with the name that the client was registered with. */
import { bearsNameOf } from '../proofs/certificate_names.ts'
import { isVouchedFor } from '../proofs/client_certificate.ts'
import { defineClientAuthMethod } from './client_auth.ts'

/** @spec RFC 8705 §2.1 */
export const tlsClientAuth = defineClientAuthMethod({
  name: 'tls_client_auth',
  serves: ['tls_client_auth'],
  isOffered: ({ mtls }) => mtls !== undefined && mtls.authorities.length > 0,
  find({ parameters, certificate }) {
    const client_id = parameters.get('client_id')
    if (client_id === undefined) return undefined
    return {
      client_id,
      async prove(ctx, client) {
        if (certificate === undefined || client === undefined) return false
        return isVouchedFor(certificate, ctx.mtls?.authorities ?? [], ctx.now()) && bearsNameOf(client, certificate)
      },
    }
  },
})
