/** Owns the shape of a response mode: how the parameters of an answer reach the client. Pure. */
import type { ResponseParameters } from '../response_types/response_type.ts'

/** What the HTTP layer has to send. */
export type AuthorizationResponse =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'form_post'; readonly action: string; readonly fields: ResponseParameters }
  /** Without `target_origin` nothing may be posted: the origin is not one of the client's Allowed Web Origins. */
  | {
      readonly kind: 'web_message' | 'owp'
      readonly target_origin: string | undefined
      readonly response: ResponseParameters
    }

export interface ResponseTarget {
  readonly redirect_uri: string
  readonly web_origins: readonly string[]
}

export interface ResponseMode {
  /** The word on the wire. */
  readonly name: string
  /** True when access tokens may travel this way. */
  readonly carries_tokens: boolean
  /** The parameters travel inside a signed JWT. */
  readonly wraps?: 'jwt'
  /** True when an answer can be sent to this redirect URI this way. */
  reaches(redirect_uri: string): boolean
  respond(target: ResponseTarget, parameters: ResponseParameters): AuthorizationResponse
}

export function defineResponseMode(mode: ResponseMode): ResponseMode {
  return mode
}
