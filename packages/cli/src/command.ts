/** Owns the shape of a command: its words, what it takes, and what it does. */
import type { Config } from '@latchkey/server/config'
import type { CommandName } from '@latchkey/server/options'

/** A switch of one command alone; what configures the server is in the server's own list. */
export interface Switch {
  /** Such as `dry-run`; it stands behind two hyphens. */
  readonly name: string
  /** What stands for the value in the help; without one the switch takes none. */
  readonly placeholder?: string
  readonly choices?: readonly string[]
  readonly sentence: string
}

export interface Argument {
  readonly name: string
  readonly sentence: string
}

/** What a command gets to work with. */
export interface Call {
  readonly config: Config
  /** In the order of the command's list. */
  readonly args: readonly string[]
  /** The text of a switch; undefined where it was not given. */
  text(name: string): string | undefined
  /** Whether a switch without a value was given. */
  isOn(name: string): boolean
  /** Writes lines to the standard output. */
  print(text: string): void
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes as base64url. */
  readonly random: (bytes: number) => string
}

export interface Command {
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Lines for the end of its help. */
  readonly notes?: string
  /** Whose options of the server's list it takes; without one it takes none, and reads no configuration. */
  readonly options?: CommandName
  readonly args?: readonly Argument[]
  readonly switches?: readonly Switch[]
  /** Commands beneath this one, such as `keys list`. */
  readonly commands?: readonly Command[]
  readonly run?: (call: Call) => Promise<void>
}

export function defineCommand(command: Command): Command {
  return command
}

/** Something that cannot be done; the message says what to change. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}
