/** Owns the shape of the check of a password, which is done where people are known: the context brings it along. */
import type { Connection, User } from '@latchkey/store'

export interface PasswordAttempt {
  readonly connection: Connection
  /** What the person typed as e-mail address or user name. */
  readonly identifier: string
  readonly password: string
  /** The network address of the person. */
  readonly ip: string
}

export type PasswordProblem = 'wrong_credentials' | 'too_many_attempts' | 'too_many_logins' | 'unavailable'

export type PasswordOutcome = { readonly user: User } | { readonly problem: PasswordProblem }

/** Counts the attempt, judges it, and takes as long for a person who does not exist. */
export type CheckPassword = (attempt: PasswordAttempt) => Promise<PasswordOutcome>
