/** Owns answering in the same time whatever was found: how long an answer took must not tell who has an account. */
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds; far more than finding a person and writing a mail take. */
const answerTakes = 300

/** Does the work, and is done no sooner than the time that every such answer takes. */
export async function inSteadyTime(work: () => Promise<void>): Promise<void> {
  await Promise.all([work(), delay(answerTakes)])
}
