/** Owns a worker thread's side: it takes one job at a time and does it synchronously, away from the event loop. */
import { parentPort } from 'node:worker_threads'
import { readHash } from './hashes.ts'
import type { Answer, Job } from './jobs.ts'
import { hashArgon2 } from './schemes/argon2.ts'

async function work(job: Job): Promise<string | boolean> {
  if (job.kind === 'hash') return hashArgon2(job.secret, job.costs)
  const recipe = readHash(job.encoded)
  let matched = false
  for (const password of job.passwords) matched = (await recipe.verify(password)) || matched
  return matched
}

parentPort?.on('message', async (job: Job) => {
  const started = performance.now()
  let answer: Answer
  try {
    const value = await work(job)
    answer = { value, ms: performance.now() - started }
  } catch (error) {
    answer = { failure: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(answer)
})
