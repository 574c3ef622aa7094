/** Owns telling callers how often they may call: the headers that say what is left, and a bucket of calls for each caller. */
import type { FastifyReply } from 'fastify'

/** What is left to a caller. Instants are milliseconds since 1970. */
export interface Allowance {
  readonly limit: number
  /** Calls that are left now. */
  readonly remaining: number
  /** When the whole limit is there again. */
  readonly resets_at: number
  /** When the next call may come; in the past where one is left. */
  readonly next_at: number
  readonly allowed: boolean
}

export const tooMany =
  'Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.'

/** Tells a caller what is left, and one that was refused when to come back. */
export function tellAllowance(reply: FastifyReply, allowance: Allowance, now: number): void {
  reply.header('x-ratelimit-limit', String(allowance.limit))
  reply.header('x-ratelimit-remaining', String(allowance.remaining))
  reply.header('x-ratelimit-reset', String(Math.ceil(allowance.resets_at / 1000)))
  if (!allowance.allowed) reply.header('retry-after', String(Math.max(1, Math.ceil((allowance.next_at - now) / 1000))))
}

const minute = 60_000

/** Callers that are remembered at once; beyond them the one that was new the longest ago is forgotten. */
const mostCallers = 100_000

export interface Buckets {
  /** Takes one call out of a caller's bucket. */
  take(caller: string, now: number): Allowance
}

/**
 * A bucket of calls for each caller, in the memory of this process: full at first, and filled up evenly. For what is limited for the
 * sake of the load alone; a limit on guessing is counted in the database.
 * @param per_minute calls that fit into a bucket, and that a minute brings
 */
export function openBuckets(per_minute: number, most = mostCallers): Buckets {
  const buckets = new Map<string, { level: number; at: number }>()
  const each = minute / per_minute

  return {
    take(caller, now) {
      let bucket = buckets.get(caller)
      if (bucket === undefined) {
        const oldest = buckets.size < most ? undefined : buckets.keys().next().value
        if (oldest !== undefined) buckets.delete(oldest)
        bucket = { level: per_minute, at: now }
        buckets.set(caller, bucket)
      }
      // A clock that was set back brings nothing, and takes nothing.
      bucket.level = Math.min(per_minute, bucket.level + Math.max(0, now - bucket.at) / each)
      bucket.at = now
      const allowed = bucket.level >= 1
      if (allowed) bucket.level -= 1
      return {
        limit: per_minute,
        remaining: Math.floor(bucket.level),
        resets_at: now + (per_minute - bucket.level) * each,
        next_at: now + (1 - bucket.level) * each,
        allowed,
      }
    },
  }
}
