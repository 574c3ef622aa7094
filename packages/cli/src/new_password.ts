/** Owns the password that is made for a user who was given none. */

/** 20 characters of base64url, 120 bits, that every strength level accepts: all classes, no character three times in a row. */
export function newPassword(random: (bytes: number) => string): string {
  for (;;) {
    const password = random(15)
    const hasAll = [/[a-z]/, /[A-Z]/, /[0-9]/].every((kind) => kind.test(password))
    // A leading hyphen would be taken for a switch where it is pasted.
    if (hasAll && !/(.)\1\1/.test(password) && !password.startsWith('-')) return password
  }
}
