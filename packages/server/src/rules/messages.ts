/** Owns what travels between the server and the process that runs rules. */

/** One rule, ready to run. */
export interface Script {
  readonly name: string
  /** The source text of a function. */
  readonly script: string
}

export interface RuleSet {
  /** In the order they run. */
  readonly scripts: readonly Script[]
  readonly configuration: Readonly<Record<string, string>>
}

export interface Run {
  /** JSON of `{ user, context }`. */
  readonly input: string
  /** Sent when it is not the one of the run before. */
  readonly set?: RuleSet
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What the process says; a run ends with the first that is neither `began` nor `log`. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'began'; readonly rule: string }
  | { readonly kind: 'log'; readonly rule: string; readonly level: LogLevel; readonly text: string }
  /** `output` is JSON. */
  | { readonly kind: 'passed'; readonly output: string }
  | { readonly kind: 'denied'; readonly rule: string; readonly message: string }
  | { readonly kind: 'failed'; readonly rule: string; readonly reason: string }

export type Ending = Exclude<Message, { kind: 'ready' | 'began' | 'log' }>

/** Longest that all rules of one sign-in may take together, in ms. */
export const runTimeout = 2000

/** Bytes of what rules may leave behind, as JSON. */
export const maxOutput = 100_000

/** Lines that the rules of one sign-in may log, and characters of one. */
export const maxLines = 100
export const maxLine = 2000
