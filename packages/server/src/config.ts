/** Owns the configuration of a run: reads every option from the command line and the environment, and refuses what does not fit. */
import { readFileSync } from 'node:fs'
import { isLoopbackHost } from '@latchkey/oauth'
import { closest } from './nearest_name.ts'
import { BadValue } from './option_types.ts'
import {
  type CommandName,
  type Option,
  type OptionName,
  optionNames,
  options,
  optionsOf,
  switchOf,
  variableOf,
} from './options.ts'
import { BadKeywords, type Keywords, readKeywords } from './tenant_file/keyword_sources.ts'

type ValueOf<T> = T extends Option<infer Value> ? Value : never

/** Every option by its name. What the command does not take has its default. */
export type Config = { readonly [Name in OptionName]: ValueOf<(typeof options)[Name]> } & {
  /** Always there: what is not set follows from the issuers. */
  readonly host: string
}

type Unfinished = Omit<Config, 'host'> & { readonly host: string | undefined }

export type Environment = Readonly<Record<string, string | undefined>>

/** What stood on the command line, by the name of the option. A secret's value is the path of its file. */
export type Switches = { readonly [Name in OptionName]?: string | readonly string[] | boolean }

/** A configuration that cannot be used; each problem is a sentence that names the option and says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Reads the options that a command takes. The command line wins over the environment, the environment over the default; an empty
 * variable counts as none.
 * @throws ConfigError with every problem there is
 */
export function loadConfig(
  command: CommandName,
  switches: Switches = {},
  environment: Environment = process.env,
): Config {
  const problems = [...unknownVariables(environment)]
  const taken = optionsOf(command)
  const values = Object.fromEntries(
    optionNames.map((name) => {
      const fallback = options[name].default
      if (!taken.includes(name)) return [name, fallback]
      try {
        return [name, readOption(name, switches[name], environment) ?? fallback]
      } catch (error) {
        if (!(error instanceof BadValue)) throw error
        problems.push(error.message)
        return [name, fallback]
      }
    }),
  ) as unknown as Unfinished
  const config = withDerivedDefaults(command, values)
  // Rules between options are only judged on options that could be read.
  if (problems.length === 0) problems.push(...crossProblems(command, config))
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

function readOption(name: OptionName, given: Switches[OptionName], environment: Environment): unknown {
  const secret = isSecret(name)
  const variable = variableOf(name)
  if (given !== undefined) {
    const texts = typeof given === 'object' ? given : [String(given)]
    return readTexts(name, switchOf(name), secret ? readSecretFiles(switchOf(name), texts) : texts)
  }
  if (variable === undefined) return undefined
  const text = environment[variable] ?? ''
  const file = secret ? (environment[`${variable}_FILE`] ?? '') : ''
  if (text !== '' && file !== '') throw new BadValue(`${variable} and ${variable}_FILE are both set: set one of them.`)
  if (file !== '') return readTexts(name, `${variable}_FILE`, readSecretFiles(`${variable}_FILE`, [file]))
  return text === '' ? undefined : readTexts(name, variable, [text])
}

function isSecret(name: OptionName): boolean {
  const { secret }: Option<unknown> = options[name]
  return secret === true
}

function readTexts(name: OptionName, source: string, texts: readonly string[]): unknown {
  const { type }: Option<unknown> = options[name]
  try {
    return type.read(texts)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const shown = isSecret(name)
      ? `What ${source} holds cannot be used`
      : `${source} is ${JSON.stringify(texts.join(','))}`
    throw new BadValue(`${shown}: ${error.message}.`)
  }
}

function readSecretFiles(source: string, files: readonly string[]): readonly string[] {
  return files.map((file) => {
    try {
      return readFileSync(file, 'utf8').trim()
    } catch {
      throw new BadValue(`${source} is ${JSON.stringify(file)}: this file cannot be read.`)
    }
  })
}

/** A variable of ours that no option has is a slip of the pen that would otherwise go unnoticed. */
function unknownVariables(environment: Environment): readonly string[] {
  const known = optionNames.flatMap((name) => {
    const variable = variableOf(name)
    if (variable === undefined) return []
    return isSecret(name) ? [variable, `${variable}_FILE`] : [variable]
  })
  return Object.keys(environment)
    .filter((name) => name.startsWith('LATCHKEY_') && !known.includes(name))
    .map((name) => {
      const bare = (variable: string) => variable.slice('LATCHKEY_'.length)
      const nearest = closest(bare(name), known.map(bare))
      const advice = nearest === undefined ? 'docs/configuration.md has the list' : `did you mean LATCHKEY_${nearest}?`
      return `The environment variable ${name} is not known: ${advice}`
    })
}

function withDerivedDefaults(command: CommandName, config: Unfinished): Config {
  const issuer = [...new Set(config.issuer)]
  const isLocal = issuer.every((name) => isLoopbackHost(new URL(name).hostname))
  const endsTls = command === 'dev' || config.tls_cert !== undefined
  return {
    ...config,
    issuer,
    // Behind a proxy or in a container the server must be reachable; with names of this machine alone it must not be.
    host: config.host ?? (isLocal ? 'localhost' : '0.0.0.0'),
    https_port: config.https_port ?? (endsTls ? 8443 : undefined),
  }
}

function crossProblems(command: CommandName, config: Config): readonly string[] {
  if (command === 'dev') return developmentProblems(config)
  if (command !== 'serve') return []
  const problems: string[] = []
  const { issuer, port, https_port, tls_cert, tls_key, smtp, mail_from } = config
  if (issuer.length === 0)
    problems.push(
      'The option issuer is missing: say under which address browsers reach this server, such as --issuer https://login.example.com/ (or LATCHKEY_ISSUER).',
    )
  if ((tls_cert === undefined) !== (tls_key === undefined))
    problems.push('The options tls_cert and tls_key belong together: set both, or neither.')
  if (https_port !== undefined && tls_cert === undefined && tls_key === undefined)
    problems.push('The option https_port needs a certificate: set tls_cert and tls_key too.')
  if (https_port !== undefined && https_port === port && port !== 0)
    problems.push(`The options port and https_port are both ${port}: give each its own.`)
  problems.push(...certificateProblems(config))
  if (smtp !== undefined && mail_from === undefined)
    problems.push(
      'The option mail_from is missing: say who the mails come from, such as --mail-from no-reply@example.com.',
    )
  return problems
}

function developmentProblems({ directory, port, https_port }: Unfinished): readonly string[] {
  const problems = directory === '' ? ['--directory is empty: name a directory.'] : []
  // The names of the server, and the tenant's addresses, are written before it listens.
  for (const [name, value] of Object.entries({ port, https_port }))
    if (value === 0)
      problems.push(
        `The option ${name} is 0: the port is part of the server's name in \`dev\`, so choose one that is free.`,
      )
  return problems
}

function certificateProblems(config: Unfinished): readonly string[] {
  const { issuer, port, https_port, mtls_port, mtls_url, tls_cert, tls_client_ca, client_certificate_header } = config
  const problems: string[] = []
  if (mtls_port !== undefined && tls_cert === undefined)
    problems.push('The option mtls_port needs a certificate of the server: set tls_cert and tls_key too.')
  if (mtls_port !== undefined && (mtls_port === port || mtls_port === https_port))
    problems.push(`The option mtls_port is ${mtls_port}, which is another port already: give it its own.`)
  if (client_certificate_header !== undefined && config.trust_proxy.length === 0)
    problems.push(
      'The option client_certificate_header is believed from listed proxies alone: list them in trust_proxy.',
    )
  const brings = mtls_port !== undefined || client_certificate_header !== undefined
  for (const [name, value] of Object.entries({ mtls_url, tls_client_ca }))
    if (value !== undefined && !brings)
      problems.push(`The option ${name} has no use without mtls_port or client_certificate_header: set one of them.`)
  if (mtls_url !== undefined && (issuer.includes(mtls_url) || !mtls_url.startsWith('https:')))
    problems.push('The option mtls_url must be an https address that is none of the issuers.')
  return problems
}

/**
 * The keywords that tenant files may use: the environment without this server's secrets, the mappings of the Deploy CLI's variable,
 * the files of `env` in their order, and `define`. A later one wins.
 * @throws ConfigError when a source cannot be read
 */
export function loadKeywords(
  { env, define }: Pick<Config, 'env' | 'define'>,
  environment: Environment = process.env,
): Keywords {
  const secret = optionNames.filter(isSecret).map((name) => variableOf(name))
  const open = Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.includes(name)))
  try {
    return readKeywords(open, env, define)
  } catch (error) {
    if (error instanceof BadKeywords) throw new ConfigError([error.message])
    throw error
  }
}
