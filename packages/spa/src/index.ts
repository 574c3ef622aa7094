/** The browser SDK of Latchkey. */

export { type Client, createClient, type LogoutOptions, type SignedIn, type TokenOptions } from './client.ts'
export { type ErrorCode, errorCodes, LatchkeyError } from './errors.ts'
export type { IdTokenClaims } from './id_token.ts'
export type { SigningAlg } from './jwks.ts'
export type { User } from './memory.ts'
export type { ClientOptions, TokenSet } from './options.ts'
export type { AuthorizeOptions } from './request.ts'
export type { TransactionStorage } from './transaction.ts'
