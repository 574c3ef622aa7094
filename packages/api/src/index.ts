/**
 * Checks access tokens where an API receives them.
 * Owns the decision whether a token is good and what a refused caller is told; owns no route, no user and no session.
 */
export { type Answer, answerTo } from './answer.ts'
export { authenticate, type PresentedRequest } from './authenticate.ts'
export type { AccessTokenClaims } from './claims.ts'
export { OptionError, type VerifierOptions } from './options.ts'
export type { ProofMemory } from './proof_memory.ts'
export { type ProtectedResource, type ProtectedResourceOptions, protectedResource } from './protected_resource.ts'
export { requireAnyScope, requireScope, type ScopeCheck } from './scope.ts'
export type { TokenSender } from './sender.ts'
export { type AuthenticationOptions, requireAuthentication } from './step_up.ts'
export { TokenError, type TokenErrorCode } from './token_error.ts'
export { createVerifier, type Verifier } from './verifier.ts'
