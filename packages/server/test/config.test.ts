import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, type Environment, loadConfig, type Switches } from '../src/config.ts'
import {
  type CommandName,
  commandNames,
  optionNames,
  options,
  optionsOf,
  switchOf,
  variableOf,
} from '../src/options.ts'
import { readOrCreateSecret, serverSecrets } from '../src/secret_file.ts'
import { random } from './tenant_file_fixture.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text = ''): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function problemsOf(command: CommandName, switches: Switches, environment: Environment = {}): readonly string[] {
  try {
    loadConfig(command, switches, environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const issuer = 'https://login.example/'
const serve = (switches: Switches, environment: Environment = {}) =>
  problemsOf('serve', { issuer, ...switches }, environment)

describe('the list of options', () => {
  test('every option has a sentence and a command', () => {
    for (const name of optionNames) {
      expect(options[name].sentence, name).toMatch(/^[A-Z].*\.$/)
      expect(options[name].commands.length, name).toBeGreaterThan(0)
      expect(name).toMatch(/^[a-z_]+$/)
    }
  })

  test('secrets have no switch that takes them', () => {
    expect(switchOf('secret')).toBe('--secret-file')
    expect(switchOf('smtp')).toBe('--smtp-file')
    expect(switchOf('https_port')).toBe('--https-port')
    expect(variableOf('https_port')).toBe('LATCHKEY_HTTPS_PORT')
    expect(variableOf('define')).toBeUndefined()
  })

  test('every command has options', () => {
    for (const command of commandNames) expect(optionsOf(command).length).toBeGreaterThan(0)
  })
})

describe('where a value comes from', () => {
  test('the default', () => {
    expect(loadConfig('serve', { issuer }, {})).toMatchObject({
      issuer: [issuer],
      port: 8400,
      host: '0.0.0.0',
      https_port: undefined,
      database: 'sqlite:latchkey.sqlite',
      tenant: 'default',
      log_level: 'info',
      shutdown_timeout: 10,
      trust_proxy: [],
      secret: undefined,
    })
  })

  test('the environment, unless the variable is empty', () => {
    const environment = { LATCHKEY_ISSUER: issuer, LATCHKEY_PORT: '9000', LATCHKEY_TENANT: '' }
    expect(loadConfig('serve', {}, environment)).toMatchObject({ issuer: [issuer], port: 9000, tenant: 'default' })
  })

  test('the command line before the environment', () => {
    expect(loadConfig('serve', { issuer, port: '9001' }, { LATCHKEY_PORT: '9000' }).port).toBe(9001)
  })

  test('a variable of an option that the command does not take is left alone', () => {
    expect(loadConfig('migrate', {}, { LATCHKEY_PORT: 'x', LATCHKEY_ISSUER: 'y' }).port).toBe(8400)
  })

  test('lists are separated by commas or repeated', () => {
    const names = ['https://a.example/', 'https://b.example/']
    expect(loadConfig('serve', {}, { LATCHKEY_ISSUER: 'https://a.example, https://b.example/' }).issuer).toEqual(names)
    expect(
      loadConfig('serve', { issuer: ['https://a.example', 'https://b.example,https://a.example/'] }, {}).issuer,
    ).toEqual(names)
  })

  test('a secret from its variable, its file, or the switch with its file', () => {
    const [one, two] = ['a'.repeat(32), 'b'.repeat(40)]
    const path = file('secrets', `${one}\n${two}\n`)
    expect(loadConfig('keys', {}, { LATCHKEY_SECRET: `${two},${one}` }).secret).toEqual([two, one])
    expect(loadConfig('keys', {}, { LATCHKEY_SECRET_FILE: path }).secret).toEqual([one, two])
    expect(loadConfig('keys', { secret: path }, {}).secret).toEqual([one, two])
  })

  test('dev has its https port by default, and serve with a certificate', () => {
    expect(loadConfig('dev', {}, {})).toMatchObject({
      https_port: 8443,
      app_port: 8401,
      api_port: 8402,
      ephemeral: false,
    })
    const pem = { tls_cert: file('cert.pem'), tls_key: file('key.pem') }
    expect(loadConfig('serve', { issuer, ...pem }, {}).https_port).toBe(8443)
  })

  test('dev needs ports that are known before it listens; serve does not', () => {
    const refused = problemsOf('dev', { port: '0', https_port: '0' }).join('\n')
    expect(refused).toMatch(/option port is 0: .*choose one/)
    expect(refused).toMatch(/option https_port is 0: .*choose one/)
    for (const name of ['app_port', 'api_port'])
      expect(problemsOf('dev', { [name]: '0' }).join()).toContain('it must be a whole number from 1 to 65535')
    expect(loadConfig('serve', { issuer, port: '0' }, {}).port).toBe(0)
  })

  test('a server whose names are all of this machine listens on it alone', () => {
    expect(loadConfig('serve', { issuer: 'http://localhost:8400' }, {}).host).toBe('localhost')
    expect(loadConfig('serve', { issuer: 'http://localhost:8400', host: '::' }, {}).host).toBe('::')
    expect(loadConfig('serve', { issuer: ['http://localhost:8400', issuer] }, {}).host).toBe('0.0.0.0')
  })
})

describe('RFC 9207 §2 the names of the server', () => {
  test.each([
    ['https://login.example', 'https://login.example/'],
    ['https://login.example/', 'https://login.example/'],
    ['HTTPS://Login.Example:443', 'https://login.example/'],
    ['https://login.example:8443', 'https://login.example:8443/'],
    ['http://localhost:8400', 'http://localhost:8400/'],
    ['http://127.0.0.1:8400/', 'http://127.0.0.1:8400/'],
    ['http://[::1]:8400/', 'http://[::1]:8400/'],
  ])('%s is kept as %s', (given, kept) => expect(loadConfig('serve', { issuer: given }, {}).issuer).toEqual([kept]))
})

describe('a bad value is refused with a sentence that names the option', () => {
  test.each<[string, Switches, RegExp]>([
    ['a port that is no number', { port: '80x' }, /^--port is "80x": it must be a whole number from 0 to 65535\.$/],
    ['a port that is too high', { port: '65536' }, /^--port/],
    ['a negative port', { port: '-1' }, /^--port/],
    ['a relative issuer', { issuer: 'login.example' }, /^--issuer is "login.example": it must be an absolute URL/],
    ['an issuer over http', { issuer: 'http://login.example' }, /^--issuer .*plain http; use https\.$/],
    [
      'an issuer with a path',
      { issuer: 'https://login.example/auth' },
      /without a path, here https:\/\/login\.example\/\.$/,
    ],
    ['an issuer with a query', { issuer: 'https://login.example/?' }, /without a path/],
    ['an issuer with a password', { issuer: 'https://u:p@login.example' }, /user name and password/],
    ['a database of another kind', { database: 'mysql:x' }, /^--database is "mysql:x": it must be sqlite:FILE/],
    ['a database without a file', { database: 'sqlite:' }, /^--database/],
    ['a tenant with a slash', { tenant: 'a/b' }, /^--tenant/],
    ['a proxy by name', { trust_proxy: 'proxy' }, /^--trust-proxy/],
    ['a proxy range too wide', { trust_proxy: '0.0.0.0/0' }, /^--trust-proxy .*trust everybody/],
    ['a proxy range beyond its family', { trust_proxy: '10.0.0.0/33' }, /^--trust-proxy/],
    ['an unknown log level', { log_level: 'loud' }, /^--log-level is "loud": it must be one of fatal/],
    ['a tenant file that is not there', { apply: '/nowhere/tenant.yaml' }, /^--apply .*there is no such file\.$/],
    ['a page directory that is not there', { pages: '/nowhere' }, /^--pages .*there is no such directory\.$/],
    ['a definition without value', { define: 'NAME' }, /^--define is "NAME": it must be NAME=VALUE\.$/],
    ['too long a shutdown', { shutdown_timeout: '301' }, /^--shutdown-timeout/],
    ['a sender that is no address', { mail_from: 'nobody' }, /^--mail-from/],
    ['a sender with a line break', { mail_from: 'a <a@example.com>\nBcc: b@example.com' }, /^--mail-from/],
  ])('%s', (_name, switches, sentence) => {
    const problems = serve(switches)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(sentence)
  })

  test('a variable is named as a variable', () => {
    expect(serve({}, { LATCHKEY_PORT: 'x' })[0]).toMatch(/^LATCHKEY_PORT is "x"/)
  })

  test('every problem at once', () => {
    expect(serve({ port: 'x', tenant: '!', database: 'y' })).toHaveLength(3)
  })

  test.each([
    ['smtp:', { LATCHKEY_SMTP: 'https://u:hunter2@example.com', LATCHKEY_MAIL_FROM: 'a@example.com' }],
    ['secret:', { LATCHKEY_SECRET: 'hunter2' }],
  ])('%s a secret is not repeated in the message', (_name, environment) => {
    const [problem = ''] = serve({}, environment)
    expect(problem).toMatch(/LATCHKEY_S(MTP|ECRET)/)
    expect(problem).not.toContain('hunter2')
  })

  test('a secret in a variable and in a file', () => {
    const environment = { LATCHKEY_SECRET: 'a'.repeat(32), LATCHKEY_SECRET_FILE: file('again', 'b'.repeat(32)) }
    expect(serve({}, environment)).toEqual(['LATCHKEY_SECRET and LATCHKEY_SECRET_FILE are both set: set one of them.'])
    expect(serve({ secret: '/nowhere/secret' })[0]).toMatch(
      /^--secret-file is "\/nowhere\/secret": this file cannot be read/,
    )
  })
})

describe('an unknown variable', () => {
  test.each([
    ['LATCHKEY_ISUER', 'LATCHKEY_ISSUER?'],
    ['LATCHKEY_DB', 'docs/configuration.md'],
    ['LATCHKEY_SECRET_FLIE', 'LATCHKEY_SECRET_FILE?'],
    ['LATCHKEY_PORT_FILE', ''],
  ])('%s is refused for every command', (name, advice) => {
    for (const command of commandNames) {
      const problems = problemsOf(command, { issuer }, { [name]: 'x' })
      expect(problems[0]).toContain(name)
      expect(problems[0]).toContain(advice)
    }
  })

  test('of another program is none of ours', () => {
    expect(serve({}, { HTTP_PROXY: 'x', LATCH: 'y' })).toEqual([])
  })
})

describe('options that need each other', () => {
  test('serve needs an issuer', () => {
    expect(problemsOf('serve', {})[0]).toMatch(/^The option issuer is missing: .*--issuer .*LATCHKEY_ISSUER/)
  })
  test('a certificate needs its key', () => {
    expect(serve({ tls_cert: file('cert.pem') })[0]).toMatch(/tls_cert and tls_key/)
  })
  test('https needs a certificate', () => {
    expect(serve({ https_port: '8443' })[0]).toMatch(/https_port needs a certificate/)
  })
  test('two ports are two numbers', () => {
    const pem = { tls_cert: file('cert.pem'), tls_key: file('key.pem') }
    expect(serve({ ...pem, port: '9000', https_port: '9000' })[0]).toMatch(/both 9000/)
    expect(serve({ ...pem, port: '0', https_port: '0' })).toEqual([])
  })
  test('clients with certificates need a port of their own, or a proxy that is listed', () => {
    const pem = { tls_cert: file('cert.pem'), tls_key: file('key.pem') }
    const header = { client_certificate_header: 'client-cert' }
    expect(serve({ mtls_port: '9443' })[0]).toMatch(/mtls_port needs a certificate of the server/)
    expect(serve({ ...pem, port: '9443', mtls_port: '9443' })[0]).toMatch(/mtls_port is 9443/)
    expect(serve({ ...pem, https_port: '9443', mtls_port: '9443' })[0]).toMatch(/mtls_port is 9443/)
    expect(serve(header)[0]).toMatch(/client_certificate_header is believed from listed proxies/)
    expect(serve({ mtls_url: 'https://mtls.example/' })[0]).toMatch(/mtls_url has no use without/)
    expect(serve({ tls_client_ca: file('ca.pem') })[0]).toMatch(/tls_client_ca has no use without/)
    const behind = { ...header, trust_proxy: '10.0.0.0/8' }
    for (const mtls_url of [issuer, 'http://localhost:9443/'])
      expect(serve({ ...behind, mtls_url })[0]).toMatch(/an https address that is none of the issuers/)
    expect(serve({ ...behind, mtls_url: 'https://mtls.example/', tls_client_ca: file('ca.pem') })).toEqual([])
    expect(serve({ ...pem, mtls_port: '9443' })).toEqual([])
  })
  test('mails need a sender', () => {
    expect(serve({}, { LATCHKEY_SMTP: 'smtp://mail.example' })[0]).toMatch(/mail_from is missing/)
    expect(serve({ mail_from: 'Us <us@example.com>' }, { LATCHKEY_SMTP: 'smtp://mail.example' })).toEqual([])
  })
})

describe('the secret beside the database', () => {
  test('is made once, readable by its owner alone, and kept', () => {
    const path = join(folder, 'made-secret')
    const secret = readOrCreateSecret(path, random)
    expect(secret.length).toBeGreaterThanOrEqual(32)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readOrCreateSecret(path, random)).toBe(secret)
    expect(readdirSync(folder).filter((name) => name.startsWith('made-secret'))).toEqual(['made-secret'])
  })

  test('that others can read is refused', () => {
    const path = file('open-secret', 'x'.repeat(40))
    chmodSync(path, 0o644)
    expect(() => readOrCreateSecret(path, random)).toThrow(/chmod 600/)
  })

  test('that was emptied is refused, and not made anew', () => {
    const path = file('empty-secret', '')
    chmodSync(path, 0o600)
    expect(() => readOrCreateSecret(path, random)).toThrow(/holds no secret/)
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  test('that cannot be made says so', () => {
    expect(() => readOrCreateSecret(join(folder, 'no', 'such', 'secret'), random)).toThrow(/cannot be made/)
  })

  test('a configured secret is used instead', () => {
    const secret = ['s'.repeat(32)]
    const database = `sqlite:${join(folder, 'none.sqlite')}`
    expect(serverSecrets({ secret, database }, random)).toBe(secret)
    expect(readdirSync(folder)).not.toContain('none.sqlite-secret')
  })

  test('of a database in memory is known to nobody', () => {
    const memory = { secret: undefined, database: 'sqlite::memory:' }
    expect(serverSecrets(memory, random)).not.toEqual(serverSecrets(memory, random))
  })
})
