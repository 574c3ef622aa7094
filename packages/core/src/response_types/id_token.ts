/** Owns `id_token`: the ID token in the answer itself. */
import { issueIdToken } from '../tokens/id_token.ts'
import { defineResponseType } from './response_type.ts'

/** @spec OpenID Connect Core §3.2.2.5 */
export const idToken = defineResponseType({
  name: 'id_token',
  grant_type: 'implicit',
  async parts(ctx, authorization, beside) {
    return { id_token: await issueIdToken(ctx, authorization, beside) }
  },
})
