/** Owns the shape of a response type: the parameters that one word of `response_type` adds to the answer. */
import type { Authorization } from '../authorization.ts'
import type { Context } from '../context.ts'

/** Parameters of an answer, by wire name, in the order they are sent. */
export type ResponseParameters = Readonly<Record<string, string>>

export interface ResponseType {
  /** The word on the wire. */
  readonly name: string
  /** The grant type that a client must have for it. */
  readonly grant_type: string
  /** Where the answer goes unless the request says otherwise. */
  readonly default_mode: 'fragment' | 'query'
  /** @param beside what the words before this one, in the order of the list, have added already */
  parts(ctx: Context, authorization: Authorization, beside: ResponseParameters): Promise<ResponseParameters>
}

export function defineResponseType(type: ResponseType): ResponseType {
  return type
}
