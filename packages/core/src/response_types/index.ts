/** Owns the list of response types, in the order their parts are made: an ID token vouches for what came before it. */
import { sameWords, words } from '@latchkey/oauth'
import { code } from './code.ts'
import { idToken } from './id_token.ts'
import { none } from './none.ts'
import type { ResponseType } from './response_type.ts'
import { token } from './token.ts'

const list: readonly ResponseType[] = [code, token, idToken, none]

/** What a request may ask for, as discovery says it. */
export const responseTypes: readonly string[] = [
  'code',
  'token',
  'id_token',
  'id_token token',
  'code id_token',
  'code token',
  'code id_token token',
  'none',
]

const combinations = responseTypes.map(words)

/**
 * The parts of a `response_type` value, whatever the order of its words; undefined when it is not one of ours.
 * @spec OAuth 2.0 Multiple Response Type Encoding Practices §3
 */
export function findResponseType(text: string): readonly ResponseType[] | undefined {
  const asked = words(text)
  if (!combinations.some((known) => sameWords(known, asked))) return undefined
  return list.filter((type) => asked.includes(type.name))
}

/** True when the answer itself carries tokens, which must then stay out of the query. */
export function isFrontChannel(response_type: readonly string[]): boolean {
  return response_type.includes('token') || response_type.includes('id_token')
}
