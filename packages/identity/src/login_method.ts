/** Owns the shape of a login method: one way to prove who one is. */
import type { User } from '@latchkey/store'
import type { IdentityContext } from './context.ts'

/** Why a person could not be signed in: an expected mistake, so a value and not an exception. */
export type LoginProblem = 'wrong_credentials' | 'too_many_attempts' | 'too_many_logins' | 'unavailable'

export type LoginOutcome = { readonly user: User } | { readonly problem: LoginProblem }

export interface LoginMethod<Form> {
  readonly id: string
  /** Authentication method references for the session. @spec RFC 8176 §2 */
  readonly amr: readonly string[]
  verify(ctx: IdentityContext, form: Form): Promise<LoginOutcome>
}

export function defineLoginMethod<Form>(method: LoginMethod<Form>): LoginMethod<Form> {
  return method
}
