/** Owns `self_signed_tls_client_auth`: a certificate whose key stands in the client's own key set. */
import type { Client } from '@latchkey/store'
import { type ClientKeys, clientKeys } from '../client_keys.ts'
import type { Context } from '../context.ts'
import { type ClientCertificate, isCurrent } from '../proofs/client_certificate.ts'
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
        return isRegistered(ctx, client, certificate)
      },
    }
  },
})

/** The TLS handshake has proved the key; who signed the certificate around it says nothing. @spec RFC 8705 §2.2.2 */
async function isRegistered(ctx: Context, client: Client, { publicKey }: ClientCertificate): Promise<boolean> {
  const holds = ({ keys }: ClientKeys) => keys.some(({ key }) => key.equals(publicKey))
  const known = await clientKeys(ctx, client)
  return holds(known) || (known.document !== undefined && holds(await clientKeys(ctx, client, known)))
}
