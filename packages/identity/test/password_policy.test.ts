/** Which passwords a connection accepts, and how a refusal is told on the wire. */
import { describe, expect, test } from 'vitest'
import {
  checkPassword,
  checkPasswordHistory,
  invalidPassword,
  openPasswords,
  type PasswordPolicy,
  passwordHistorySize,
  passwordLevels,
  passwordRules,
} from '../src/passwords.ts'

const codes = (password: string, policy: PasswordPolicy, person = {}) =>
  checkPassword(password, policy, person).map(({ code }) => code)

describe('strength levels', () => {
  const short = 'password_too_short'
  const classes = 'password_missing_classes'
  const repeated = 'password_repeated_characters'

  test.each([
    ['none', '', [short]],
    ['none', 'a', []],
    ['low', 'abcde', [short]],
    ['low', 'abcdef', []],
    ['low', '😀😀😀', [short]],
    ['fair', 'Abcdef1', [short]],
    ['fair', 'abcdefg1', [classes]],
    ['fair', 'abcdefg!', [classes]],
    ['fair', 'Abcdefg!', [classes]],
    ['fair', 'Abcdefg1', []],
    ['good', 'Abc 12!', [short]],
    ['good', 'abcdefg1', [classes]],
    ['good', 'ABCDEFG1', [classes]],
    ['good', 'abcdefg 1', []],
    ['good', 'Abcdefg!', []],
    ['good', 'ABCDEF1!', []],
    ['good', 'Пароль78', []],
    ['excellent', 'Abcdef 12', [short]],
    ['excellent', 'Abcdefgh12', []],
    ['excellent', 'Abcdefff12', [repeated]],
    ['excellent', 'Abcdeff122', []],
    ['excellent', 'aaab', [short, classes, repeated]],
    [undefined, 'abcdefg1', [classes]],
    [undefined, 'Abcdefg1', []],
    [null, 'a', []],
    ['perfect', 'abcdefg1', [classes]],
    ['__proto__', 'a', [short, classes]],
  ])('%s: %j gives %j', (passwordPolicy, password, expected) => {
    expect(codes(password, { passwordPolicy })).toEqual(expected)
  })

  test('the levels are the five of the wire', () => {
    expect(passwordLevels).toEqual(['none', 'low', 'fair', 'good', 'excellent'])
  })

  test('min_length stands instead of the level’s own', () => {
    const policy = { passwordPolicy: 'low', password_complexity_options: { min_length: 12 } }
    expect(checkPassword('abcdefghijk', policy)).toEqual([{ code: 'password_too_short', min: 12 }])
    expect(checkPassword('abcdefghijkl', policy)).toEqual([])
    const four = { passwordPolicy: 'low', password_complexity_options: { min_length: 4 } }
    expect(checkPassword('abcd', four)).toEqual([])
    const zero = { passwordPolicy: 'none', password_complexity_options: { min_length: 0 } }
    expect(checkPassword('', zero)).toEqual([{ code: 'password_too_short', min: 1 }])
  })

  test('problems carry what a page needs to say', () => {
    expect(checkPassword('abcdefg1', { passwordPolicy: 'good' })).toEqual([
      {
        code: 'password_missing_classes',
        at_least: 3,
        of: ['lowerCase', 'upperCase', 'numbers', 'specialCharacters'],
        missing: ['upperCase', 'specialCharacters'],
      },
    ])
  })

  test.each([
    ['a line end', 'Abcdefg\n1', 'password_invalid_character'],
    ['a zero', 'Abcdefg\u00001', 'password_invalid_character'],
    ['half a pair', 'Abcdefg1\udc00', 'password_invalid_character'],
    ['too many bytes', `Aa1${'x'.repeat(1022)}`, 'password_too_long'],
    ['far too many', 'Aa1 '.repeat(1_000_000), 'password_too_long'],
  ])('NIST SP 800-63B-4 §3.1.1.2 %s is no password under any policy', (_name, password, code) => {
    for (const passwordPolicy of passwordLevels) expect(codes(password, { passwordPolicy })).toEqual([code])
  })

  test('letters composed in another way count the same', () => {
    const policy = { passwordPolicy: 'low', password_complexity_options: { min_length: 4 } }
    expect(codes('cafe\u0301', policy)).toEqual([])
    expect(codes('caé', policy)).toEqual(codes('cae\u0301', policy))
  })
})

describe('password_dictionary', () => {
  const policy = (dictionary: readonly string[] = []): PasswordPolicy => ({
    passwordPolicy: 'none',
    password_dictionary: { enable: true, dictionary },
  })

  test.each([
    'password',
    'PASSWORD',
    'Password1',
    'P@ssw0rd',
    'P@ssw0rd2024!',
    'Welcome123',
    '123456',
    '1Q2W3E4R',
    'qwerty!!',
    '@dmin1',
    'L0v3',
    '!!iloveyou!!',
    'Contraseña1',
    'Summer2026!',
  ])('%s is too common', (password) => {
    expect(codes(password, policy())).toEqual(['password_too_common'])
  })

  test.each(['correct horse battery staple', 'passwordless Sunday', 'xkcd-936', '7!93$2wolf#@88!26', '8201736450'])(
    '%s is not',
    (password) => {
      expect(codes(password, policy())).toEqual([])
    },
  )

  test('the connection’s own words count in any case, and only while the option is on', () => {
    expect(codes('AcmeRocks', policy(['acmerocks']))).toEqual(['password_too_common'])
    expect(codes('AcmeRocks!', policy(['acmerocks']))).toEqual([])
    const off = { passwordPolicy: 'none', password_dictionary: { enable: false, dictionary: ['acmerocks'] } }
    expect(codes('acmerocks', off)).toEqual([])
    expect(codes('password', { passwordPolicy: 'none' })).toEqual([])
  })
})

describe('password_no_personal_info', () => {
  const policy = { passwordPolicy: 'none', password_no_personal_info: { enable: true } }

  test.each([
    ['name', { name: 'John Doe' }, 'MyJohn1234'],
    ['name', { name: 'Zoë van der Berg' }, 'xxZOExx'],
    ['name', { name: '王芳' }, 'abc王芳123'],
    ['username', { username: 'jdoe' }, 'xjdoe99'],
    ['nickname', { nickname: 'Johnny' }, 'johnny!'],
    ['given_name', { given_name: 'José' }, 'jose2026'],
    ['family_name', { family_name: 'O’Neill' }, 'xneillx'],
    ['user_metadata.first', { user_metadata: { first: 'Ada' } }, 'Adalovelace'],
    ['user_metadata.last', { user_metadata: { last: 'Lovelace' } }, 'Adalovelace'],
    ['email', { email: 'firstpart@example.com' }, 'firstpart!1'],
    ['email', { email: 'ada.king@example.com' }, 'King of 7 hills'],
  ])('%s of %j is found in %j', (field, person, password) => {
    expect(checkPassword(password, policy, person)).toEqual([{ code: 'password_personal_info', field }])
  })

  test.each([
    [{ name: 'Jo Li', username: '', email: 'a@example.com' }, 'jolly good a'],
    [{ email: 'someone@example.com' }, 'example.com'],
    [{ user_metadata: { name: 7, first: null, city: 'Berlin' } }, 'Berlin 7 null'],
    [{ name: '김 철수' }, '김치 7 그릇'],
    [{}, 'anything'],
  ])('nothing of %j is found in %j', (person, password) => {
    expect(checkPassword(password, policy, person)).toEqual([])
  })

  test('it is not looked for while the option is off', () => {
    const off = { passwordPolicy: 'none', password_no_personal_info: { enable: false } }
    expect(codes('johnny', off, { nickname: 'johnny' })).toEqual([])
  })
})

describe('password_history', () => {
  test.each([
    [undefined, 0],
    [{ enable: false, size: 5 }, 0],
    [{ enable: true }, 5],
    [{ enable: true, size: 3 }, 3],
    [{ enable: true, size: 99 }, 24],
    [{ enable: true, size: -1 }, 0],
  ])('%j looks back at %i', (password_history, size) => {
    expect(passwordHistorySize(password_history === undefined ? {} : { password_history })).toBe(size)
  })

  test('a password of the last ones is refused, an older one is not', async () => {
    const passwords = openPasswords({ threads: 1 })
    const hashes = await Promise.all(['third', 'second', 'first'].map((old) => passwords.hash(old)))
    const policy = { password_history: { enable: true, size: 2 } }
    const problem = { code: 'password_in_history', size: 2 }
    expect(await checkPasswordHistory(passwords, 'second', policy, hashes)).toEqual(problem)
    expect(await checkPasswordHistory(passwords, 'first', policy, hashes)).toBeUndefined()
    expect(await checkPasswordHistory(passwords, 'fourth', policy, hashes)).toBeUndefined()
    expect(await checkPasswordHistory(passwords, 'third', {}, hashes)).toBeUndefined()
    await passwords.close()
  })
})

describe('the answer of /dbconnections/signup', () => {
  function answer(password: string, policy: PasswordPolicy, person = {}) {
    return JSON.parse(JSON.stringify(invalidPassword(password, policy, checkPassword(password, policy, person))))
  }

  test('PasswordStrengthError of fair', () => {
    expect(answer('ABC1', { passwordPolicy: 'fair' })).toEqual({
      name: 'PasswordStrengthError',
      message: 'Password is too weak',
      code: 'invalid_password',
      description: {
        rules: [
          { message: 'At least %d characters in length', format: [8], code: 'lengthAtLeast', verified: false },
          {
            message: 'Should contain:',
            code: 'shouldContain',
            verified: false,
            items: [
              { message: 'lower case letters (a-z)', code: 'lowerCase', verified: false },
              { message: 'upper case letters (A-Z)', code: 'upperCase', verified: true },
              { message: 'numbers (i.e. 0-9)', code: 'numbers', verified: true },
            ],
          },
        ],
        verified: false,
      },
      policy:
        '* At least 8 characters in length\n* Should contain:\n * lower case letters (a-z)\n * upper case letters (A-Z)\n * numbers (i.e. 0-9)',
      statusCode: 400,
    })
  })

  test('PasswordStrengthError of excellent, and of none', () => {
    const { description, policy } = answer('aaabbbcccddd1', { passwordPolicy: 'excellent' })
    expect(description.rules.map((rule: { code: string }) => rule.code)).toEqual([
      'lengthAtLeast',
      'containsAtLeast',
      'identicalChars',
    ])
    expect(description.rules.map((rule: { verified: boolean }) => rule.verified)).toEqual([true, false, false])
    expect(description.rules[1].format).toEqual([3, 4])
    expect(description.rules[2].format).toEqual([2, 'aaa'])
    expect(policy).toBe(
      '* At least 10 characters in length\n* At least 3 of the following 4 types of characters:\n * lower case letters (a-z)\n * upper case letters (A-Z)\n * numbers (i.e. 0-9)\n * special characters (e.g. !@#$%^&*)\n* No more than 2 identical characters in a row (e.g., "aaa" not allowed)',
    )
    expect(answer('', { passwordPolicy: 'none' }).description.rules).toEqual([
      { message: 'Non-empty password required', code: 'nonEmpty', verified: false },
    ])
  })

  test('a text that is no password is a broken rule of its own', () => {
    const long = answer('x'.repeat(2000), { passwordPolicy: 'none' })
    expect(long.name).toBe('PasswordStrengthError')
    expect(long.description.rules).toContainEqual({
      message: 'Maximum password length exceeded',
      format: [1024],
      code: 'maxLength',
      verified: false,
    })
    const control = answer('x\u0000', { passwordPolicy: 'none' })
    expect(control.description.rules.at(-1)).toMatchObject({ code: 'controlCharacters', verified: false })
  })

  test('PasswordDictionaryError, PasswordNoUserInfoError, PasswordHistoryError', () => {
    const policy = {
      passwordPolicy: 'low',
      password_dictionary: { enable: true },
      password_no_personal_info: { enable: true },
    }
    const common = { code: 'invalid_password', statusCode: 400 }
    expect(answer('111111', policy)).toEqual({
      name: 'PasswordDictionaryError',
      message: 'Password is too common',
      description: 'Password is not allowed, it might be too common.',
      ...common,
    })
    expect(answer('johnsecretly', policy, { name: 'John' })).toEqual({
      name: 'PasswordNoUserInfoError',
      message: 'Password contains user information',
      description: 'Password is based on user information',
      ...common,
    })
    expect(invalidPassword('x', policy, [{ code: 'password_in_history', size: 5 }])).toEqual({
      name: 'PasswordHistoryError',
      message: 'Password has previously been used',
      description: 'You may not reuse any of the last 5 passwords.',
      ...common,
    })
    expect(answer('123', policy).name).toBe('PasswordStrengthError')
  })

  test('the rules alone, for a page that shows them before anything is typed', () => {
    expect(passwordRules('', { passwordPolicy: 'excellent' }).map(({ code }) => code)).toEqual([
      'lengthAtLeast',
      'containsAtLeast',
      'identicalChars',
    ])
  })
})
