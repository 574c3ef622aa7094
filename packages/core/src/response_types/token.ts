/** Owns `token`: the access token in the answer itself. */
import { forTarget } from '../resources.ts'
import { issueAccessToken } from '../tokens/access_token.ts'
import { defineResponseType } from './response_type.ts'

/** @spec RFC 6749 §4.2.2 */
export const token = defineResponseType({
  name: 'token',
  grant_type: 'implicit',
  async parts(ctx, authorization) {
    const target = forTarget(ctx, authorization)
    const { access_token, token_type, expires_in } = await issueAccessToken(ctx, target)
    const narrowed = target === authorization ? {} : { scope: target.scope.join(' ') }
    return { access_token, token_type, expires_in: String(expires_in), ...narrowed }
  },
})
