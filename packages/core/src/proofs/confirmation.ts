/** Owns what a token is bound to: whoever uses it must show that he holds this key. */

/**
 * The claim `cnf`, as a JWT and an introspection answer carry it. Each member that is there must be proved.
 * @spec RFC 7800 §3.1
 */
export interface Confirmation {
  /** The thumbprint of the key of DPoP proofs. @spec RFC 9449 §6.1 */
  readonly jkt?: string
  /** The thumbprint of the certificate of the TLS connection. @spec RFC 8705 §3.1 */
  readonly 'x5t#S256'?: string
}

/** Thumbprints are SHA-256 as base64url. */
export const isThumbprint = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]{42}[AEIMQUYcgkosw048]$/.test(value)

/**
 * Reads `cnf` of a token of our own.
 * @throws Error for a confirmation that this server cannot check: such a token is worth nothing here
 */
export function readConfirmation(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return undefined
  const members = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  const known = members.every(([name, value]) => (name === 'jkt' || name === 'x5t#S256') && isThumbprint(value))
  if (members.length === 0 || !known) throw new Error('The token is bound in a way that this server does not know')
  return Object.fromEntries(members)
}
