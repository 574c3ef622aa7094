/** Owns the authentication context classes: by which words an ID token says how well a person proved who he is. */

interface AuthenticationContext {
  /** The word on the wire, in `acr` and `acr_values`. */
  readonly acr: string
  /** Whether a sign-in by these methods is of this class. */
  holds(amr: readonly string[]): boolean
}

/** The strongest first. */
const list: readonly AuthenticationContext[] = [
  {
    acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    holds: (amr) => amr.includes('pwd'),
  },
]

/** Every class that somebody can reach here. @spec OpenID Connect Discovery §3 */
export const acrValues: readonly string[] = list.map(({ acr }) => acr)

/** The class of a sign-in; undefined where none of them holds. @spec OpenID Connect Core §2 */
export function acrOf(amr: readonly string[]): string | undefined {
  return list.find((one) => one.holds(amr))?.acr
}
