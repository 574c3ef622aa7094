/** Owns the list of response types, in the order their parts are made: an ID token vouches for what came before it. */
import { sameWords, words } from '@latchkey/oauth'
import { idToken } from './id_token.ts'
import type { ResponseType } from './response_type.ts'
import { token } from './token.ts'

const list: readonly ResponseType[] = [token, idToken]

/** What a request may ask for, as discovery says it. */
export const responseTypes: readonly string[] = ['token', 'id_token', 'id_token token']

/**
 * The parts of a `response_type` value, whatever the order of its words; undefined when it is not one of ours.
 * @spec OAuth 2.0 Multiple Response Type Encoding Practices §3
 */
export function findResponseType(text: string): readonly ResponseType[] | undefined {
  const asked = words(text)
  if (!responseTypes.some((known) => sameWords(words(known), asked))) return undefined
  return list.filter((type) => asked.includes(type.name))
}
