// @ts-check
/** Owns the failure a person can do something about: one sentence, no stack. */
export class Stop extends Error {}

/**
 * Runs a tool to its end; a `Stop` becomes its sentence, anything else keeps its stack.
 * @param {() => Promise<void>} run
 */
export async function runTool(run) {
  try {
    await run()
  } catch (cause) {
    console.error(cause instanceof Stop ? `\n${cause.message}` : cause)
    process.exitCode = 1
  }
}
