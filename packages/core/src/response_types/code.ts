/** Owns `code`: an authorization code, which the client exchanges at the token endpoint. */
import { issueCode } from '../codes.ts'
import { defineResponseType } from './response_type.ts'

/** @spec RFC 6749 §4.1.2 */
export const code = defineResponseType({
  name: 'code',
  grant_type: 'authorization_code',
  async parts(ctx, authorization, _beside, request) {
    return { code: await issueCode(ctx, authorization, request) }
  },
})
