/** Owns which passwords a connection accepts: strength levels, common words, personal information. */
import { isCommonPassword } from './dictionary.ts'
import { personalField } from './personal_info.ts'
import { normalisePassword, type TextProblem, textProblem } from './text.ts'

/** The words of the rules on the wire. */
export type CharacterClass = 'lowerCase' | 'upperCase' | 'numbers' | 'specialCharacters'

/** What is wrong with a password, as data: the pages have the sentences. */
export type PasswordProblem =
  | TextProblem
  | { readonly code: 'password_too_short' /** In characters. */; readonly min: number }
  | {
      readonly code: 'password_missing_classes'
      readonly at_least: number
      readonly of: readonly CharacterClass[]
      readonly missing: readonly CharacterClass[]
    }
  | { readonly code: 'password_repeated_characters' /** In a row. */; readonly max: number }
  | { readonly code: 'password_too_common' }
  | { readonly code: 'password_personal_info' /** The field of the person it holds. */; readonly field: string }
  | { readonly code: 'password_in_history' /** How many passwords are looked back at. */; readonly size: number }

/** The password options of a database connection, as they are on the wire. */
export interface PasswordPolicy {
  /** `good` where it is not given. */
  readonly passwordPolicy?: string | null | undefined
  readonly password_complexity_options?: { readonly min_length?: number | undefined } | null | undefined
  readonly password_history?: { readonly enable: boolean; readonly size?: number | undefined } | undefined
  readonly password_dictionary?:
    | { readonly enable: boolean; readonly dictionary?: readonly string[] | undefined }
    | undefined
  readonly password_no_personal_info?: { readonly enable: boolean } | undefined
}

/** Who chooses the password; every field is optional. */
export interface PasswordPerson {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly name?: string | undefined
  readonly given_name?: string | undefined
  readonly family_name?: string | undefined
  readonly nickname?: string | undefined
  readonly user_metadata?: Readonly<Record<string, unknown>> | undefined
}

export interface Strength {
  readonly min_length: number
  readonly classes: { readonly at_least: number; readonly of: readonly CharacterClass[] } | undefined
  readonly max_repeated: number | undefined
}

const three: readonly CharacterClass[] = ['lowerCase', 'upperCase', 'numbers']
const four: readonly CharacterClass[] = [...three, 'specialCharacters']

const levels = {
  none: { min_length: 1, classes: undefined, max_repeated: undefined },
  low: { min_length: 6, classes: undefined, max_repeated: undefined },
  fair: { min_length: 8, classes: { at_least: 3, of: three }, max_repeated: undefined },
  good: { min_length: 8, classes: { at_least: 3, of: four }, max_repeated: undefined },
  excellent: { min_length: 10, classes: { at_least: 3, of: four }, max_repeated: 2 },
} as const satisfies Record<string, Strength>

/** The values of `passwordPolicy`. */
export const passwordLevels: readonly string[] = Object.keys(levels)

function isLevel(name: string): name is keyof typeof levels {
  return Object.hasOwn(levels, name)
}

/** The strength that a policy asks for. An unknown level is the default one: a slip must not let everything through. */
export function strengthOf(policy: PasswordPolicy): Strength {
  const name = policy.passwordPolicy === null ? 'none' : (policy.passwordPolicy ?? 'good')
  const level = levels[isLevel(name) ? name : 'good']
  const min = policy.password_complexity_options?.min_length
  return min === undefined ? level : { ...level, min_length: Math.min(Math.max(Math.trunc(min), 1), 128) }
}

const patterns: Readonly<Record<CharacterClass, RegExp>> = {
  lowerCase: /\p{Ll}/u,
  upperCase: /\p{Lu}/u,
  numbers: /\p{Nd}/u,
  specialCharacters: /[^\p{Ll}\p{Lu}\p{Nd}]/u,
}

/** @param password in its normal form */
export function hasClass(password: string, name: CharacterClass): boolean {
  return patterns[name].test(password)
}

/** @param password in its normal form */
export function longestRun(password: string): number {
  let longest = 0
  let run = 0
  let before: string | undefined
  for (const character of password) {
    run = character === before ? run + 1 : 1
    before = character
    longest = Math.max(longest, run)
  }
  return longest
}

/** @param password in its normal form */
function strengthProblems(password: string, { min_length, classes, max_repeated }: Strength): PasswordProblem[] {
  const problems: PasswordProblem[] = []
  if ([...password].length < min_length) problems.push({ code: 'password_too_short', min: min_length })
  if (classes !== undefined) {
    const missing = classes.of.filter((name) => !hasClass(password, name))
    if (classes.of.length - missing.length < classes.at_least) {
      problems.push({ code: 'password_missing_classes', ...classes, missing })
    }
  }
  if (max_repeated !== undefined && longestRun(password) > max_repeated) {
    problems.push({ code: 'password_repeated_characters', max: max_repeated })
  }
  return problems
}

/**
 * Judges a password that somebody wants to have. History is another question, `checkPasswordHistory`, as it costs
 * work.
 *
 * @returns every problem, in the order of the rules; empty when the password is accepted
 */
export function checkPassword(
  password: string,
  policy: PasswordPolicy,
  person: PasswordPerson = {},
): readonly PasswordProblem[] {
  const unfit = textProblem(password)
  if (unfit !== undefined) return [unfit]
  const normal = normalisePassword(password)
  const problems = strengthProblems(normal, strengthOf(policy))
  const { password_dictionary: dictionary, password_no_personal_info: personal } = policy
  if (dictionary?.enable === true && isCommonPassword(normal, dictionary.dictionary)) {
    problems.push({ code: 'password_too_common' })
  }
  const field = personal?.enable === true ? personalField(normal, person) : undefined
  if (field !== undefined) problems.push({ code: 'password_personal_info', field })
  return problems
}
