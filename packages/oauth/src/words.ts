/** Owns the space-separated lists of RFC 6749 §3.3: scopes, response types, prompts. */

/** Splits a space-separated list, dropping repeats and keeping the order. */
export function words(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return []
  if (!text.includes(' ')) return [text]
  return [...new Set(text.split(' ').filter((word) => word !== ''))]
}

/** True when both lists hold the same words, whatever the order. */
export function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word))
}

/** True when the text is a list of scope-tokens: printable ASCII without `"` and `\`, separated by spaces. */
export function isScopeText(text: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
}
