/** Owns the list of response modes. */
import type { Context } from '../context.ts'
import { isSwitchedOff } from '../switched_off.ts'
import { formPost } from './form_post.ts'
import { fragment } from './fragment.ts'
import { jwt, jwtModes } from './jwt.ts'
import { owp } from './owp.ts'
import { query } from './query.ts'
import type { ResponseMode } from './response_mode.ts'
import { webMessage } from './web_message.ts'

export { meantMode } from './jwt.ts'
export type { AuthorizationResponse, ResponseMode } from './response_mode.ts'

export const responseModes: readonly ResponseMode[] = [fragment, query, formPost, webMessage, jwt, ...jwtModes]

/** For popups: instead of an address, where `owp=true` asks for that and the address has an origin. */
export const popupMode: ResponseMode = owp

/** As discovery lists them. */
export function offeredResponseModes(ctx: Pick<Context, 'configuration'>): readonly ResponseMode[] {
  return responseModes.filter((mode) => !isSwitchedOff(ctx, 'response_modes', mode.name))
}

/** Those that a tenant can do without; the other two carry every answer that names no mode, and every refusal. */
export const optionalResponseModes: readonly string[] = responseModes
  .filter((mode) => mode !== fragment && mode !== query)
  .map((mode) => mode.name)

export function findResponseMode(name: string): ResponseMode | undefined {
  return responseModes.find((mode) => mode.name === name)
}
