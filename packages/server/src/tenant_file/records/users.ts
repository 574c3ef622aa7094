/** Owns the users of a tenant file, which the Deploy CLI's format does not have. */
import type { Aggregates, NewUser, Profile, User } from '@latchkey/store'
import { merged } from '../change.ts'
import { type Draft, put } from '../draft.ts'
import { TenantChanged } from '../tenant_changed.ts'
import { defineRecord, type Entry } from './record.ts'
import { connectionOf, findUser, idOf, isSound } from './user_checks.ts'
import { type GivenUser, ProfileFields, UserRecord } from './user_record.ts'

export const users = defineRecord({
  key: 'users',
  schema: UserRecord,
  async plan(entry, draft) {
    const connection = connectionOf(entry, draft)
    if (connection === undefined || !(await isSound(entry, draft, connection))) return
    const before = await findUser(entry, draft, connection)
    if (before === 'unclear') return
    if (before === undefined) await planNew(entry, draft, connection)
    else if (draft.existing_users === 'update') await planUpdate(entry, draft, before)
  },
})

async function planNew({ value }: Entry<GivenUser>, draft: Draft, connection: string): Promise<void> {
  const { newUserId } = await import('@latchkey/identity')
  const hashed = await passwordOf(value, draft)
  const user: NewUser = {
    user_id: idOf(value) ?? newUserId(draft.random),
    connection,
    ...identifiersOf(value),
    email_verified: value.email_verified ?? false,
    blocked: value.blocked ?? false,
    profile: profileOf(value),
  }
  put<object>(draft, {
    ...{ kind: 'user', name: nameOf(value), id: user.user_id, before: undefined, after: user },
    prepare: hashed.prepare,
    write: (store, now) => store.users.create({ ...user, ...hashed.current() }, now),
  })
}

async function planUpdate({ value }: Entry<GivenUser>, draft: Draft, user: User): Promise<void> {
  const { passwords } = draft
  const hasPassword = user.password_hash !== undefined
  // A hash made elsewhere is only where a user starts: signing in replaces it by a stronger one, which must stay.
  const isSame =
    value.password === undefined
      ? hasPassword || (value.password_hash ?? value.custom_password_hash) === undefined
      : user.password_hash !== undefined && (await passwords.verify(user.password_hash, value.password)).ok
  const hashed = isSame ? nothing : await passwordOf(value, draft)
  const planned = changeOf(user, value)
  put<object>(draft, {
    ...{ kind: 'user', name: nameOf(value), id: user.user_id },
    ...{ before: { ...planned.before, ...user.profile }, after: { ...planned.after, ...planned.profile } },
    unseen: isSame ? [] : ['password'],
    prepare: hashed.prepare,
    async write(store, now) {
      // The person may have changed since the plan was made; only what the file says is changed.
      const current = await store.users.find(user.user_id)
      if (current === undefined) throw new TenantChanged()
      const { before, after, profile } = changeOf(current, value)
      const isOther = !isSame || Object.keys(before).some((name) => before[name as 'email'] !== after[name as 'email'])
      await store.users.update(user.user_id, { ...definite(after), profile, ...hashed.current() }, now)
      if (isOther) await signOut(store, user.user_id, now)
    },
  })
}

/** What a file makes of a user. */
function changeOf(user: User, given: GivenUser) {
  const { email, email_verified, username, blocked } = user
  const before = { email, email_verified, username, blocked }
  const told = { ...identifiersOf(given), email_verified: given.email_verified, blocked: given.blocked }
  return { before, after: merged(before, told), profile: merged<Profile>(user.profile, profileOf(given)) }
}

/** Whoever was signed in under the old password, address or name must sign in again, and no link mailed before opens anything. */
async function signOut(store: Aggregates, user_id: string, now: number): Promise<void> {
  await store.sessions.endAllOf(user_id, now)
  await store.accessTokens.revokeAllOf(user_id)
  await store.refreshTokens.revokeAllOf(user_id, undefined, now)
  await store.tickets.endAllOf(user_id, now)
}

interface HashedPassword {
  readonly prepare: () => Promise<void>
  readonly current: () => { readonly password_hash?: string }
}

const nothing: HashedPassword = { prepare: async () => {}, current: () => ({}) }

async function passwordOf(given: GivenUser, { passwords }: Draft): Promise<HashedPassword> {
  const { password, password_hash, custom_password_hash } = given
  const imported = password_hash ?? custom_password_hash
  if (imported !== undefined) {
    const { encodePasswordHash } = await import('@latchkey/identity')
    const encoded = encodePasswordHash(imported)
    return { ...nothing, current: () => ({ password_hash: encoded }) }
  }
  if (password === undefined) return nothing
  let made: string | undefined
  return {
    async prepare() {
      made = await passwords.hash(password)
    },
    current: () => (made === undefined ? {} : { password_hash: made }),
  }
}

function identifiersOf({ email, username }: GivenUser): { readonly email?: string; readonly username?: string } {
  return definite({ email: email?.toLowerCase(), username: username?.toLowerCase() })
}

function profileOf(given: GivenUser): Profile {
  return Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(ProfileFields, name)))
}

function nameOf({ email, username, user_id }: GivenUser): string {
  return email ?? username ?? user_id ?? ''
}

/** Without the keys whose value is undefined. */
function definite<T extends object>(values: T): { readonly [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof definite<T>
  >
}
