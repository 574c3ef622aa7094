/** Owns the border to a tenant's rules: what they are given, what comes back, and what that means for a trip. */
import type { OAuthError } from '@latchkey/oauth'

/** Both are plain JSON, by the names of Auth0's rules. */
export interface RulesInput {
  readonly user: Readonly<Record<string, unknown>>
  readonly context: Readonly<Record<string, unknown>>
}

export type RulesResult =
  /** Every rule called back. `output` has the fields of `context` that rules may write, as they left them. */
  | { readonly kind: 'passed'; readonly output: Readonly<Record<string, unknown>> }
  /** A rule called back with an `UnauthorizedError`. */
  | { readonly kind: 'denied'; readonly rule: string; readonly message: string }
  /** A rule threw, called back with another error, took too long, or used up its memory. */
  | { readonly kind: 'failed'; readonly rule?: string; readonly reason: string }
  /** More runs are waiting than can be done in time. */
  | { readonly kind: 'busy' }

/** Runs the rules of the tenant, all of them and in order. Never rejects. */
export type RunRules = (input: RulesInput) => Promise<RulesResult>

/** Claims that rules put into tokens; those that no rule may set are out already. */
export interface CustomClaims {
  readonly id_token: Readonly<Record<string, unknown>>
  readonly access_token: Readonly<Record<string, unknown>>
}

/** What the rules decided. Without a refusal it is plain JSON, and kept with the trip so that they need not run twice. */
export interface RulesOutcome {
  /** Whom it is about: it counts for no other session. */
  readonly session_id: string
  readonly claims: CustomClaims
  /** The scopes to grant, where a rule has set them. */
  readonly scope?: readonly string[]
  readonly refusal?: OAuthError
  /** Where the browser must go before the trip goes on. */
  readonly redirect?: string
  /** A rule asks for a second factor. */
  readonly multifactor?: true
}
