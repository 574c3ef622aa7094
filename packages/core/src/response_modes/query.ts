/** Owns `query`: the answer in the query of the redirect URI. Never for tokens. */
import { encodeParameters } from '@latchkey/oauth'
import { defineResponseMode } from './response_mode.ts'

/** The redirect URI's own query stays. @spec RFC 6749 §4.1.2 */
export const query = defineResponseMode({
  name: 'query',
  carries_tokens: false,
  reaches: () => true,
  respond: ({ redirect_uri }, parameters) => ({
    kind: 'redirect',
    location: `${redirect_uri}${separator(redirect_uri)}${encodeParameters(Object.entries(parameters))}`,
  }),
})

function separator(redirect_uri: string): string {
  if (!redirect_uri.includes('?')) return '?'
  return redirect_uri.endsWith('?') || redirect_uri.endsWith('&') ? '' : '&'
}
