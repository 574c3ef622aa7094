/** Owns what the pages say about passwords: the policy of a connection, and what was wrong with a new one. */
import {
  type IdentityContext,
  type PasswordProblem,
  passwordLevels,
  type SignupProblem,
  strengthOf,
} from '@latchkey/identity'
import type { ConnectionOptions } from '@latchkey/store'
import type { PasswordPolicy, PasswordStrength, ProblemCode } from './pages/index.ts'

export function policyOf(options: ConnectionOptions): PasswordPolicy {
  const name = options.passwordPolicy ?? 'good'
  const strength = (passwordLevels.includes(name) ? name : 'good') as PasswordStrength
  return { strength, min_length: strengthOf(options).min_length }
}

/** Taken addresses are not told apart from other refusals, unless the tenant says so: the page would list who has an account. */
export function signupProblems(ctx: IdentityContext, problem: SignupProblem): readonly ProblemCode[] {
  if (problem.code === 'invalid_password') return passwordProblems(problem.problems)
  const tells = ctx.configuration.settings.flags?.enable_public_signup_user_exists_error === true
  if (problem.code === 'user_exists' || problem.code === 'username_exists')
    return [tells ? problem.code : 'invalid_signup']
  return [problem.code === 'too_many_signups' ? 'too_many_attempts' : problem.code]
}

export function passwordProblems(problems: readonly PasswordProblem[]): readonly ProblemCode[] {
  return [...new Set(problems.map(({ code }) => pageCodes[code] ?? 'password_strength_error'))]
}

const pageCodes: Readonly<Record<string, ProblemCode>> = {
  password_too_long: 'password_too_long',
  password_too_common: 'password_dictionary_error',
  password_personal_info: 'password_no_user_info_error',
  password_in_history: 'password_history_error',
}
