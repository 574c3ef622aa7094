/** Owns `client_secret_jwt`: a JWT with a code made of the shared secret. */
import { findAssertion } from './client_assertion.ts'
import { defineClientAuthMethod } from './client_auth.ts'

/** @spec OpenID Connect Core §9 */
export const clientSecretJwt = defineClientAuthMethod({
  name: 'client_secret_jwt',
  serves: ['client_secret_jwt'],
  find: (request) => findAssertion(request, 'client_secret_jwt', (alg) => alg.startsWith('HS')),
})
