/** Owns `form_post`: the answer as a form that the browser posts to the redirect URI. */
import { originOf } from '@latchkey/oauth'
import { defineResponseMode } from './response_mode.ts'

/** @spec OAuth 2.0 Form Post Response Mode §2 */
export const formPost = defineResponseMode({
  name: 'form_post',
  carries_tokens: true,
  // A browser hands a native app's own scheme an address, never a form.
  reaches: (redirect_uri) => originOf(redirect_uri) !== undefined,
  respond: ({ redirect_uri }, fields) => ({ kind: 'form_post', action: redirect_uri, fields }),
})
