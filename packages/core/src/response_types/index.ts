/** Owns the list of response types, in the order their parts are made: an ID token vouches for what came before it. */
import { sameWords, words } from '@latchkey/oauth'
import type { Context } from '../context.ts'
import { isSwitchedOff } from '../switched_off.ts'
import { code } from './code.ts'
import { idToken } from './id_token.ts'
import { none } from './none.ts'
import type { ResponseType } from './response_type.ts'
import { token } from './token.ts'

const list: readonly ResponseType[] = [code, token, idToken, none]

/** What a request may ask for. */
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

/** As discovery lists them: a type needs the grants of all its parts. */
export function offeredResponseTypes(ctx: Pick<Context, 'configuration'>): readonly string[] {
  return responseTypes.filter((type) => isOfferedType(ctx, findResponseType(type) ?? []))
}

/** False where the tenant has switched the combination off, or a grant that it needs. */
export function isOfferedType(ctx: Pick<Context, 'configuration'>, types: readonly ResponseType[]): boolean {
  const { disabled_response_types: off } = ctx.configuration.settings
  if (types.some(({ grant_type = '' }) => isSwitchedOff(ctx, 'grant_types', grant_type))) return false
  if (off === undefined) return true
  const names = types.map(({ name }) => name)
  return !off.some((one) => sameWords(words(one), names))
}

/** True when the answer itself carries tokens, which must then stay out of the query. */
export function isFrontChannel(response_type: readonly string[]): boolean {
  return response_type.includes('token') || response_type.includes('id_token')
}
