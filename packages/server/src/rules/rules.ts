/** Owns the running of rules: a few processes, started at the first run and ended when nobody needs them, and a bounded queue before them. */
import type { Log, RulesInput, RulesResult } from '@latchkey/core'
import type { RuleSet } from './messages.ts'
import type { RuleProcess, startRuleProcess } from './rule_process.ts'

/** Runs that may wait, and how long, in ms. */
const longestQueue = 200
const longestWait = 5000

/** Time without runs, in ms, after which the processes end. */
const idleTimeout = 60_000

export interface RulesOptions {
  readonly log: Log
  /** Most processes at a time; by default 2, so that one rule that hangs does not hold everybody up. */
  readonly processes?: number
}

export interface Rules {
  /** Runs a tenant's rules for one sign-in. Never rejects. */
  run(set: RuleSet, input: RulesInput): Promise<RulesResult>
  /** Ends the processes; runs that are not done fail. */
  close(): void
  /** Processes that are alive. */
  readonly processes: number
}

interface Waiting {
  readonly set: RuleSet
  readonly input: string
  readonly resolve: (result: RulesResult) => void
  readonly timer: NodeJS.Timeout
}

/** Nothing is started, nor even loaded, before the first run. */
export function openRules({ log, processes: most = 2 }: RulesOptions): Rules {
  const processes = new Set<RuleProcess>()
  const queue: Waiting[] = []
  let start: typeof startRuleProcess | undefined
  let idle: NodeJS.Timeout | undefined
  let closed = false

  function freeProcess(): RuleProcess | undefined {
    for (const process of processes) if (!process.busy) return process
    if (start === undefined || processes.size >= most) return undefined
    const process = start(log, (ended) => processes.delete(ended))
    processes.add(process)
    return process
  }

  async function give(process: RuleProcess, set: RuleSet, input: string): Promise<RulesResult> {
    const result = await process.run(set, input)
    next()
    return result
  }

  function next(): void {
    while (queue.length > 0) {
      const process = freeProcess()
      const waiting = process === undefined ? undefined : queue.shift()
      if (process === undefined || waiting === undefined) return
      clearTimeout(waiting.timer)
      void give(process, waiting.set, waiting.input).then(waiting.resolve)
    }
    clearTimeout(idle)
    idle = setTimeout(end, idleTimeout)
    idle.unref()
  }

  function end(): void {
    for (const process of [...processes]) if (closed || !process.busy) process.end()
  }

  function wait(set: RuleSet, input: string): Promise<RulesResult> {
    if (queue.length >= longestQueue) return Promise.resolve({ kind: 'busy' })
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(waiting), 1)
        resolve({ kind: 'busy' })
      }, longestWait)
      const waiting: Waiting = { set, input, resolve, timer }
      queue.push(waiting)
    })
  }

  return {
    get processes() {
      return processes.size
    },
    async run(set, input) {
      const text = JSON.stringify(input)
      start ??= (await import('./rule_process.ts')).startRuleProcess
      if (closed) return { kind: 'failed', reason: 'the server is stopping' }
      clearTimeout(idle)
      const process = freeProcess()
      return process === undefined ? wait(set, text) : give(process, set, text)
    },
    close() {
      closed = true
      clearTimeout(idle)
      for (const { timer, resolve } of queue.splice(0)) {
        clearTimeout(timer)
        resolve({ kind: 'failed', reason: 'the server is stopping' })
      }
      end()
    },
  }
}
