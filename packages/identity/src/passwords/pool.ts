/** Owns the worker threads: a bounded queue before them, a start at first use, an end when nobody needs them. */
import type { Done, Job } from './jobs.ts'
import { startThread, type Thread, WorkerFailed } from './thread.ts'

/** More is waiting than can be done in time. The server answers 503 with `Retry-After`. */
export class Busy extends Error {
  override readonly name = 'Busy'
  readonly code = 'temporarily_unavailable'
  /** Seconds. */
  readonly retry_after: number

  constructor(retry_after: number) {
    super(`Too many passwords are being checked; try again in ${retry_after} s.`)
    this.retry_after = retry_after
  }
}

export interface PoolOptions {
  /** The worker's module. */
  readonly entry: URL
  readonly threads: number
  /** Jobs that may wait. */
  readonly queue: number
  /** Longest wait in the queue, in ms. */
  readonly queue_timeout: number
  /** Longest a job may take, in ms. */
  readonly job_timeout: number
  /** Time without jobs, in ms, after which the threads end. */
  readonly idle_timeout: number
}

export interface Pool {
  /**
   * @throws Busy at once when the queue is full, or later when the job waited too long
   * @throws WorkerFailed when its thread ended, or the pool was closed
   */
  run(job: Job): Promise<Done>
  /** Refuses what waits, lets what runs finish, ends the threads. */
  close(): Promise<void>
  /** Threads that are alive. */
  readonly threads: number
}

interface Waiting {
  readonly job: Job
  readonly resolve: (done: Done) => void
  readonly reject: (error: Error) => void
  timer?: NodeJS.Timeout
}

export function openPool(options: PoolOptions): Pool {
  const threads = new Set<Thread>()
  const queue: Waiting[] = []
  const running = new Set<Promise<void>>()
  let idle: NodeJS.Timeout | undefined
  let closed = false
  /** Ms that a job takes, smoothed; for `retry_after` only. */
  let pace = 20

  function busy(): Busy {
    const seconds = Math.ceil(((queue.length + 1) * pace) / options.threads / 1000)
    return new Busy(Math.min(Math.max(seconds, 1), 30))
  }

  function freeThread(): Thread | undefined {
    for (const thread of threads) if (!thread.busy) return thread
    if (threads.size >= options.threads) return undefined
    const { entry, job_timeout } = options
    const thread = startThread({ entry, job_timeout, ended: (ended) => threads.delete(ended) })
    threads.add(thread)
    return thread
  }

  function give(thread: Thread, { job, resolve, reject, timer }: Waiting): void {
    clearTimeout(timer)
    const work = thread.do(job).then((done) => {
      pace = 0.9 * pace + 0.1 * done.ms
      resolve(done)
    }, reject)
    running.add(work)
    void work.then(() => {
      running.delete(work)
      next()
    })
  }

  function next(): void {
    while (queue.length > 0) {
      const thread = freeThread()
      const waiting = thread === undefined ? undefined : queue.shift()
      if (thread === undefined || waiting === undefined) return
      give(thread, waiting)
    }
    if (running.size > 0) return
    clearTimeout(idle)
    idle = setTimeout(() => void end(), options.idle_timeout)
    idle.unref()
  }

  async function end(): Promise<void> {
    const ending = [...threads]
    // Out of the set first: a job that comes meanwhile must not be given to a thread that is ending.
    threads.clear()
    await Promise.all(ending.map((thread) => thread.end()))
  }

  function wait(waiting: Waiting): void {
    queue.push(waiting)
    waiting.timer = setTimeout(() => {
      waiting.reject(busy())
      queue.splice(queue.indexOf(waiting), 1)
    }, options.queue_timeout)
  }

  return {
    get threads() {
      return threads.size
    },
    run(job) {
      return new Promise((resolve, reject) => {
        if (closed) throw new WorkerFailed('The password workers are closed.')
        clearTimeout(idle)
        const thread = freeThread()
        if (thread !== undefined) give(thread, { job, resolve, reject })
        else if (queue.length < options.queue) wait({ job, resolve, reject })
        else throw busy()
      })
    },
    async close() {
      closed = true
      for (const waiting of queue.splice(0)) {
        clearTimeout(waiting.timer)
        waiting.reject(new WorkerFailed('The password workers were closed before the job was done.'))
      }
      await Promise.all(running)
      clearTimeout(idle)
      await end()
    },
  }
}
