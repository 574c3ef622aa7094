/**
 * People: how they prove who they are, sign up, recover, and stay signed in. Owns no page and no cookie; those are the server's.
 */
export { addressBucket } from './addresses.ts'
export type { AddressLimits, IdentityContext, MailKind } from './context.ts'
export { hexadecimal, newUserId } from './ids.ts'
export { tripDelay } from './limits.ts'
export type { LoginOutcome, LoginProblem } from './login_method.ts'
export { loginMethods } from './methods/index.ts'
export { findPerson, type PasswordForm, password } from './methods/password.ts'
export { strengthOf } from './passwords/policy.ts'
export * from './passwords.ts'
export { beginSession, findSession, silentSecret } from './sessions.ts'
export { isEmail, isUsername, type SignupForm, type SignupOutcome, type SignupProblem, signUp } from './signup.ts'
export {
  newPasswordProblems,
  peekTicket,
  resetPassword,
  sendPasswordReset,
  sendVerification,
  unblockByTicket,
  verifyEmail,
} from './tickets.ts'
export { countUserCode, forgiveUserCode } from './user_code_limits.ts'
