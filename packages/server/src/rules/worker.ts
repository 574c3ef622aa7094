/**
 * Owns the side of the process that runs rules: one sign-in at a time, each in a context of its own, so that a variable that a rule
 * forgot to declare does not reach the next person.
 */
import { createContext, runInContext, Script } from 'node:vm'
import {
  type Ending,
  type LogLevel,
  type Message,
  maxLine,
  maxLines,
  maxOutput,
  type Run,
  runTimeout,
} from './messages.ts'
import { type Outside, type Start, sandbox } from './sandbox.ts'
import { compileRule } from './script.ts'

const inside = new Script(`(${sandbox.toString()})`, { filename: 'sandbox' })
const call = new Script('run()')
const box: { run?: () => void } = createContext({})
const web = { URL, URLSearchParams, TextEncoder, TextDecoder, atob, btoa }

let scripts: readonly { readonly name: string; readonly script: Script }[] = []
let configuration = '{}'
let finish: ((ending: Ending) => void) | undefined
let current = ''

function send(message: Message): void {
  process.send?.(message)
}

function prepare({ set }: Run): void {
  if (set === undefined) return
  scripts = set.scripts.map(({ name, script }) => ({ name, script: compileRule(name, script) }))
  configuration = JSON.stringify(set.configuration)
}

function begin(run: Run): void {
  const timers = new Map<number, NodeJS.Timeout>()
  current = ''
  finish = (ending) => {
    if (finish === undefined) return
    finish = undefined
    for (const timer of timers.values()) clearTimeout(timer)
    // Told once the rules' own code has stopped: a loop behind the callback is this run's fault, not the next one's.
    setImmediate(() => send(ending))
  }
  try {
    prepare(run)
    const context = createContext({}, { codeGeneration: { strings: false, wasm: false } })
    const start = (inside.runInContext(context) as typeof sandbox)(runInContext('globalThis', context), outside(timers))
    const rules = scripts.map(({ name, script }) => ({ name, run: script.runInContext(context) as unknown }))
    runBounded(start, { input: run.input, configuration, rules })
  } catch (error) {
    finish?.({ kind: 'failed', rule: current, reason: String(error) })
  }
}

/** The server ends this process in time; should the server itself be gone, nothing may run for ever. */
function runBounded(start: (start: Start) => void, given: Start): void {
  box.run = () => start(given)
  call.runInContext(box, { timeout: 2 * runTimeout })
}

function outside(timers: Map<number, NodeJS.Timeout>): Outside {
  let lines = 0
  let last = 0
  const log = (level: LogLevel, text: string) => {
    lines += 1
    if (lines <= maxLines) send({ kind: 'log', rule: current, level, text: text.slice(0, maxLine) })
  }
  return {
    web,
    log,
    began(rule) {
      current = rule
      send({ kind: 'began', rule })
    },
    after(work, ms) {
      last += 1
      const id = last
      if (finish !== undefined)
        timers.set(
          id,
          setTimeout(() => timers.delete(id) && work(), Math.min(ms, runTimeout)),
        )
      return id
    },
    cancel(id) {
      clearTimeout(timers.get(Number(id)))
      timers.delete(Number(id))
    },
    passed(output) {
      const bytes = Buffer.byteLength(output)
      if (bytes <= maxOutput) finish?.({ kind: 'passed', output })
      else
        finish?.({ kind: 'failed', rule: current, reason: `the claims are ${bytes} bytes; ${maxOutput} are allowed` })
    },
    denied: (message) => finish?.({ kind: 'denied', rule: current, message: message.slice(0, maxLine) }),
    failed: (reason) => finish?.({ kind: 'failed', rule: current, reason: reason.slice(0, maxLine) }),
  }
}

process.on('message', (run: Run) => begin(run))
process.on('unhandledRejection', (reason) => {
  finish?.({ kind: 'failed', rule: current, reason: `a promise was rejected: ${String(reason)}`.slice(0, maxLine) })
})
process.on('uncaughtException', (error) => {
  finish?.({ kind: 'failed', rule: current, reason: String(error).slice(0, maxLine) })
})
// The server decides when this process ends; a signal to both must not end a run that the server still waits for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit())
send({ kind: 'ready' })
