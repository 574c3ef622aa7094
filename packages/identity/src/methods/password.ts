/** Owns signing in with a password. The same work is done for a person who does not exist as for one who does. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, User } from '@latchkey/store'
import type { IdentityContext } from '../context.ts'
import { type Attempt, clearFailures, countAttempt, countFailure, forgiveAttempt } from '../limits.ts'
import { defineLoginMethod } from '../login_method.ts'
import { Busy } from '../passwords.ts'
import { sendUnblock } from '../tickets.ts'

export interface PasswordForm {
  readonly connection: Connection
  /** E-mail address, or user name where the connection has them. */
  readonly identifier: string
  readonly password: string
  readonly ip: string
}

export const password = defineLoginMethod<PasswordForm>({
  id: 'password',
  amr: ['pwd'],
  async verify(ctx, { connection, identifier, password: given, ip }) {
    const user = await findPerson(ctx, connection, identifier)
    const attempt: Attempt = { connection: connection.name, identifier, user_id: user?.user_id, ip }
    const refusal = await countAttempt(ctx, attempt, connection.options.brute_force_protection !== false)
    if (refusal !== undefined) return { problem: refusal }
    const proof = await prove(ctx, user, given)
    if (proof === undefined) {
      await forgiveAttempt(ctx, attempt)
      return { problem: 'unavailable' }
    }
    if (user === undefined || !proof.ok) {
      if (await countFailure(ctx, attempt)) await tellOfBlock(ctx, user)
      return { problem: 'wrong_credentials' }
    }
    await clearFailures(ctx, attempt)
    if (proof.rehash && user.password_hash !== undefined) await strengthen(ctx, user, user.password_hash, given)
    await ctx.store.users.recordLogin(user.user_id, ip, ctx.now())
    return { user }
  },
})

/** Milliseconds; far more than writing the mail takes. */
const blockingTakes = 300

/** The answer that blocks takes as long for a person who does not exist, to whom no mail is written. */
async function tellOfBlock(ctx: IdentityContext, user: User | undefined): Promise<void> {
  await Promise.all([user === undefined ? undefined : sendUnblock(ctx, user), delay(blockingTakes)])
}

/** Looks a person up by what was typed. */
export async function findPerson(
  ctx: IdentityContext,
  connection: Connection,
  identifier: string,
): Promise<User | undefined> {
  const text = identifier.trim()
  if (connection.options.requires_username === true && !text.includes('@'))
    return ctx.store.users.findByUsername(connection.name, text)
  return ctx.store.users.findByEmail(connection.name, text)
}

async function prove(ctx: IdentityContext, user: User | undefined, given: string) {
  try {
    return await ctx.passwords.verify(user?.password_hash, given)
  } catch (error) {
    if (error instanceof Busy) return undefined
    throw error
  }
}

// A stronger hash is a convenience: when the workers are busy it waits for the next time.
async function strengthen(ctx: IdentityContext, user: User, before: string, given: string): Promise<void> {
  try {
    await ctx.store.users.rehash(user.user_id, before, await ctx.passwords.hash(given))
  } catch (error) {
    if (!(error instanceof Busy)) throw error
  }
}
