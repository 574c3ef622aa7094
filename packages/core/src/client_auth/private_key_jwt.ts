/** Owns `private_key_jwt`: a JWT that the client signs with its own key. */
import { findAssertion } from './client_assertion.ts'
import { defineClientAuthMethod } from './client_auth.ts'

/** @spec OpenID Connect Core §9 */
export const privateKeyJwt = defineClientAuthMethod({
  name: 'private_key_jwt',
  serves: ['private_key_jwt'],
  find: (request) => findAssertion(request, 'private_key_jwt', (alg) => !alg.startsWith('HS')),
})
