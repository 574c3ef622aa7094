/** Owns the list of human mistakes a form can answer with, and which fields each one is about. */

type Field = 'username' | 'email' | 'password' | 'password_confirm' | 'code'

/** Every code has a text `problems.<code>` in each language. Where Auth0's API names the same mistake, its word is used. */
export const problems = {
  wrong_credentials: ['username', 'password'],
  missing_username: ['username'],
  missing_email: ['email'],
  missing_password: ['password'],
  too_many_attempts: [],
  user_blocked: [],
  password_leaked: ['password'],
  session_changed: [],
  unavailable: [],
  signup_disabled: [],
  invalid_signup: [],
  invalid_email: ['email'],
  user_exists: ['email'],
  invalid_username: ['username'],
  username_exists: ['username'],
  invalid_password: ['password'],
  password_too_long: ['password'],
  password_strength_error: ['password'],
  password_dictionary_error: ['password'],
  password_no_user_info_error: ['password'],
  password_history_error: ['password'],
  password_mismatch: ['password_confirm'],
  missing_user_code: ['code'],
  unknown_user_code: ['code'],
  too_many_user_codes: [],
} as const satisfies Record<string, readonly Field[]>

export type ProblemCode = keyof typeof problems

export interface ShownProblem {
  readonly code: ProblemCode
  readonly id: string
  readonly text: string
  /** The `id` of the input to go to. */
  readonly target: string | undefined
}

export interface ShownProblems {
  readonly problems: readonly ShownProblem[]
  /** By field name: the ids of the problems that describe it, for `aria-describedby`. */
  readonly invalid: Readonly<Record<string, string>>
}

/** Turns codes into what a page shows: the texts, and for each field the ids of what is wrong with it. */
export function showProblems(codes: readonly ProblemCode[], text: (code: ProblemCode) => string): ShownProblems {
  const invalid: Record<string, string> = {}
  const shown = codes.map((code) => {
    const id = `problem-${code.replaceAll('_', '-')}`
    const fields: readonly Field[] = problems[code]
    for (const field of fields) invalid[field] = invalid[field] === undefined ? id : `${invalid[field]} ${id}`
    return { code, id, text: text(code), target: fields[0]?.replaceAll('_', '-') }
  })
  return { problems: shown, invalid }
}
