/** Owns the list of values that `prompt` may have. */

/** @spec OpenID Connect Core §3.1.2.1 */
export const prompts = ['none', 'login', 'consent', 'select_account'] as const

export type Prompt = (typeof prompts)[number]

export function isPrompt(word: string): word is Prompt {
  return (prompts as readonly string[]).includes(word)
}
