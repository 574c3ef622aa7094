/**
 * Owns one process that runs rules: a run at a time, a bound on its time and memory, and the end of it. A process, because a thread
 * that runs out of memory takes the whole server with it; and it may neither read files nor start anything.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Log, RulesResult } from '@latchkey/core'
import { type Ending, type Message, type RuleSet, runTimeout } from './messages.ts'

/** MiB of the heap of one process. */
const memory = 64

/** Longest that a process may take to be ready, in ms. */
const startTimeout = 10_000

/** As the module runs from its TypeScript source, or compiled. */
const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
const packageFolder = fileURLToPath(new URL('../../', import.meta.url))

export interface RuleProcess {
  readonly busy: boolean
  /** Only for a process that is not busy. Never rejects. */
  run(set: RuleSet, input: string): Promise<RulesResult>
  end(): void
}

interface Current {
  rule: string | undefined
  timer: NodeJS.Timeout
  readonly set: RuleSet
  readonly input: string
  readonly resolve: (result: RulesResult) => void
}

export function startRuleProcess(log: Log, ended: (process: RuleProcess) => void): RuleProcess {
  const child = startChild()
  let current: Current | undefined
  let known: RuleSet | undefined
  let ready = false
  let last = ''

  function settle(result: RulesResult): void {
    const settled = current
    current = undefined
    clearTimeout(settled?.timer)
    letGo(child)
    settled?.resolve(result)
  }

  function bound(ms: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => {
      end()
      settle(failure(current?.rule, reason))
    }, ms)
  }

  function give(job: Current): void {
    clearTimeout(job.timer)
    job.timer = bound(runTimeout, `no answer within ${runTimeout} ms: does every way through it call back?`)
    child.send({ input: job.input, ...(known === job.set ? {} : { set: job.set }) })
    known = job.set
  }

  function hear(message: Message): void {
    if (message.kind === 'ready') {
      ready = true
      if (current !== undefined) give(current)
    } else if (message.kind === 'log') log[message.level]({ rule: message.rule }, message.text)
    else if (message.kind !== 'began') settle(resultOf(message))
    else if (current !== undefined) current.rule = message.rule
  }

  function end(): void {
    ended(self)
    child.kill('SIGKILL')
  }

  function gone(reason: string): void {
    ended(self)
    if (current !== undefined) settle(failure(current.rule, `${reason} ${last}`.trim()))
  }

  child.on('message', (message) => hear(message as Message))
  child.on('error', (error) => gone(String(error)))
  child.on('exit', (code, signal) => gone(`its process ended (${signal ?? code})`))
  child.stderr?.on('data', (data: Buffer) => {
    last = /FATAL ERROR: [^\n]*/.exec(String(data))?.[0] ?? last
  })

  const self: RuleProcess = {
    get busy() {
      return current !== undefined
    },
    run(set, input) {
      return new Promise((resolve) => {
        child.ref()
        child.channel?.ref()
        const timer = bound(startTimeout, `its process was not ready within ${startTimeout} ms`)
        current = { rule: undefined, timer, set, input, resolve }
        if (ready) give(current)
      })
    },
    end,
  }
  return self
}

function startChild(): ChildProcess {
  return fork(entry, [], {
    env: {},
    execArgv: ['--permission', `--allow-fs-read=${packageFolder}`, `--max-old-space-size=${memory}`, '--no-warnings'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}

/** Only a run keeps the server's process alive. */
function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
  if (child.stderr instanceof Socket) child.stderr.unref()
}

function failure(rule: string | undefined, reason: string): RulesResult {
  return { kind: 'failed', reason, ...(rule === undefined ? {} : { rule }) }
}

function resultOf(ending: Ending): RulesResult {
  if (ending.kind !== 'passed') return ending
  const output: unknown = JSON.parse(ending.output)
  if (typeof output !== 'object' || output === null) return failure(undefined, 'the context is no longer an object')
  return { kind: 'passed', output: output as Readonly<Record<string, unknown>> }
}
