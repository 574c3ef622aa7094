/** Owns what a password's text is: its one normal form, its bound, and the characters it may not hold. */

/** Longest password in bytes of its normal form as UTF-8. Argon2 has no limit of its own; this bounds the work. */
export const passwordMaxBytes = 1024

/** Before normalising, so that a huge text costs nothing. Composition never shrinks a text by more than this. */
const maxRawLength = passwordMaxBytes * 4

export type TextProblem =
  | { readonly code: 'password_too_long' /** In bytes of UTF-8. */; readonly max: number }
  | { readonly code: 'password_invalid_character' }

/**
 * The form in which a password is judged, hashed and verified, so that two keyboards that compose a letter
 * differently give one password. Nothing else is changed: no trimming, no case folding.
 *
 * @spec NIST SP 800-63B-4 §3.1.1.2
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFC')
}

/**
 * What makes a text no password at all: too long, a control character, or half of a surrogate pair.
 *
 * @returns undefined when there is nothing against it
 */
export function textProblem(password: string): TextProblem | undefined {
  if (password.length > maxRawLength) return { code: 'password_too_long', max: passwordMaxBytes }
  if (!password.isWellFormed() || /\p{Cc}/u.test(password)) return { code: 'password_invalid_character' }
  if (Buffer.byteLength(normalisePassword(password)) > passwordMaxBytes) {
    return { code: 'password_too_long', max: passwordMaxBytes }
  }
  return undefined
}
