/** Owns one worker thread: a job at a time, a bound on its time, and the end of it. */
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Answer, Done, Job } from './jobs.ts'

/** A worker ended, or took too long, while it had a job. The job was not done; another worker takes the next. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed'
  readonly code = 'password_worker_failed'
}

export interface ThreadOptions {
  /** The worker's module. */
  readonly entry: URL
  /** Longest a job may take, in ms, before the thread is ended. */
  readonly job_timeout: number
  /** Called once, before the job that was lost is refused. */
  readonly ended: (thread: Thread) => void
}

export interface Thread {
  readonly busy: boolean
  /** Only for a thread that is not busy. */
  do(job: Job): Promise<Done>
  end(): Promise<void>
}

/** A worker gets nothing of the environment but the place where compiled code is kept. */
function environment(): Record<string, string> {
  const cache = getCompileCacheDir()
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }
}

interface Current {
  readonly timer: NodeJS.Timeout
  readonly resolve: (done: Done) => void
  readonly reject: (error: Error) => void
}

export function startThread({ entry, job_timeout, ended }: ThreadOptions): Thread {
  const worker = new Worker(entry, {
    name: 'passwords',
    execArgv: [],
    env: environment(),
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
  })
  let current: Current | undefined
  let cause: unknown

  /** Takes the job off the thread, so that nothing answers it twice. */
  function settle(): Current | undefined {
    const settled = current
    current = undefined
    clearTimeout(settled?.timer)
    worker.unref()
    return settled
  }

  worker.unref()
  worker.on('message', (answer: Answer) => {
    const settled = settle()
    if ('failure' in answer) settled?.reject(new WorkerFailed(answer.failure))
    else settled?.resolve(answer)
  })
  worker.on('error', (error) => {
    cause = error
  })
  worker.on('exit', () => {
    ended(thread)
    settle()?.reject(new WorkerFailed('The password worker ended during its job.', { cause }))
  })

  const thread: Thread = {
    get busy() {
      return current !== undefined
    },
    do(job) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          cause = new Error(`The job took longer than ${job_timeout} ms.`)
          void worker.terminate()
        }, job_timeout)
        current = { timer, resolve, reject }
        // Only a job that runs keeps the process alive.
        worker.ref()
        worker.postMessage(job)
      })
    },
    async end() {
      await worker.terminate()
    },
  }
  return thread
}
