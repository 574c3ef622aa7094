/** Owns `none`: the client learns that the person signed in and said yes, and gets nothing. */
import { defineResponseType } from './response_type.ts'

/** @spec OAuth 2.0 Multiple Response Type Encoding Practices §4 */
export const none = defineResponseType({
  name: 'none',
  parts: async () => ({}),
})
