/** Owns becoming a user of a database connection. */
import { type Connection, type Profile, type User, UserExists } from '@latchkey/store'
import type { IdentityContext } from './context.ts'
import { newUserId } from './ids.ts'
import { maySignUp } from './limits.ts'
import { checkPassword, type PasswordProblem } from './passwords.ts'
import { sendVerification } from './tickets.ts'

export interface SignupForm {
  readonly connection: Connection
  readonly email: string
  readonly username?: string
  readonly password: string
  readonly profile: Profile
  readonly ip: string
  readonly locale?: string
}

export type SignupProblem =
  | {
      readonly code:
        | 'signup_disabled'
        | 'too_many_signups'
        | 'invalid_email'
        | 'invalid_username'
        | 'user_exists'
        | 'username_exists'
    }
  | { readonly code: 'invalid_password'; readonly problems: readonly PasswordProblem[] }

export type SignupOutcome = { readonly user: User } | { readonly problem: SignupProblem }

/**
 * Creates the user and sends the mail that verifies the address.
 * @throws Busy when the password workers have no room
 */
export async function signUp(ctx: IdentityContext, form: SignupForm): Promise<SignupOutcome> {
  const problem = await check(ctx, form)
  if (problem !== undefined) return { problem }
  // Hashed before the address is looked up, so that a taken address takes as long as a free one.
  const password_hash = await ctx.passwords.hash(form.password)
  const user_id = newUserId(ctx.random)
  try {
    await ctx.store.users.create(
      {
        user_id,
        connection: form.connection.name,
        email: form.email,
        email_verified: false,
        password_hash,
        profile: form.profile,
        ...(form.username === undefined ? {} : { username: form.username }),
      },
      ctx.now(),
    )
  } catch (error) {
    if (!(error instanceof UserExists)) throw error
    return { problem: { code: error.taken === 'username' ? 'username_exists' : 'user_exists' } }
  }
  const user = await ctx.store.users.find(user_id)
  if (user === undefined) throw new Error('A user that was just created is gone')
  await sendVerification(ctx, user, form.locale)
  return { user }
}

async function check(ctx: IdentityContext, form: SignupForm): Promise<SignupProblem | undefined> {
  const { options } = form.connection
  if (options.disable_signup === true) return { code: 'signup_disabled' }
  if (!isEmail(form.email)) return { code: 'invalid_email' }
  if ((options.requires_username === true || form.username !== undefined) && !isUsername(form.username))
    return { code: 'invalid_username' }
  const problems = checkPassword(form.password, options, {
    ...form.profile,
    email: form.email,
    username: form.username,
  })
  if (problems.length > 0) return { code: 'invalid_password', problems }
  return (await maySignUp(ctx, form.ip)) ? undefined : { code: 'too_many_signups' }
}

const hidden = String.raw`\p{Cc}\p{Cf}\p{Cs}`
const label = String.raw`(?!-)[^\s@"'<>\\,;:()[\].${hidden}]{1,63}(?<!-)`
const address = new RegExp(String.raw`^[^\s@"<>\\,;:()[\]${hidden}]{1,64}@(?:${label}\.)+${label}$`, 'u')

/**
 * An address that a mail can be sent to: one `@`, a host of two labels or more, no space, quoting or invisible character, at most 254
 * characters (RFC 5321 §4.5.3.1).
 */
export function isEmail(text: string): boolean {
  return text.length <= 254 && address.test(text) && !/\.[^.]$/u.test(text)
}

/** Auth0's characters for user names, 1 to 128 of them. */
export function isUsername(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9^$.!`\-#+'~_]{1,128}$/.test(text)
}
