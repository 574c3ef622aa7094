/** Owns the table of who may import whom, as data: the architecture in the form that the check reads. */
import { dirname } from 'node:path/posix'

export interface Area {
  /** Folder, relative to the root; the longest one that fits a file is its area. */
  readonly folder: string
  /** Workspace packages that may be imported, besides the area's own. */
  readonly workspace: readonly string[]
  /**
   * Libraries (or scopes of them) that may be imported, if the area's own package.json declares them.
   * `declared` lets in whatever that file or the root's declares.
   */
  readonly libraries: readonly string[] | 'declared'
  /** Libraries of which only types may be imported. */
  readonly types?: readonly string[]
  /** Modules of Node, without `node:`; `any` for all. */
  readonly node: readonly string[] | 'any'
  /** Whether `console` is the way to talk to a person here. */
  readonly console?: true
  /** Whether the environment may be read here. */
  readonly environment?: true
  /** Whether time and chance must come in through the context. */
  readonly injected?: true
}

const PURE_NODE = ['assert', 'buffer', 'crypto', 'util']

/** The packages, from the bottom up: nothing imports what stands below it in this list. */
export const PACKAGES: readonly Area[] = [
  { folder: 'packages/oauth/src', workspace: [], libraries: [], node: [] },
  {
    folder: 'packages/store/src',
    workspace: ['@latchkey/oauth'],
    libraries: ['kysely', 'better-sqlite3', 'pg', 'postgres'],
    node: [...PURE_NODE, 'fs', 'fs/promises', 'module', 'path', 'url'],
    injected: true,
  },
  {
    folder: 'packages/core/src',
    workspace: ['@latchkey/oauth', '@latchkey/store'],
    // The certificate of a signing key (`x5c`) is made where the key is.
    libraries: ['jose', 'typebox', '@peculiar/x509', 'reflect-metadata'],
    node: [...PURE_NODE, 'os'],
    injected: true,
  },
  {
    folder: 'packages/identity/src',
    workspace: ['@latchkey/oauth', '@latchkey/store', '@latchkey/core'],
    libraries: ['@node-rs/argon2', 'hash-wasm', '@zxcvbn-ts', '@simplewebauthn/server', 'otpauth'],
    node: [...PURE_NODE, 'events', 'module', 'net', 'os', 'path', 'timers/promises', 'url', 'worker_threads'],
    injected: true,
  },
  {
    folder: 'packages/server/src',
    workspace: ['@latchkey/oauth', '@latchkey/store', '@latchkey/core', '@latchkey/identity'],
    libraries: [
      ...['fastify', '@fastify', 'typebox', 'liquidjs', 'i18next', 'nodemailer', 'pino', 'yaml', 'ipaddr.js', 'uqr'],
      ...['@peculiar/x509', 'reflect-metadata'],
    ],
    node: 'any',
    injected: true,
  },
  { folder: 'packages/spa/src', workspace: ['@latchkey/oauth'], libraries: [], node: [] },
  {
    folder: 'packages/api/src',
    workspace: ['@latchkey/oauth'],
    libraries: ['jose'],
    types: ['express', 'express-serve-static-core', 'fastify', 'hono'],
    node: 'any',
  },
  {
    folder: 'packages/cli/src',
    workspace: ['@latchkey/server', '@latchkey/store', '@latchkey/oauth'],
    libraries: ['commander'],
    node: 'any',
    console: true,
  },
]

const OUTSIDE: readonly Area[] = [
  ...['test', 'bench'].map(
    (folder): Area => ({
      folder,
      workspace: [
        '@latchkey/server',
        '@latchkey/spa',
        '@latchkey/api',
        '@latchkey/oauth',
        '@latchkey/example-mcp',
        'latchkey',
      ],
      libraries: 'declared',
      node: 'any',
      console: true,
      environment: true,
    }),
  ),
  {
    folder: 'examples',
    workspace: ['@latchkey/spa', '@latchkey/api', '@latchkey/server'],
    libraries: 'declared',
    node: 'any',
    console: true,
  },
  {
    folder: 'tools',
    workspace: ['@latchkey/server'],
    libraries: 'declared',
    node: 'any',
    console: true,
    environment: true,
  },
]

/** What is true of every area inside a package that is not its source. */
const FREE = { libraries: 'declared', node: 'any', environment: true } as const

/** A package's folder beside its source: the scripts that build it, and the first steps of the command. */
const PACKAGE_SCRIPTS: readonly Area[] = PACKAGES.map(({ folder }) => ({
  ...FREE,
  folder: dirname(folder),
  workspace: [],
  console: true,
}))

/**
 * A package's tests know what the package knows, every declared library, and all of Node.
 * What guards another machine is tried against the real server: the SDK and the API's check may start one.
 */
const PACKAGE_TESTS: readonly Area[] = PACKAGES.map(({ folder, workspace }) => ({
  ...FREE,
  folder: `${dirname(folder)}/test`,
  workspace: [...workspace, ...(/\/(?:spa|api)\//.test(folder) ? ['@latchkey/server'] : [])],
}))

export const AREAS: readonly Area[] = [...PACKAGES, ...PACKAGE_SCRIPTS, ...PACKAGE_TESTS, ...OUTSIDE]

/** Relative imports that may cross a border, each from a folder to what is under another. */
export const CROSSINGS: readonly (readonly [from: string, to: string])[] = [
  // The tools start the command before anything is installed, so they reach its first steps by their path.
  ['tools', 'packages/cli/bin/'],
  // What is measured is driven by the same browser-like agent as the flows.
  ['bench', 'test/support/'],
]

/** Files that may do what their area may not, each with its reason. */
export interface Exception {
  /** Path relative to the root, `*` for any one name. */
  readonly file: string
  readonly rule: 'environment' | 'console' | 'injected'
  readonly reason: string
}

export const EXCEPTIONS: readonly Exception[] = [
  { file: 'packages/server/src/config.ts', rule: 'environment', reason: 'every option is read here, once' },
  {
    file: 'packages/server/src/main.ts',
    rule: 'injected',
    reason: 'the clock of every context comes from here',
  },
  {
    file: 'packages/server/src/random.ts',
    rule: 'injected',
    reason: 'the randomness of every context comes from here',
  },
  {
    file: 'packages/server/src/errors.ts',
    rule: 'injected',
    reason: 'the id of a failure, for which there may be no context yet',
  },
  { file: 'packages/server/src/dev/dev.ts', rule: 'injected', reason: 'puts a server together, as main.ts does' },
  {
    file: 'packages/server/src/page_answer.ts',
    rule: 'injected',
    reason: 'the nonce of a page must be fresh whatever a test sets',
  },
  { file: 'examples/*/main.ts', rule: 'environment', reason: 'an example is a program of its own' },
  { file: 'examples/*/src/main.ts', rule: 'environment', reason: 'an example is a program of its own' },
  { file: 'examples/*/test/**', rule: 'environment', reason: 'tests may start programs with an environment' },
  {
    file: 'packages/store/src/vault.ts',
    rule: 'injected',
    reason: 'the nonce of a cipher must be fresh whatever a test sets',
  },
  {
    file: 'packages/identity/src/passwords/encoded.ts',
    rule: 'injected',
    reason: 'a salt must be fresh whatever a test sets',
  },
]
