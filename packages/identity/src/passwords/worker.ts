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

/** Ms of processor time of this thread: what work costs, however busy the machine is; wall time on an older Node. */
function spent(): number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

parentPort?.on('message', async (job: Job) => {
  const before = spent()
  let answer: Answer
  try {
    const value = await work(job)
    answer = { value, ms: spent() - before }
  } catch (error) {
    answer = { failure: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(answer)
})
