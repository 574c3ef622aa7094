/** Owns how a refused password is told on the wire: the four errors of sign-up and of a change of password. */
import {
  type CharacterClass,
  hasClass,
  longestRun,
  type PasswordPolicy,
  type PasswordProblem,
  strengthOf,
} from './policy.ts'
import { normalisePassword, passwordMaxBytes, textProblem } from './text.ts'

export interface PasswordRule {
  /** With `%d` and `%s` for the values of `format`. */
  readonly message: string
  readonly format?: readonly (number | string)[]
  readonly code: string
  readonly verified: boolean
  readonly items?: readonly PasswordRule[]
}

export interface InvalidPassword {
  readonly name:
    | 'PasswordStrengthError'
    | 'PasswordDictionaryError'
    | 'PasswordNoUserInfoError'
    | 'PasswordHistoryError'
  readonly message: string
  readonly code: 'invalid_password'
  readonly description: string | { readonly rules: readonly PasswordRule[]; readonly verified: false }
  readonly policy?: string
  readonly statusCode: 400
}

const classMessages: Readonly<Record<CharacterClass, string>> = {
  lowerCase: 'lower case letters (a-z)',
  upperCase: 'upper case letters (A-Z)',
  numbers: 'numbers (i.e. 0-9)',
  specialCharacters: 'special characters (e.g. !@#$%^&*)',
}

function lengthRule(normal: string, min: number): PasswordRule {
  const verified = [...normal].length >= min
  if (min === 1) return { message: 'Non-empty password required', code: 'nonEmpty', verified }
  return { message: 'At least %d characters in length', format: [min], code: 'lengthAtLeast', verified }
}

function classesRule(normal: string, at_least: number, of: readonly CharacterClass[]): PasswordRule {
  const items = of.map((code) => ({ message: classMessages[code], code, verified: hasClass(normal, code) }))
  const verified = items.filter((item) => item.verified).length >= at_least
  if (at_least === of.length) return { message: 'Should contain:', code: 'shouldContain', verified, items }
  const message = 'At least %d of the following %d types of characters:'
  return { message, format: [at_least, of.length], code: 'containsAtLeast', verified, items }
}

/** What makes a text no password at all is said only to those who meet it. */
function textRules(password: string): readonly PasswordRule[] {
  const problem = textProblem(password)
  if (problem?.code === 'password_too_long') {
    return [
      { message: 'Maximum password length exceeded', format: [passwordMaxBytes], code: 'maxLength', verified: false },
    ]
  }
  if (problem?.code === 'password_invalid_character') {
    return [{ message: 'No control characters', code: 'controlCharacters', verified: false }]
  }
  return []
}

/**
 * The rules of a policy, each with whether the password keeps it.
 *
 * @param password empty to list the rules alone
 */
export function passwordRules(password: string, policy: PasswordPolicy): readonly PasswordRule[] {
  const { min_length, classes, max_repeated } = strengthOf(policy)
  const broken = textRules(password)
  // A huge text is not normalised or walked; the rules then tell of an empty one.
  const normal = broken.length === 0 ? normalisePassword(password) : ''
  const rules = [lengthRule(normal, min_length)]
  if (classes !== undefined) rules.push(classesRule(normal, classes.at_least, classes.of))
  if (max_repeated !== undefined) {
    rules.push({
      message: 'No more than %d identical characters in a row (e.g., "%s" not allowed)',
      format: [max_repeated, 'a'.repeat(max_repeated + 1)],
      code: 'identicalChars',
      verified: longestRun(normal) <= max_repeated,
    })
  }
  return [...rules, ...broken]
}

function sentence({ message, format = [] }: PasswordRule): string {
  const values = [...format]
  return message.replace(/%[ds]/g, () => String(values.shift()))
}

function policyText(rules: readonly PasswordRule[]): string {
  return rules
    .flatMap((rule) => [`* ${sentence(rule)}`, ...(rule.items ?? []).map((item) => ` * ${sentence(item)}`)])
    .join('\n')
}

const invalid = { code: 'invalid_password', statusCode: 400 } as const

function strengthError(password: string, policy: PasswordPolicy): InvalidPassword {
  const rules = passwordRules(password, policy)
  return {
    name: 'PasswordStrengthError',
    message: 'Password is too weak',
    description: { rules, verified: false },
    policy: policyText(rules),
    ...invalid,
  }
}

/**
 * The body of a 400 answer for the problems that `checkPassword` or `checkPasswordHistory` found. The wire tells one
 * kind of them: weakness first, then the dictionary, personal information and history.
 */
export function invalidPassword(
  password: string,
  policy: PasswordPolicy,
  problems: readonly PasswordProblem[],
): InvalidPassword {
  const told = (code: PasswordProblem['code']) => problems.some((problem) => problem.code === code)
  const history = problems.find((problem) => problem.code === 'password_in_history')
  const others = ['password_too_common', 'password_personal_info', 'password_in_history']
  if (problems.some(({ code }) => !others.includes(code))) return strengthError(password, policy)
  if (told('password_too_common')) {
    const description = 'Password is not allowed, it might be too common.'
    return { name: 'PasswordDictionaryError', message: 'Password is too common', description, ...invalid }
  }
  if (told('password_personal_info')) {
    const description = 'Password is based on user information'
    return { name: 'PasswordNoUserInfoError', message: 'Password contains user information', description, ...invalid }
  }
  const description = `You may not reuse any of the last ${history?.size ?? 0} passwords.`
  return { name: 'PasswordHistoryError', message: 'Password has previously been used', description, ...invalid }
}
