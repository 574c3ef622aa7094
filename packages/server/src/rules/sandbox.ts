/**
 * Owns what rules see: the function here is evaluated by its own source text inside the context of one run. So it uses nothing of
 * this file but its parameters, and nothing it hands to rules is an object of the process outside, apart from the classes of `web`.
 */
import type { LogLevel } from './messages.ts'

/** What the process outside does for the sandbox. */
export interface Outside {
  began(rule: string): void
  log(level: LogLevel, text: string): void
  after(work: () => void, ms: number): number
  cancel(timer: unknown): void
  passed(output: string): void
  denied(message: string): void
  failed(reason: string): void
  /** Classes and functions of the web platform that JavaScript itself lacks, by name. */
  readonly web: Readonly<Record<string, unknown>>
}

export interface Start {
  /** JSON. */
  readonly input: string
  /** JSON. */
  readonly configuration: string
  readonly rules: readonly { readonly name: string; readonly run: unknown }[]
}

/** @param scope the global object of the run */
export function sandbox(scope: Record<string, unknown>, outside: Outside): (start: Start) => void {
  // Kept before any rule can replace them.
  const { parse, stringify } = JSON
  const text = String
  const isError = (value: unknown): value is Error => value instanceof Error
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  let over = false

  class UnauthorizedError extends Error {
    override name = 'UnauthorizedError'
  }

  function show(value: unknown): string {
    if (typeof value === 'string') return value
    if (isError(value)) return text(value.stack ?? value)
    return isObject(value) ? (stringify(value) ?? text(value)) : text(value)
  }

  function say(level: LogLevel, values: readonly unknown[]): void {
    try {
      outside.log(level, values.map(show).join(' '))
    } catch {
      outside.log(level, '(a value that cannot be written down)')
    }
  }

  function guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      fail(error)
    }
  }

  function fail(error: unknown): void {
    if (over) return
    over = true
    let tell = () => outside.failed('an error that cannot be written down')
    try {
      const isDenial = error instanceof UnauthorizedError
      const words = isDenial ? text(error.message) : show(error)
      tell = () => (isDenial ? outside.denied(words) : outside.failed(words))
    } catch {
      // The error's own code threw.
    }
    tell()
  }

  function pass(context: Record<string, unknown>): void {
    if (over) return
    const { idToken, accessToken, redirect, multifactor } = context
    const output = stringify({ idToken, accessToken, redirect, multifactor })
    if (typeof output !== 'string') throw new TypeError('The context is no longer one')
    over = true
    outside.passed(output)
  }

  function runFrom(rules: Start['rules'], index: number, user: unknown, context: Record<string, unknown>): void {
    const rule = rules[index]
    if (rule === undefined) {
      guard(() => pass(context))
      return
    }
    outside.began(rule.name)
    let calledBack = false
    const callback = (error?: unknown, nextUser?: unknown, nextContext?: unknown) => {
      if (calledBack || over) return
      calledBack = true
      if (error) fail(error)
      else
        runFrom(rules, index + 1, isObject(nextUser) ? nextUser : user, isObject(nextContext) ? nextContext : context)
    }
    guard(() => {
      if (typeof rule.run !== 'function') throw new TypeError('The script is not a function')
      const returned: unknown = rule.run(user, context, callback)
      if (isObject(returned) && typeof returned.then === 'function') returned.then(undefined, fail)
    })
  }

  const speaker: Record<string, unknown> = {}
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    speaker[level] = (...values: unknown[]) => say(level, values)
  speaker.log = speaker.info
  const timed = (work: unknown, ms: unknown, ...values: unknown[]) =>
    outside.after(() => guard(() => typeof work === 'function' && work(...values)), Number(ms) || 0)
  const clearTimeout = (timer: unknown) => outside.cancel(timer)
  Object.assign(scope, outside.web, {
    global: scope,
    console: speaker,
    UnauthorizedError,
    setTimeout: timed,
    clearTimeout,
  })

  return ({ input, configuration, rules }) => {
    scope.configuration = parse(configuration)
    const { user, context } = parse(input) as { user: unknown; context: Record<string, unknown> }
    runFrom(rules, 0, user, context)
  }
}
