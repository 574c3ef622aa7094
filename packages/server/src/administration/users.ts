/** Owns adding a user from outside a running server. */
import type { PasswordProblem } from '@latchkey/identity'
import { type Connection, type Store, type User, UserExists } from '@latchkey/store'
import type { Config } from '../config.ts'
import { AdministrationError, type Source } from './open.ts'
import { withPasswords } from './passwords.ts'

export interface NewPerson {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly email_verified: boolean
  readonly password: string
  /** By default the tenant's default directory, or its only connection. */
  readonly connection?: string | undefined
}

/**
 * Adds a user with a password that the connection's policy accepts.
 * @throws AdministrationError
 */
export async function createUser(
  config: Config,
  store: Store,
  person: NewPerson,
  { now, random }: Source,
): Promise<{ readonly user_id: string; readonly connection: string }> {
  const { newUserId } = await import('@latchkey/identity')
  const connection = await connectionFor(store, person.connection)
  await checkPerson(person, connection)
  const { email, username, email_verified, password } = person
  const password_hash = await withPasswords(config, (passwords) => passwords.hash(password))
  const user_id = newUserId(random)
  const identifiers = { ...(email === undefined ? {} : { email }), ...(username === undefined ? {} : { username }) }
  const user = { user_id, connection: connection.name, ...identifiers, email_verified, password_hash, profile: {} }
  try {
    await store.users.create(user, now())
  } catch (error) {
    if (!(error instanceof UserExists)) throw error
    throw new AdministrationError(`The connection ${connection.name} has a user with this ${error.taken} already.`)
  }
  return { user_id, connection: connection.name }
}

async function connectionFor(store: Store, name: string | undefined): Promise<Connection> {
  const { connections, settings } = await store.configuration.read()
  const names = connections.map((one) => one.name).join(', ')
  if (connections.length === 0)
    throw new AdministrationError('The tenant has no connection yet: apply a tenant file with databases first.')
  const wanted = name ?? (settings.default_directory || (connections.length === 1 ? connections[0]?.name : undefined))
  const found = connections.find((one) => one.name === wanted)
  if (found !== undefined) return found
  throw new AdministrationError(
    wanted === undefined
      ? `Say which connection with --connection: ${names}.`
      : `There is no connection named ${wanted}: the tenant has ${names}.`,
  )
}

async function checkPerson({ email, username, password }: NewPerson, connection: Connection): Promise<void> {
  const { checkPassword, isEmail, isUsername } = await import('@latchkey/identity')
  if (email === undefined && username === undefined)
    throw new AdministrationError('A user needs an --email or a --username.')
  if (email !== undefined && !isEmail(email)) throw new AdministrationError(`${email} is not an e-mail address.`)
  if (username !== undefined && !isUsername(username))
    throw new AdministrationError("A username has 1 to 128 letters, digits and the characters ^$.!`-#+'~_ alone.")
  if (username === undefined && connection.options.requires_username === true)
    throw new AdministrationError(`The connection ${connection.name} requires a --username.`)
  const problems = checkPassword(password, connection.options, { email, username })
  if (problems.length > 0)
    throw new AdministrationError(
      `The connection ${connection.name} does not accept this password: ${problems.map(problemWords).join('; ')}.`,
    )
}

function problemWords(problem: PasswordProblem): string {
  switch (problem.code) {
    case 'password_too_short':
      return `it needs ${problem.min} characters or more`
    case 'password_missing_classes':
      return `it needs ${problem.at_least} of ${problem.of.map((name) => classWords[name]).join(', ')}`
    case 'password_repeated_characters':
      return `it may have the same character ${problem.max} times in a row at most`
    case 'password_too_common':
      return 'it is one of the most common ones'
    case 'password_personal_info':
      return `it contains the ${problem.field}`
    default:
      return `it cannot be used as a password (${problem.code})`
  }
}

const classWords = {
  lowerCase: 'lower case letters',
  upperCase: 'upper case letters',
  numbers: 'digits',
  specialCharacters: 'special characters',
} as const

/**
 * The user of an id, or of an e-mail address in any connection.
 * @throws AdministrationError when there is none, or more than one
 */
export async function findUser(store: Store, text: string): Promise<User> {
  const byId = await store.users.find(text)
  if (byId !== undefined) return byId
  const { connections } = await store.configuration.read()
  const found = await Promise.all(connections.map(({ name }) => store.users.findByEmail(name, text)))
  const [first, ...more] = found.filter((user) => user !== undefined)
  if (first === undefined) throw new AdministrationError(`There is no user ${text}: "latchkey users list" shows them.`)
  if (more.length > 0)
    throw new AdministrationError(`Several connections have a user ${text}: name one by the user id.`)
  return first
}
