/** Owns what a person reads when a command fails: a sentence, never a stack trace. */

export interface Failure {
  readonly text: string
  readonly exit_code: number
}

/** Names of errors that mean a slip in this program. */
const bugs = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError'])

/** @returns exit code 2 for wrong usage, 1 for everything else */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { text: `Something failed: ${String(error)}`, exit_code: 1 }
  if (error.name === 'ConfigError') return { text: error.message, exit_code: 2 }
  if (!bugs.has(error.name)) return { text: error.message, exit_code: 1 }
  const [, frame = ''] = /\n\s+at (.*)/.exec(error.stack ?? '') ?? []
  return { text: `This is a mistake in Latchkey, please report it: ${error.message} (${frame})`, exit_code: 1 }
}
