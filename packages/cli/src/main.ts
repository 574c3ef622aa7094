/** Owns a run of the command: parse, do it, and end with the right words and the right exit code. */
import { CommanderError } from 'commander'
import { failureOf } from './failure.ts'
import { buildProgram } from './program.ts'

/** @param args what stands behind the command's name */
export async function main(args: readonly string[]): Promise<void> {
  // Whoever reads our output may stop reading, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.on('uncaughtException', end)
  // What we make holds people's data: nobody else on the machine is to read it.
  process.umask(0o077)
  try {
    await buildProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    end(error)
  }
}

/** A start that failed half-way may have left something open, which must not keep the process alive. */
function end(error: unknown): never {
  // Commander has said what is wrong by now; asking for help is no mistake.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  const { text, exit_code } = failureOf(error)
  process.stderr.write(`${text}\n`)
  process.exit(exit_code)
}
