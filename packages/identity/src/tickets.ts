/** Owns what a mailed link may do: verify an address, set a new password, lift a block. Each works once, and only the newest. */
import type { Ticket, TicketKind, User } from '@latchkey/store'
import type { IdentityContext } from './context.ts'
import { mayMail, unblock } from './limits.ts'
import { checkPassword, checkPasswordHistory, type PasswordProblem, passwordHistorySize } from './passwords.ts'

const day = 86_400_000
/** Milliseconds; Auth0's defaults. */
const lifetimes = { verify_email: 5 * day, reset_password: day, unblock: day } as const satisfies Record<
  TicketKind,
  number
>

export async function sendVerification(ctx: IdentityContext, user: User, locale?: string): Promise<void> {
  const ticket = await issueTicket(ctx, 'verify_email', user)
  if (ticket !== undefined) await ctx.post('verify_email', user, `u/verify-email?ticket=${ticket}`, locale)
}

export async function sendPasswordReset(ctx: IdentityContext, user: User, locale?: string): Promise<void> {
  const ticket = await issueTicket(ctx, 'reset_password', user)
  if (ticket !== undefined) await ctx.post('reset_password', user, `u/reset-password?ticket=${ticket}`, locale)
}

/** At most once an hour. */
export async function sendUnblock(ctx: IdentityContext, user: User): Promise<void> {
  const ticket = user.email === undefined ? undefined : await issueTicket(ctx, 'unblock', user, 1)
  if (ticket !== undefined) await ctx.post('blocked_account', user, `u/unblock?ticket=${ticket}`, undefined)
}

/** @returns undefined where no further mail of this kind may be sent: counted and written in one, so that many at once are few mails */
async function issueTicket(
  ctx: IdentityContext,
  kind: TicketKind,
  user: User,
  per_hour?: number,
): Promise<string | undefined> {
  const { user_id } = user
  const now = ctx.now()
  const ticket = ctx.random(32)
  const issued = await ctx.store.atomically(async (store) => {
    const linkWorks = async () => {
      const newest = await store.tickets.newest(user_id, kind, now)
      return newest !== undefined && isFor(newest, user)
    }
    if (!(await mayMail(store, kind, user_id, linkWorks, now, per_hour))) return false
    const details = { email: user.email ?? '' }
    await store.tickets.create(kind, ticket, { user_id, details }, now + lifetimes[kind], now)
    return true
  })
  if (!issued) ctx.log.info({ kind, user_id }, 'no further mail of this kind is sent within the hour')
  return issued ? ticket : undefined
}

/** The user of a ticket that still works, for the page that asks to confirm. */
export async function peekTicket(ctx: IdentityContext, kind: TicketKind, ticket: string): Promise<User | undefined> {
  const found = await ctx.store.tickets.peek(kind, ticket, ctx.now())
  return found === undefined ? undefined : personOf(ctx, found)
}

async function personOf(ctx: IdentityContext, ticket: Ticket): Promise<User | undefined> {
  const user = await ctx.store.users.find(ticket.user_id)
  return user !== undefined && isFor(ticket, user) ? user : undefined
}

// A ticket that was sent to an address proves nothing about another one.
function isFor(ticket: Ticket, user: User): boolean {
  return (user.email ?? '') === ticket.details.email
}

/** @returns false when the ticket no longer works */
export async function verifyEmail(ctx: IdentityContext, ticket: string): Promise<boolean> {
  if ((await peekTicket(ctx, 'verify_email', ticket)) === undefined) return false
  const now = ctx.now()
  return ctx.store.atomically(async (store) => {
    const taken = await store.tickets.take('verify_email', ticket, now)
    return taken !== undefined && store.users.update(taken.user_id, { email_verified: true }, now)
  })
}

/**
 * Sets a new password, and ends every session and opaque token of the user.
 * @returns false when the ticket no longer works
 * @throws Busy when the password workers have no room
 */
export async function resetPassword(ctx: IdentityContext, ticket: string, password: string): Promise<boolean> {
  const user = await peekTicket(ctx, 'reset_password', ticket)
  if (user === undefined) return false
  const kept = passwordHistorySize(ctx.configuration.connection(user.connection)?.options ?? {})
  const password_hash = await ctx.passwords.hash(password)
  const now = ctx.now()
  const done = await ctx.store.atomically(async (store) => {
    const taken = await store.tickets.take('reset_password', ticket, now)
    if (taken === undefined) return false
    if (kept > 0 && user.password_hash !== undefined) {
      await store.formerPasswords.add(taken.user_id, user.password_hash, kept, now)
    }
    await store.sessions.endAllOf(taken.user_id, now)
    await store.accessTokens.revokeAllOf(taken.user_id)
    await store.refreshTokens.revokeAllOf(taken.user_id, undefined, ctx.now())
    // Whoever reads the mail owns the address.
    return store.users.update(taken.user_id, { password_hash, email_verified: true }, now)
  })
  if (!done) return false
  await unblock(ctx, user)
  return true
}

/**
 * What is wrong with a password that a user wants to have next.
 * @throws Busy when the password workers have no room
 */
export async function newPasswordProblems(
  ctx: IdentityContext,
  user: User,
  password: string,
): Promise<readonly PasswordProblem[]> {
  const policy = ctx.configuration.connection(user.connection)?.options ?? {}
  const problems = checkPassword(password, policy, { ...user.profile, email: user.email, username: user.username })
  const size = passwordHistorySize(policy)
  if (problems.length > 0 || size === 0) return problems
  const former = await ctx.store.formerPasswords.list(user.user_id, size)
  const hashes = user.password_hash === undefined ? former : [user.password_hash, ...former]
  const used = await checkPasswordHistory(ctx.passwords, password, policy, hashes)
  return used === undefined ? [] : [used]
}

/** @returns false when the ticket no longer works */
export async function unblockByTicket(ctx: IdentityContext, ticket: string): Promise<boolean> {
  const user = await peekTicket(ctx, 'unblock', ticket)
  if (user === undefined) return false
  if ((await ctx.store.tickets.take('unblock', ticket, ctx.now())) === undefined) return false
  await unblock(ctx, user)
  return true
}
