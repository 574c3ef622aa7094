/** Owns the compiling of a rule's source text. */
import { Script } from 'node:vm'

/**
 * The text must be one function expression: `function (user, context, callback) { … }`. A semicolon before
 * or behind it, as formatters put there, is forgiven.
 * @throws SyntaxError
 */
export function compileRule(name: string, text: string): Script {
  const expression = text.replace(/^\s*;/, ' ').replace(/[;\s]+$/, '')
  // On the first line, so that places in error messages are those of the file.
  return new Script(`(${expression}\n)`, { filename: `rule ${name}` })
}

/** @returns what is wrong with the text, or undefined for one that can be compiled */
export function ruleProblem(name: string, text: string): string | undefined {
  try {
    compileRule(name, text)
    return undefined
  } catch (error) {
    return error instanceof SyntaxError ? error.message : String(error)
  }
}
