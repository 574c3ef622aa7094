/** Owns the brakes on guessing: counted in the database, counted before the guess is judged, so that a hundred at once are still ten. */
import type { Aggregates, User } from '@latchkey/store'
import { addressBucket } from './addresses.ts'
import type { IdentityContext } from './context.ts'

const minute = 60_000
const day = 86_400_000

/** Failures of one person from one address until that pair is blocked. */
export const failuresUntilBlock = 10
const blockLasts = 30 * day
const attemptsPerMinute = 20
const mailsPerHour = 20
/** Mails of a kind to one person in an hour; after them the newest link stays the one to use, for as long as it works. */
const freeMails = 3

export interface Attempt {
  readonly connection: string
  /** What was typed as user name or e-mail address. */
  readonly identifier: string
  /** Whom it names. A person with an address and a name is one person, whichever was typed. */
  readonly user_id?: string | undefined
  readonly ip: string
}

export type Refusal = 'too_many_attempts' | 'too_many_logins'

/** Counts an attempt to sign in. @returns why it may not go on, if so */
export async function countAttempt(
  ctx: IdentityContext,
  attempt: Attempt,
  brute_force_protection: boolean,
): Promise<Refusal | undefined> {
  const now = ctx.now()
  // The address comes first: one that is held up adds no more counters to the database, whatever names it makes up.
  if (ctx.per_address !== undefined) {
    const failures = await ctx.store.counters.add(addressKey(attempt.ip), day, now)
    if (failures.count > ctx.per_address.failures_per_day) return 'too_many_attempts'
  }
  const refusal = await countPair(ctx, attempt, brute_force_protection, now)
  if (refusal !== undefined) await takeBackFailure(ctx, attempt)
  return refusal
}

async function countPair(
  ctx: IdentityContext,
  attempt: Attempt,
  brute_force_protection: boolean,
  now: number,
): Promise<Refusal | undefined> {
  const { counters } = ctx.store
  const rate = await counters.add(rateKey(ctx, attempt), minute, now)
  if (rate.count > attemptsPerMinute) return 'too_many_logins'
  if (!brute_force_protection) return undefined
  const failures = await counters.add(failureKey(ctx, attempt), blockLasts, now)
  return failures.count > failuresUntilBlock ? 'too_many_attempts' : undefined
}

/** After a wrong password, which was counted before it was judged. @returns true when the pair is blocked from now on */
export async function countFailure(ctx: IdentityContext, attempt: Attempt): Promise<boolean> {
  const { count } = await ctx.store.counters.read(failureKey(ctx, attempt), ctx.now())
  // Of ten that fail at once, each sees them all counted.
  return count >= failuresUntilBlock
}

/** An attempt that could not be judged is no failure. */
export async function forgiveAttempt(ctx: IdentityContext, attempt: Attempt): Promise<void> {
  await takeBackFailure(ctx, attempt)
  await ctx.store.counters.takeBack(failureKey(ctx, attempt))
}

// Every attempt counts against its address from the start, so that a crowd of them is no more than the limit.
async function takeBackFailure(ctx: IdentityContext, { ip }: Attempt): Promise<void> {
  if (ctx.per_address !== undefined) await ctx.store.counters.takeBack(addressKey(ip))
}

/** After a right password the pair is as new: whoever knows the password is not guessing. */
export async function clearFailures(ctx: IdentityContext, attempt: Attempt): Promise<void> {
  await takeBackFailure(ctx, attempt)
  await ctx.store.counters.clear(failureKey(ctx, attempt))
  await ctx.store.counters.clear(rateKey(ctx, attempt))
}

/** Lifts every block of a person, whatever the address. */
export async function unblock(ctx: IdentityContext, user: User): Promise<void> {
  await ctx.store.counters.clearAll(`failures ${known(ctx, user.user_id)} `)
}

/** @returns true when this address may sign up once more */
export async function maySignUp(ctx: IdentityContext, ip: string): Promise<boolean> {
  if (ctx.per_address === undefined) return true
  const { count } = await ctx.store.counters.add(`signup ${addressBucket(ip)}`, minute, ctx.now())
  return count <= ctx.per_address.signups_per_minute
}

/**
 * Counts a trip that an address begins, in the transaction of the trip itself. Whoever calls it has to undo that transaction when the
 * answer is no, so that a crowd beyond the limit writes nothing.
 * @param counters of that transaction
 * @returns seconds until the address may begin another, or undefined when it may begin this one
 */
export async function tripDelay(
  ctx: IdentityContext,
  counters: IdentityContext['store']['counters'],
  ip: string,
): Promise<number | undefined> {
  const limit = ctx.per_address?.trips_per_hour ?? 0
  if (limit === 0) return undefined
  const now = ctx.now()
  const { count, ends_at } = await counters.add(`trips ${addressBucket(ip)}`, 60 * minute, now)
  return count <= limit ? undefined : Math.max(1, Math.ceil((ends_at - now) / 1000))
}

/**
 * Counts a mail of this kind to this person. Anybody can ask for one, so a stranger must neither use up the mails of an hour nor end
 * the link that the person is about to click on.
 * @param store of the transaction in which the mail's ticket is written
 * @param linkWorks whether the link of the newest mail still does
 * @returns true when the mail may go
 */
export async function mayMail(
  store: Aggregates,
  kind: string,
  user_id: string,
  linkWorks: () => Promise<boolean>,
  now: number,
  per_hour = mailsPerHour,
): Promise<boolean> {
  const key = `mail ${kind} ${user_id}`
  const { count } = await store.counters.add(key, 60 * minute, now)
  if (count > freeMails && (await linkWorks())) {
    await store.counters.takeBack(key)
    return false
  }
  return count <= per_hour
}

function rateKey(ctx: IdentityContext, attempt: Attempt): string {
  return `rate ${pair(ctx, attempt)}`
}

function failureKey(ctx: IdentityContext, attempt: Attempt): string {
  return `failures ${pair(ctx, attempt)}`
}

function pair(ctx: IdentityContext, { connection, identifier, user_id, ip }: Attempt): string {
  const person = user_id === undefined ? unknown(ctx, connection, identifier) : known(ctx, user_id)
  return `${person} ${addressBucket(ip)}`
}

// The two look alike, so that the counters tell nobody who exists.
function known(ctx: IdentityContext, user_id: string): string {
  return ctx.store.vault.hash('person', user_id)
}

// What was typed may be a password in the wrong field: only its keyed hash is kept.
function unknown(ctx: IdentityContext, connection: string, identifier: string): string {
  return ctx.store.vault.hash('identifier', `${connection}\n${identifier.trim().toLowerCase()}`)
}

function addressKey(ip: string): string {
  return `address ${addressBucket(ip)}`
}
