/** Owns the questions to a user of a tenant file: which connection, which person, and whether the entry makes sense. */
import type { User } from '@latchkey/store'
import { type Draft, nameOnce } from '../draft.ts'
import { linkVerdict } from '../urls.ts'
import { report } from './fields.ts'
import type { Entry } from './record.ts'
import type { GivenUser } from './user_record.ts'

/** The one that the file names, the tenant's default, or the only one there is. */
export function connectionOf({ value, problem }: Entry<GivenUser>, draft: Draft): string | undefined {
  const { default_directory } = draft.settings
  const names = [...draft.connections.keys()]
  const name = value.connection ?? (default_directory || (names.length === 1 ? names[0] : undefined))
  if (name === undefined) {
    if (draft.broken.size === 0)
      problem([], 'The user needs a connection: name a database of the tenant, or set default_directory in tenant.')
    return undefined
  }
  if (draft.connections.has(name)) return name
  if (!draft.broken.has(name))
    problem(['connection'], `There is no connection named ${name}: add it to databases, or correct the name.`)
  return undefined
}

/** Whether the entry can be a user of this connection. What stands against it is reported. */
export async function isSound(entry: Entry<GivenUser>, draft: Draft, connection: string): Promise<boolean> {
  const { checkPasswordHash, isEmail, isUsername } = await import('@latchkey/identity')
  const { email, username, picture, profile, website } = entry.value
  let isFine = true
  const refuse = (path: readonly string[], sentence: string) => {
    entry.problem(path, sentence)
    isFine = false
  }
  if (email === undefined && username === undefined) refuse([], 'The user needs an email or a username: add one.')
  if (email !== undefined && !isEmail(email)) refuse(['email'], 'This is not an e-mail address.')
  if (username !== undefined && !isUsername(username))
    refuse(['username'], "A username has 1 to 128 letters, digits and the characters ^$.!`-#+'~_ alone.")
  if (username === undefined && draft.connections.get(connection)?.options.requires_username === true)
    refuse([], `The connection ${connection} requires a username: add one.`)
  for (const [field, url] of Object.entries({ picture, profile, website })) {
    if (url !== undefined && !report(entry, [field], linkVerdict(url))) isFine = false
  }
  const given = (['password', 'password_hash', 'custom_password_hash'] as const).filter((name) => name in entry.value)
  if (given.length > 1)
    refuse([given[1] ?? ''], `Give the password once: ${given.join(' and ')} contradict each other.`)
  const hash = entry.value.password_hash ?? entry.value.custom_password_hash
  const fault = hash === undefined ? undefined : checkPasswordHash(hash)
  if (fault !== undefined && given.length === 1) refuse(given, fault.message)
  for (const identifier of [email, username]) {
    if (identifier !== undefined && !nameOnce(draft, `user of ${connection}`, identifier.toLowerCase()))
      refuse([], `The file has two users ${identifier} in the connection ${connection}: remove one.`)
  }
  return isFine
}

/** Whom the entry means. An id, an address and a name that lead to different people are a mistake nobody should guess at. */
export async function findUser(
  entry: Entry<GivenUser>,
  draft: Draft,
  connection: string,
): Promise<User | undefined | 'unclear'> {
  const { users } = draft.store
  const { email, username } = entry.value
  const user_id = idOf(entry.value)
  const byId = user_id === undefined ? undefined : await users.find(user_id)
  const byEmail = email === undefined ? undefined : await users.findByEmail(connection, email)
  const byName = username === undefined ? undefined : await users.findByUsername(connection, username)
  const found = byId ?? (user_id === undefined ? (byEmail ?? byName) : undefined)
  if (byId !== undefined && byId.connection !== connection) {
    entry.problem(
      ['connection'],
      `The user ${byId.user_id} belongs to the connection ${byId.connection}: name that one.`,
    )
    return 'unclear'
  }
  for (const [field, other] of Object.entries({ email: byEmail, username: byName })) {
    if (other === undefined || other.user_id === found?.user_id) continue
    entry.problem(
      [field],
      `This ${field} belongs to the user ${other.user_id}: give that user_id, or another ${field}.`,
    )
    return 'unclear'
  }
  return found
}

/** The id that the file gives, with the provider before it; an export of users leaves it out. */
export function idOf({ user_id }: GivenUser): string | undefined {
  return user_id === undefined || user_id.startsWith('auth0|') ? user_id : `auth0|${user_id}`
}
