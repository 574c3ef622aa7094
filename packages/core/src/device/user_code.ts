/** Owns the user code: eight letters that a person reads off a device and types elsewhere. */

/** Consonants alone, none of which is taken for another: no word comes about, and none is misread. @spec RFC 8628 §6.1 */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8

/** @param random random bytes as base64url */
export function newUserCode(random: (bytes: number) => string): string {
  let code = ''
  while (code.length < length) {
    for (const byte of Buffer.from(random(32), 'base64url')) {
      // Bytes beyond the largest multiple would make the first letters likelier.
      if (byte >= 256 - (256 % alphabet.length) || code.length === length) continue
      code += alphabet[byte % alphabet.length]
    }
  }
  return shownUserCode(code)
}

/** As people see it: XXXX-XXXX. */
function shownUserCode(letters: string): string {
  return `${letters.slice(0, length / 2)}-${letters.slice(length / 2)}`
}

/** What a person typed, in any case and with any signs between, as it was shown; undefined when it cannot be a code. */
export function readUserCode(typed: string): string | undefined {
  const letters = typed
    .slice(0, 100)
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
  if (letters.length !== length || ![...letters].every((letter) => alphabet.includes(letter))) return undefined
  return shownUserCode(letters)
}
