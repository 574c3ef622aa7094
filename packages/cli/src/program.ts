/** Owns the command line as a whole: it turns the list of commands into a parser with its help. */
import { randomBytes } from 'node:crypto'
import { type Config, loadConfig, type Switches } from '@latchkey/server/config'
import {
  type Option as ConfigOption,
  type OptionName,
  options,
  optionsOf,
  switchOf,
  variableOf,
} from '@latchkey/server/options'
import { Option, Command as Parser } from 'commander'
import type { Call, Command, Switch } from './command.ts'
import { commands } from './commands/index.ts'
import { packageVersion } from './commands/version.ts'

/** @throws CommanderError when the arguments are wrong, or only help was asked for */
export function buildProgram(): Parser {
  const program = new Parser('latchkey')
    .description('An authorization server for apps that run on the user’s side: OAuth 2.0 and OpenID Connect.')
    .version(`latchkey ${packageVersion()}`, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', '\nEach command has a help of its own: latchkey serve --help')
  for (const command of commands) addCommand(program, command)
  return withErrors(program)
}

/** Every parser reports wrong usage in the same way, and leaves ending the process to `main`. */
function withErrors(parser: Parser, path = parser.name()): Parser {
  for (const inner of parser.commands) withErrors(inner, `${path} ${inner.name()}`)
  return parser
    .showHelpAfterError(`See: ${path} --help`)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: ./, (start) => start.slice(7).toUpperCase())),
    })
}

function addCommand(parent: Parser, command: Command): void {
  const parser = parent.command(command.name).description(command.summary).helpOption('-h, --help', 'Print this help.')
  if (command.notes !== undefined) parser.addHelpText('after', command.notes)
  for (const inner of command.commands ?? []) addCommand(parser, inner)
  for (const { name, sentence } of command.args ?? []) parser.argument(`<${name}>`, sentence)
  for (const one of command.switches ?? []) parser.addOption(switchOption(one))
  const names = command.options === undefined ? [] : optionsOf(command.options)
  const configured = names.map((name) => ({ name, option: configOption(name) }))
  for (const { option } of configured) parser.addOption(option)
  const { run } = command
  if (run === undefined) return
  parser.action(async () => {
    const given = parser.opts<Record<string, string | readonly string[] | boolean>>()
    const switches: Switches = Object.fromEntries(
      configured
        .map(({ name, option }) => [name, given[option.attributeName()]])
        .filter(([, value]) => value !== undefined),
    )
    await run(callOf(command, parser, switches))
  })
}

function callOf({ options: name, switches: own = [] }: Command, parser: Parser, switches: Switches): Call {
  const given = parser.opts<Record<string, unknown>>()
  const values = new Map(own.map((one) => [one.name, given[switchOption(one).attributeName()]]))
  return {
    // A command that takes no options reads none, and so never looks at its configuration.
    config: name === undefined ? ({} as Config) : loadConfig(name, switches),
    args: parser.args,
    text(of) {
      const value = values.get(of)
      return typeof value === 'string' ? value : undefined
    },
    isOn: (of) => values.get(of) === true,
    print: (text) => void process.stdout.write(`${text}\n`),
    now: Date.now,
    random: (bytes) => randomBytes(bytes).toString('base64url'),
  }
}

function switchOption({ name, placeholder, choices, sentence }: Switch): Option {
  const option = new Option(placeholder === undefined ? `--${name}` : `--${name} <${placeholder}>`, sentence)
  return choices === undefined ? option : option.choices([...choices])
}

function configOption(name: OptionName): Option {
  const { type, secret }: ConfigOption<unknown> = options[name]
  const placeholder = secret === true ? 'FILE' : type.placeholder
  const flags = placeholder === '' ? switchOf(name) : `${switchOf(name)} <${placeholder}>`
  const option = new Option(flags, describe(name))
  // An option that is given twice adds to a list, and otherwise the last one counts.
  const isList = type.is_list && secret !== true
  if (isList) option.argParser((value: string, before: readonly string[] = []) => [...before, value])
  return option
}

/** The sentence with the default and the variable, in brackets. */
function describe(name: OptionName): string {
  const { sentence, default_words, default: value, secret, type }: ConfigOption<unknown> = options[name]
  const words = default_words?.replaceAll('`', '') ?? (value === undefined || value === false ? '' : String(value))
  const variable = variableOf(name)
  const notes = [
    type.is_list && secret !== true ? 'repeatable' : '',
    words === '' || words === 'none' ? '' : `default: ${words}`,
    variable === undefined ? '' : `env: ${variable}`,
  ].filter((note) => note !== '')
  const place = secret === true ? ' Given in a file.' : ''
  return `${sentence.replaceAll('`', '')}${place}${notes.length === 0 ? '' : ` [${notes.join('; ')}]`}`
}
