/** Owns `client_secret_post`: the shared secret in the body. */
import { OAuthError } from '@latchkey/oauth'
import { defineClientAuthMethod } from './client_auth.ts'
import { sharedSecretMethods } from './client_secret_basic.ts'

/** @spec RFC 6749 §2.3.1 */
export const clientSecretPost = defineClientAuthMethod({
  name: 'client_secret_post',
  serves: sharedSecretMethods,
  find({ parameters }) {
    const secret = parameters.get('client_secret')
    if (secret === undefined) return undefined
    const client_id = parameters.get('client_id')
    if (client_id === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: client_id')
    return {
      client_id,
      prove: (ctx) => ctx.store.configuration.hasClientSecret(client_id, secret),
    }
  },
})
