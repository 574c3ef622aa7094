/** Owns the list of values that `prompt` may have. */

/**
 * @spec OpenID Connect Core §3.1.2.1
 * @spec Initiating User Registration via OpenID Connect §4
 */
export const prompts = ['none', 'login', 'consent', 'select_account', 'create'] as const

export type Prompt = (typeof prompts)[number]

export function isPrompt(word: string): word is Prompt {
  return (prompts as readonly string[]).includes(word)
}
