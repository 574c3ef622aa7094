/** Owns the shape of a grant: how a client gets an authorization at the token endpoint. A grant mints nothing and knows no HTTP. */
import type { Aggregates, Client } from '@latchkey/store'
import type { Authorization } from './authorization.ts'
import type { EndpointRequest } from './client_auth/client_auth.ts'
import type { Context } from './context.ts'
import type { Confirmation } from './proofs/confirmation.ts'

/** What a grant came to. */
export interface Granted {
  readonly authorization: Authorization
  /** What was asked for; the answer tells the scope where it is another, or where nothing was asked. */
  readonly asked?: readonly string[]
  /** The refresh token of the answer; `take` writes it down. */
  readonly refresh_token?: string
  /** More parameters of the answer. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /**
   * Takes what works once and writes what comes of it, in the transaction that writes the tokens.
   * @throws AlreadyTaken when somebody else was first
   */
  take?(store: Aggregates): Promise<void>
}

/** A request to the token endpoint whose client and whose sender are proved. */
export interface GrantRequest extends EndpointRequest {
  /** What the tokens will be bound to; what the grant takes may be bound to it already. */
  readonly confirmation?: Confirmation
}

export interface Grant {
  /** The word on the wire, in `grant_type` and in a client's `grant_types`. */
  readonly type: string
  /** Told in discovery only where a client of the tenant has it. */
  readonly where_listed?: true
  /** @throws OAuthError `invalid_request`, `invalid_grant` and others of RFC 6749 §5.2 */
  authorize(ctx: Context, client: Client, request: GrantRequest): Promise<Granted>
}

export function defineGrant(grant: Grant): Grant {
  return grant
}

/** What works once was taken between the look and the act: the grant is asked again, and sees it. */
export class AlreadyTaken extends Error {
  override readonly name = 'AlreadyTaken'
}
