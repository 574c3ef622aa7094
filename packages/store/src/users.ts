/** Owns people: their identifiers, profile, password hash, and whether they are blocked. */
import type { Selectable } from 'kysely'
import { prepared } from './prepared.ts'
import type { UserTable } from './schema.ts'
import type { Scope } from './scope.ts'

/** The profile of a user, by the names of Auth0's user object (which are OpenID Connect's claims where both have one). */
export interface Profile {
  readonly name?: string
  readonly given_name?: string
  readonly family_name?: string
  readonly middle_name?: string
  readonly nickname?: string
  readonly preferred_username?: string
  readonly profile?: string
  readonly picture?: string
  readonly website?: string
  readonly gender?: string
  readonly birthdate?: string
  readonly zoneinfo?: string
  readonly locale?: string
  readonly address?: Readonly<Record<string, string>>
  readonly phone_number?: string
  readonly phone_number_verified?: boolean
  readonly user_metadata?: Readonly<Record<string, unknown>>
  readonly app_metadata?: Readonly<Record<string, unknown>>
}

export interface User {
  readonly user_id: string
  readonly connection: string
  readonly email?: string
  readonly email_verified: boolean
  readonly username?: string
  readonly password_hash?: string
  readonly blocked: boolean
  readonly profile: Profile
  /** Milliseconds since 1970; a stronger hash of the same password is no change. */
  readonly password_changed_at?: number
  readonly logins_count: number
  readonly created_at: number
  readonly updated_at: number
}

export interface NewUser {
  readonly user_id: string
  readonly connection: string
  readonly email?: string
  readonly email_verified: boolean
  readonly username?: string
  readonly password_hash?: string
  readonly blocked?: boolean
  readonly profile: Profile
}

/** The address or the name is taken in this connection. */
export class UserExists extends Error {
  override readonly name = 'UserExists'
  readonly taken: 'email' | 'username' | 'user_id'
  constructor(taken: 'email' | 'username' | 'user_id') {
    super(`A user with this ${taken} exists`)
    this.taken = taken
  }
}

export type UserStore = ReturnType<typeof userStore>

export function userStore({ db, tenant }: Scope) {
  const all = () => db.selectFrom('users').selectAll().where('tenant', '=', tenant)
  const byId = prepared(db, () => db.selectFrom('users').selectAll().where('tenant', '=', '').where('user_id', '=', ''))
  return {
    async find(user_id: string): Promise<User | undefined> {
      const [row] = await byId(tenant, user_id)
      return row === undefined ? undefined : userOf(row)
    },

    /** Looks a person up by e-mail address; addresses are stored in lower case. */
    async findByEmail(connection: string, email: string): Promise<User | undefined> {
      const row = await all()
        .where('connection', '=', connection)
        .where('email', '=', email.toLowerCase())
        .executeTakeFirst()
      return row === undefined ? undefined : userOf(row)
    },

    async findByUsername(connection: string, username: string): Promise<User | undefined> {
      const row = await all()
        .where('connection', '=', connection)
        .where('username', '=', username.toLowerCase())
        .executeTakeFirst()
      return row === undefined ? undefined : userOf(row)
    },

    /** Users in the order of their ids, after the given one. */
    async list(limit: number, after = ''): Promise<readonly User[]> {
      const rows = await all().where('user_id', '>', after).orderBy('user_id').limit(limit).execute()
      return rows.map(userOf)
    },

    /** @throws UserExists when the id, the address or the name is taken */
    async create(user: NewUser, now: number): Promise<void> {
      try {
        await db
          .insertInto('users')
          .values({
            tenant,
            user_id: user.user_id,
            connection: user.connection,
            email: user.email?.toLowerCase() ?? null,
            email_verified: user.email_verified ? 1 : 0,
            username: user.username?.toLowerCase() ?? null,
            password_hash: user.password_hash ?? null,
            blocked: user.blocked === true ? 1 : 0,
            profile: JSON.stringify(user.profile),
            password_changed_at: user.password_hash === undefined ? null : now,
            created_at: now,
            updated_at: now,
          })
          .execute()
      } catch (error) {
        throw takenOf(error) ?? error
      }
    },

    /** Writes what an administrator set; `undefined` fields stay. @throws UserExists */
    async update(user_id: string, change: Partial<NewUser>, now: number): Promise<boolean> {
      try {
        const result = await db
          .updateTable('users')
          .set({
            ...(change.email === undefined ? {} : { email: change.email.toLowerCase() }),
            ...(change.email_verified === undefined ? {} : { email_verified: change.email_verified ? 1 : 0 }),
            ...(change.username === undefined ? {} : { username: change.username.toLowerCase() }),
            ...(change.password_hash === undefined
              ? {}
              : { password_hash: change.password_hash, password_changed_at: now }),
            ...(change.blocked === undefined ? {} : { blocked: change.blocked ? 1 : 0 }),
            ...(change.profile === undefined ? {} : { profile: JSON.stringify(change.profile) }),
            updated_at: now,
          })
          .where('tenant', '=', tenant)
          .where('user_id', '=', user_id)
          .executeTakeFirst()
        return result.numUpdatedRows > 0n
      } catch (error) {
        throw takenOf(error) ?? error
      }
    },

    /** Replaces the hash by a stronger one of the same password, unless the password was changed meanwhile. */
    async rehash(user_id: string, before: string, after: string): Promise<void> {
      await db
        .updateTable('users')
        .set({ password_hash: after })
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .where('password_hash', '=', before)
        .execute()
    },

    async recordLogin(user_id: string, ip: string, now: number): Promise<void> {
      await db
        .updateTable('users')
        .set((eb) => ({ logins_count: eb('logins_count', '+', 1), last_login_at: now, last_ip: ip }))
        .where('tenant', '=', tenant)
        .where('user_id', '=', user_id)
        .execute()
    },
  }
}

/** A row as the rest of the house sees it. */
function userOf(row: Selectable<UserTable>): User {
  const user: { -readonly [name in keyof User]: User[name] } = {
    user_id: row.user_id,
    connection: row.connection,
    email_verified: row.email_verified === 1,
    blocked: row.blocked === 1,
    profile: JSON.parse(row.profile) as Profile,
    logins_count: row.logins_count,
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
  // Every request makes one of these: assigning costs a tenth of spreading objects that may be empty.
  if (row.email !== null) user.email = row.email
  if (row.username !== null) user.username = row.username
  if (row.password_hash !== null) user.password_hash = row.password_hash
  if (row.password_changed_at !== null) user.password_changed_at = row.password_changed_at
  return user
}

function takenOf(error: unknown): UserExists | undefined {
  const message = error instanceof Error ? error.message : ''
  if (!message.includes('UNIQUE constraint failed')) return undefined
  if (message.includes('users.email')) return new UserExists('email')
  if (message.includes('users.username')) return new UserExists('username')
  return message.includes('users.user_id') ? new UserExists('user_id') : undefined
}
