/**
 * The vocabulary of OAuth 2.0 and OpenID Connect: error codes, parameters, scopes, the comparison of URIs.
 * Owns what both ends of the wire must agree on. Pure: no input, no output, no clock, no randomness.
 */
export * from './dpop.ts'
export * from './errors.ts'
export * from './parameters.ts'
export * from './scopes.ts'
export * from './uris.ts'
export * from './words.ts'
