/** Owns the list of options: name, type, default, limits and one sentence each. The command line, the environment and the docs read it. */
import {
  addressRange,
  databaseAddress,
  directory,
  existingDirectory,
  fetchTarget,
  integer,
  issuerUrl,
  listOf,
  mailbox,
  matching,
  type OptionType,
  oneOf,
  onOff,
  readableFile,
  repeated,
  serverSecret,
  smtpUrl,
} from './option_types.ts'

export const commandNames = ['dev', 'serve', 'apply', 'migrate', 'keys', 'users'] as const

export type CommandName = (typeof commandNames)[number]

export interface Option<T> {
  readonly type: OptionType<unknown>
  /** What it is without being set; `undefined` where there is nothing. */
  readonly default: T
  /** Says the default where the value alone does not. */
  readonly default_words?: string
  /** One sentence. */
  readonly sentence: string
  readonly commands: readonly CommandName[]
  /**
   * A secret stands in a variable or in a file, never on a command line, which other users of the machine can read: its switch is
   * `--NAME-file` and its variable has a twin that ends in `_FILE`.
   */
  readonly secret?: true
  /** Only ever given on the command line. */
  readonly no_variable?: true
}

type Details = Omit<Option<never>, 'type' | 'default'>

/** An option that always has a value. */
function option<T>(type: OptionType<T>, value: T, details: Details): Option<T> {
  return { ...details, type, default: value }
}

/** An option that may be left out. */
function optional<T>(type: OptionType<T>, details: Details): Option<T | undefined> {
  return { ...details, type, default: undefined }
}

const port = (placeholder = 'N') => integer(placeholder, 0, 65_535)
const fixedPort = integer('N', 1, 65_535)
const administration = ['serve', 'apply', 'migrate', 'keys', 'users'] as const

export const options = {
  issuer: option(listOf(issuerUrl), [], {
    sentence:
      'The names of the server: the addresses under which browsers and apps reach it, the canonical one first. A request sent to any other name is refused.',
    default_words: 'none; `serve` needs it',
    commands: ['serve', 'keys'],
  }),
  port: option(port(), 8400, {
    sentence: 'The port for plain http; 0 takes any free one, in `serve` alone.',
    commands: ['dev', 'serve'],
  }),
  host: optional(matching('HOST', /^[A-Za-z0-9.:_-]{1,255}$/, 'a host name or an IP address'), {
    sentence: 'The network address to listen on.',
    default_words: '`localhost` when every issuer is an address of this machine, otherwise `0.0.0.0`',
    commands: ['serve'],
  }),
  https_port: optional(port(), {
    sentence: 'The port for https, when the server ends TLS itself.',
    default_words: '`dev`: 8443; `serve`: 8443 when `tls_cert` is set, otherwise no https',
    commands: ['dev', 'serve'],
  }),
  tls_cert: optional(readableFile, {
    sentence: 'The certificate for https with its chain, in PEM.',
    commands: ['serve'],
  }),
  tls_key: optional(readableFile, { sentence: 'The private key of `tls_cert`, in PEM.', commands: ['serve'] }),
  mtls_port: optional(integer('N', 1, 65_535), {
    sentence:
      'The port for https that asks clients for a certificate; it is a port of its own because browsers ask people about certificates.',
    default_words: 'none; no certificate is asked for',
    commands: ['serve'],
  }),
  mtls_url: optional(issuerUrl, {
    sentence: 'The address under which clients with a certificate reach the server; it appears in discovery.',
    default_words: 'with `mtls_port` the first issuer with that port',
    commands: ['serve'],
  }),
  tls_client_ca: optional(readableFile, {
    sentence:
      'The authorities that issue the certificates of clients with `tls_client_auth`, in PEM, those in between included.',
    default_words: 'none; `tls_client_auth` is off',
    commands: ['serve'],
  }),
  client_certificate_header: optional(matching('NAME', /^[A-Za-z0-9-]{1,64}$/, 'the name of a header'), {
    sentence:
      "The header in which a proxy of `trust_proxy` passes on a client's certificate, such as `client-cert`; the proxy must remove it from what clients send.",
    default_words: 'none',
    commands: ['serve'],
  }),
  database: option(databaseAddress, 'sqlite:latchkey.sqlite', {
    sentence: 'Where everything is kept.',
    commands: administration,
  }),
  secret: optional(listOf(serverSecret), {
    sentence:
      "The server's own secret, from which the keys are derived that seal and hash what the database holds. The first of the list is current, the others still read, so that it can be rotated.",
    default_words: 'kept in a file beside the database, made at the first start',
    commands: administration,
    secret: true,
  }),
  tenant: option(
    matching('NAME', /^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63'),
    'default',
    {
      sentence: 'The tenant to work on.',
      commands: administration,
    },
  ),
  apply: option(listOf(readableFile), [], {
    sentence: 'A tenant file to apply at each start, before the first request is taken.',
    default_words: 'none',
    commands: ['serve'],
  }),
  env: option(listOf(readableFile), [], {
    sentence:
      'A file of keywords for tenant files: `NAME=VALUE` lines, a JSON object, or a configuration of the Deploy CLI.',
    default_words: 'none',
    commands: ['serve', 'apply'],
  }),
  define: option(repeated(matching('NAME=VALUE', /^[A-Za-z0-9_.-]+=/, 'NAME=VALUE')), [], {
    sentence: 'One keyword for tenant files; it wins over files and over the environment.',
    default_words: 'none',
    commands: ['serve', 'apply'],
    no_variable: true,
  }),
  smtp: optional(smtpUrl, {
    sentence: 'The mail server that takes the mails to users; it may carry a user name and a password.',
    default_words: 'none; mails wait in the database',
    commands: ['serve'],
    secret: true,
  }),
  mail_from: optional(mailbox, { sentence: 'The sender of the mails to users; `smtp` needs it.', commands: ['serve'] }),
  trust_proxy: option(listOf(addressRange), [], {
    sentence: 'The proxies whose forwarded headers (client address, scheme, host) are believed.',
    default_words: 'none; forwarded headers are ignored',
    commands: ['serve'],
  }),
  fetch_allow: option(listOf(fetchTarget), [], {
    sentence:
      'The hosts, each with or without a port, from which documents of clients (keys, request objects, metadata) may be fetched although their addresses are private or their scheme is http; for development and for test suites.',
    default_words: '`dev`: `localhost`; `serve`: none, public addresses over https alone',
    commands: ['dev', 'serve'],
  }),
  log_level: option(oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), 'info', {
    sentence: 'The least severe message that is logged.',
    commands: ['dev', 'serve'],
  }),
  pages: optional(existingDirectory, {
    sentence: 'A directory whose `<name>.liquid` files replace the hosted pages of the same name.',
    commands: ['serve'],
  }),
  password_threads: optional(integer('N', 1, 64), {
    sentence: 'The threads that hash and verify passwords.',
    default_words: 'one fewer than the cores, from 1 to 4',
    commands: ['serve'],
  }),
  password_queue: option(integer('N', 0, 10_000), 256, {
    sentence: 'Passwords that may wait for a thread; more are answered with 503.',
    commands: ['serve'],
  }),
  failures_per_address: option(integer('N', 10, 1_000_000), 100, {
    sentence: 'Failed logins that one network address may have in a day before it is held up.',
    commands: ['serve'],
  }),
  signups_per_address: option(integer('N', 1, 1_000_000), 50, {
    sentence:
      'What one network address may do in a minute, each counted apart: sign-ups, calls of either `/dbconnections/` endpoint, requests on the page for a forgotten password, registrations of clients, and looks at client metadata documents that are new here.',
    commands: ['serve'],
  }),
  trips_per_address: option(integer('N', 0, 1_000_000_000), 10_000, {
    sentence: 'Sign-ins that one network address may begin in an hour, finished or not; 0 is no limit.',
    default_words: '10000; in `dev` there is no limit',
    commands: ['serve'],
  }),
  userinfo_per_minute: option(integer('N', 1, 100_000_000), 600, {
    sentence: 'Requests for `/userinfo` that the tokens of one user may make in a minute, counted by each process.',
    commands: ['serve'],
  }),
  key_rotation_days: option(integer('DAYS', 0, 3650), 0, {
    sentence:
      'Days after which a signing key is replaced by the next one, by itself; it still verifies as long as a token that it signed may live.',
    default_words: '0: keys are rotated by `latchkey keys rotate` alone',
    commands: ['serve'],
  }),
  body_limit: option(integer('BYTES', 1024, 10_485_760), 65_536, {
    sentence: 'The largest request body that is read, in bytes.',
    commands: ['serve'],
  }),
  shutdown_timeout: option(integer('SECONDS', 1, 300), 10, {
    sentence: 'Seconds that requests in flight have to finish when the server is told to stop.',
    commands: ['dev', 'serve'],
  }),
  app_port: option(fixedPort, 8401, { sentence: 'The port of the demo app.', commands: ['dev'] }),
  api_port: option(fixedPort, 8402, { sentence: 'The port of the demo API.', commands: ['dev'] }),
  directory: option(directory, '.latchkey', {
    sentence: 'Where `dev` keeps its database, its certificates and the password of the demo user.',
    commands: ['dev'],
  }),
  ephemeral: option(onOff, false, { sentence: 'Keep nothing: everything is forgotten at the end.', commands: ['dev'] }),
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof options

export const optionNames = Object.keys(options) as readonly OptionName[]

/** The environment variable of an option; undefined where it has none. */
export function variableOf(name: OptionName): string | undefined {
  const { no_variable }: Option<unknown> = options[name]
  return no_variable === true ? undefined : `LATCHKEY_${name.toUpperCase()}`
}

/** The switch of an option on the command line, such as `--https-port`. */
export function switchOf(name: OptionName): string {
  const { secret }: Option<unknown> = options[name]
  return `--${name.replaceAll('_', '-')}${secret === true ? '-file' : ''}`
}

/** The options that a command takes, in the order of the list. */
export function optionsOf(command: CommandName): readonly OptionName[] {
  return optionNames.filter((name) => (options[name].commands as readonly CommandName[]).includes(command))
}
