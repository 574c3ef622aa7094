/** Owns the outcome of a trip: who allowed what to whom. Response types turn it into parameters. */
import type { Client, ResourceServer, Session, User } from '@latchkey/store'
import type { CustomClaims } from './rules/rules.ts'

export interface Audience {
  /** The API asked for; without one the token serves `/userinfo` alone. */
  readonly api?: ResourceServer
  /** What the remembered yes is filed under. */
  readonly grant_audience: string
}

export interface Authorization {
  readonly client: Client
  readonly user: User
  readonly session: Session
  readonly audience: Audience
  /** The granted scopes. */
  readonly scope: readonly string[]
  readonly nonce?: string
  readonly tell_auth_time: boolean
  /** Of rules. */
  readonly claims?: CustomClaims
}
