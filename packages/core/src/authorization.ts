/** Owns the outcome of a trip or a grant: who allowed what to whom. Response types and the token endpoint turn it into tokens. */
import type { Client, ResourceServer, Session, User } from '@latchkey/store'
import type { AuthorizationDetail } from './authorization_details.ts'
import type { RequestedClaims } from './claims_request.ts'
import type { Confirmation } from './proofs/confirmation.ts'
import type { CustomClaims } from './rules/rules.ts'
import type { Actor } from './token_exchange/party.ts'

export interface Audience {
  /** The API asked for; without one the token serves `/userinfo` alone. */
  readonly api?: ResourceServer
  /** The other APIs asked for beside it: one authorization, from which tokens for each of them may come. */
  readonly more?: readonly ResourceServer[]
  /** What the remembered yes is filed under, that of `api`. */
  readonly grant_audience: string
}

/** What tokens tell of the session behind them. */
export type SessionFacts = Pick<Session, 'session_id' | 'auth_time' | 'amr'>

export interface Authorization {
  readonly client: Client
  /** Absent where a client acts for itself. */
  readonly user?: User
  /** As it was when the person signed in; absent where no browser was there. */
  readonly session?: SessionFacts
  readonly audience: Audience
  /** The granted scopes. */
  readonly scope: readonly string[]
  /** What the client asked for. */
  readonly asked?: readonly string[]
  /** The words of `response_type`; none where the token endpoint alone was asked. */
  readonly response_type: readonly string[]
  readonly nonce?: string
  readonly tell_auth_time: boolean
  /** Tokens say of which class the sign-in was. */
  readonly tell_acr?: true
  /** Single claims that were asked for. */
  readonly requested_claims?: RequestedClaims
  /** Rich requests that were allowed. */
  readonly authorization_details?: readonly AuthorizationDetail[]
  /** Of rules. */
  readonly claims?: CustomClaims
  /** What came of one code: revoking it revokes all of that. */
  readonly lineage?: string
  /** Auth0's claim `gty`, for grants without a browser. */
  readonly gty?: string
  /** The subject, where it is no person. */
  readonly sub?: string
  /** Who acts for the subject. */
  readonly act?: Actor
  /** Seconds since 1970: no token of it lives longer. */
  readonly ends_at?: number
  /** What the access token is bound to; with a refresh token, what that one is bound to. */
  readonly confirmation?: Confirmation
}

/** An authorization by a person. */
export type PersonalAuthorization = Authorization & { readonly user: User }
