/** Owns `fragment`: the answer behind the `#` of the redirect URI, which browsers keep from the client's server. */
import { encodeParameters } from '@latchkey/oauth'
import { defineResponseMode } from './response_mode.ts'

/** @spec RFC 6749 §4.2.2 */
export const fragment = defineResponseMode({
  name: 'fragment',
  carries_tokens: true,
  reaches: () => true,
  respond: ({ redirect_uri }, parameters) => ({
    kind: 'redirect',
    location: `${redirect_uri}#${encodeParameters(Object.entries(parameters))}`,
  }),
})
