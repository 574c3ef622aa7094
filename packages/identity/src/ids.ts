/** Owns the shapes of ids, which are Auth0's. */

export type Random = (bytes: number) => string

/** `auth0|` and 24 hexadecimal digits. */
export function newUserId(random: Random): string {
  return `auth0|${hexadecimal(random, 12)}`
}

export function hexadecimal(random: Random, bytes: number): string {
  return Buffer.from(random(bytes), 'base64url').toString('hex')
}
