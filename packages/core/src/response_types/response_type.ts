/** Owns the shape of a response type: the parameters that one word of `response_type` adds to the answer. */
import type { PersonalAuthorization } from '../authorization.ts'
import type { AuthorizationRequest } from '../authorization_request.ts'
import type { Context } from '../context.ts'

/** Parameters of an answer, by wire name, in the order they are sent. */
export type ResponseParameters = Readonly<Record<string, string>>

export interface ResponseType {
  /** The word on the wire. */
  readonly name: string
  /** The grant type that a client must have for it; a type that yields nothing needs none. */
  readonly grant_type?: string
  /** @param beside what the words before this one, in the order of the list, have added already */
  parts(
    ctx: Context,
    authorization: PersonalAuthorization,
    beside: ResponseParameters,
    request: AuthorizationRequest,
  ): Promise<ResponseParameters>
}

export function defineResponseType(type: ResponseType): ResponseType {
  return type
}
