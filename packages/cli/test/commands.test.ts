/** The command as people run it: a process of its own, a database on the disk. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const command = join(import.meta.dirname, '..', 'bin', 'latchkey.js')

let folder: string
const running = new Set<ChildProcess>()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-cli-'))
})
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  rmSync(folder, { recursive: true })
})

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

function start(args: readonly string[], { env = {}, input = '' }: Surroundings = {}) {
  const child = spawn(process.execPath, [command, ...args], { cwd: folder, env: { PATH: '/usr/bin:/bin', ...env } })
  running.add(child)
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  child.stdin.end(input)
  const ended = new Promise<Result>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve({ code, out, err })
    })
  })
  return { child, ended, out: () => out }
}

function run(args: readonly string[], surroundings?: Surroundings): Promise<Result> {
  return start(args, surroundings).ended
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

const tenant = `
tenant: { friendly_name: "##NAME##" }
clients: [{ name: App, client_id: app, app_type: spa, callbacks: ["https://app.example/cb"], sso_disabled: false }]
databases: [{ name: People }]
`

async function applyTenant(): Promise<void> {
  const { code, err } = await run(['apply', write('tenant.yaml', tenant), '--define', 'NAME=Acme'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
}

/** A wrong run: nothing on the standard output, sentences on the other, no trace of the program's inside. */
function expectRefusal({ code, out, err }: Result, expected: number, sentence: RegExp): void {
  expect(err).toMatch(sentence)
  expect(err).not.toMatch(/\n\s+at |node:internal|\.ts:/)
  expect({ code, out }).toEqual({ code: expected, out: '' })
}

describe('help and usage', () => {
  test('the list of commands', async () => {
    const { code, out } = await run(['--help'])
    expect(code).toBe(0)
    for (const name of ['dev', 'serve', 'apply', 'migrate', 'keys', 'users', 'version'])
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  test.each([
    [['dev', '--help'], '--ephemeral'],
    [['serve', '--help'], 'LATCHKEY_ISSUER'],
    [['apply', '--help'], '--dry-run'],
    [['migrate', '--help'], '--database'],
    [['keys', 'rotate', '--help'], '--alg'],
    [['users', 'create', '--help'], '--password-file'],
    [['help', 'version'], 'Print the version'],
  ])('%j', async (args, words) => {
    const { code, out } = await run(args)
    expect(code).toBe(0)
    expect(out).toContain(words)
  })

  test('the version', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'))
    for (const args of [['version'], ['--version']])
      expect(await run(args)).toEqual({ code: 0, out: `latchkey ${version}\n`, err: '' })
  })

  test.each([
    ['an unknown command', ['srve'], /Unknown command 'srve'\n\(Did you mean serve\?\)/],
    [
      'an unknown option',
      ['serve', '--isuer', 'x'],
      /Unknown option '--isuer'\n\(Did you mean --issuer\?\)\nSee: latchkey serve --help/,
    ],
    ['a missing argument', ['apply'], /Missing required argument 'file'/],
    ['one argument too many', ['migrate', 'now'], /Too many arguments/],
    ['a missing value', ['serve', '--port'], /--port <N>' argument missing/],
    [
      'a bad value',
      ['serve', '--issuer', 'https://a.example', '--port', 'x'],
      /^--port is "x": it must be a whole number/,
    ],
    ['a secret on the command line', ['serve', '--secret', 'x'], /Unknown option '--secret'/],
    ['no issuer', ['serve'], /The option issuer is missing/],
  ])('%s is refused with code 2', async (_name, args, sentence) => {
    expectRefusal(await run(args), 2, sentence)
    expect(readdirSync(folder)).toEqual([])
  })

  test('an unknown variable is refused, whatever the command', async () => {
    expectRefusal(await run(['migrate'], { env: { LATCHKEY_ISUER: 'x' } }), 2, /did you mean LATCHKEY_ISSUER\?/)
  })
})

describe('migrate', () => {
  test('makes the database, for its owner alone, and is done', async () => {
    expect(await run(['migrate'])).toEqual({ code: 0, out: expect.stringMatching(/^Migrated: 0001/), err: '' })
    expect(statSync(join(folder, 'latchkey.sqlite')).mode & 0o777).toBe(0o600)
    expect((await run(['migrate'])).out).toBe('The database is up to date.\n')
  })

  test('says why a database cannot be used', async () => {
    expectRefusal(
      await run(['migrate', '--database', 'sqlite:no/such/place.sqlite']),
      1,
      /no\/such\/place\.sqlite cannot be opened/,
    )
    write('text.sqlite', 'this is no database, but it is long enough to be taken for one'.repeat(20))
    expectRefusal(await run(['migrate', '--database', 'sqlite:text.sqlite']), 1, /not a database/)
  })
})

describe('apply', () => {
  test('a dry run says what would change, and leaves no trace', async () => {
    const { code, out } = await run(['apply', write('tenant.yaml', tenant), '--dry-run', '--define', 'NAME=Acme'])
    expect(code).toBe(0)
    expect(out).toContain('+ client "App" (app)')
    expect(out).toContain('friendly_name: "Acme"')
    expect(out).toContain('clients[].sso_disabled (line 3)')
    expect(out).toContain('2 to create, 1 to update.')
    expect(out).toContain('This was a dry run')
    expect(readdirSync(folder)).toEqual(['tenant.yaml'])
  })

  test('carries it out once, and then finds nothing to do', async () => {
    const args = ['apply', write('tenant.yaml', tenant)]
    const env = { NAME: 'From the environment' }
    expect((await run(args, { env })).out).toContain('2 created, 1 updated.')
    expect((await run(args, { env })).out).toContain('Nothing to change.')
    const dry = await run([...args, '--dry-run', '--env', write('names.env', 'NAME=From a file\n')], { env })
    expect(dry.out).toContain('friendly_name: "From the environment" → "From a file"')
    expect((await run(args, { env })).out).toContain('Nothing to change.')
  })

  test.each([
    ['a file that is not there', 'none.yaml', /^The tenant file none\.yaml cannot be read: there is no such file\.\n$/],
    [
      'a keyword without a value',
      write.bind(undefined, 'tenant.yaml', tenant),
      /^tenant\.yaml:2:27: The keyword NAME has no value/,
    ],
    [
      'two problems',
      write.bind(undefined, 'bad.yaml', 'tenant: { session_lifetime: x, friendly_name: 5 }'),
      /^bad\.yaml:1:29: .*\nbad\.yaml:1:47: .*\n$/,
    ],
  ])('%s', async (_name, file, sentence) => {
    expectRefusal(await run(['apply', typeof file === 'string' ? file : file()]), 1, sentence)
  })

  test('a database that another secret wrote', async () => {
    const api = write('api.yaml', 'resourceServers: [{ identifier: api, signing_alg: HS256 }]')
    const secret = (letter: string) => ({ env: { LATCHKEY_SECRET: letter.repeat(32) } })
    expect((await run(['apply', api], secret('a'))).code).toBe(0)
    expectRefusal(await run(['apply', api], secret('b')), 1, /LATCHKEY_SECRET is not the one/)
    expect(existsSync(join(folder, 'latchkey.sqlite-secret'))).toBe(false)
  })
})

describe('users', () => {
  test('a password is made, printed once, and good', async () => {
    await applyTenant()
    const { code, out } = await run(['users', 'create', '--email', 'Dana@Example.com', '--email-verified'])
    expect(code).toBe(0)
    expect(out).toMatch(/^Added Dana@Example\.com to People as auth0\|[0-9a-f]{24}\.\nPassword: \S{20}\n$/)
    const list = await run(['users', 'list'])
    expect(list.out).toMatch(/auth0\|[0-9a-f]{24} +dana@example\.com +People +0\n$/)
    expectRefusal(
      await run(['users', 'create', '--email', 'dana@example.com']),
      1,
      /has a user with this email already/,
    )
  })

  test('a password from the standard input or a file is not printed', async () => {
    await applyTenant()
    const password = 'Correct horse 7'
    const piped = await run(['users', 'create', '--email', 'a@example.com', '--password-file', '-'], {
      input: `${password}\n`,
    })
    expect(piped).toMatchObject({ code: 0, out: expect.not.stringContaining('Password') })
    const read = await run([
      'users',
      'create',
      '--email',
      'b@example.com',
      '--password-file',
      write('password', password),
    ])
    expect(read).toMatchObject({ code: 0, out: expect.not.stringContaining('horse') })
  })

  test('what cannot be a user is refused', async () => {
    await applyTenant()
    const file = ['--email', 'a@example.com', '--password-file', '-']
    for (const [args, input, sentence] of [
      [[], '', /needs an --email or a --username/],
      [['--email', 'x'], '', /x is not an e-mail address/],
      [file, 'abc', /does not accept this password: it needs 8 characters/],
      [file, '\n', /standard input holds no password/],
      [['--email', 'a@example.com', '--connection', 'X'], '', /no connection named X: the tenant has People/],
      [['--email', 'a@example.com', '--tenant', 'other'], '', /has no connection yet/],
    ] as const)
      expectRefusal(await run(['users', 'create', ...args], { input }), 1, sentence)
    expect((await run(['users', 'list'])).out).toBe('There are no users.\n')
  })

  test('a database that is not there is not made', async () => {
    expectRefusal(await run(['users', 'list', '--database', 'sqlite:typo.sqlite']), 1, /no database at typo\.sqlite/)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('clients', () => {
  test('are listed, and an initial access token is made for those to come', async () => {
    await applyTenant()
    const listed = await run(['clients', 'list'])
    expect([listed.code, listed.out]).toEqual([0, expect.stringMatching(/^CLIENT_ID +NAME +TYPE +PARTY\n/)])
    const made = await run(['clients', 'token', '--uses', '2', '--days', '7'])
    expect([made.code, made.out]).toEqual([0, expect.stringMatching(/^[\w-]{43}\n$/)])
    expectRefusal(
      await run(['clients', 'token', '--uses', 'many']),
      1,
      /^--uses takes a number from 1 to 10000, not many/,
    )
  })
})

describe('keys and serve', () => {
  test('a server makes keys, follows a rotation, and stops when told', async () => {
    const file = write('tenant.yaml', tenant)
    const args = ['serve', '--issuer', 'http://localhost:8400', '--port', '0', '--apply', file, '--define', 'NAME=Acme']
    const server = start(args)
    const address = await listening(server.out)
    const list = await run(['keys', 'list'])
    expect(list.out).toMatch(/^ALG .*\nRS256 +current .*\nRS256 +next .*\n$/)
    const { out } = await run(['keys', 'rotate', '--alg', 'RS256'])
    const [, kid = ''] = /^RS256: (\S+) signs from now on\.\n$/.exec(out) ?? []
    expect(list.out).toContain(kid)
    expect((await run(['keys', 'list'])).out).toMatch(new RegExp(`current +\\S+ +${kid}`))
    expectRefusal(await run(['keys', 'rotate', '--alg', 'ES256']), 1, /no keys for ES256: it has keys for RS256/)
    // The server looks for changes of other processes twice a second.
    await expect.poll(async () => (await publishedKeys(address))[0], { timeout: 5000 }).toBe(kid)
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
  })

  test('a port that is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
    const bound = other.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    const result = await run([
      'serve',
      '--issuer',
      'http://localhost:8400',
      '--port',
      String(port),
      '--log-level',
      'silent',
    ])
    other.close()
    expectRefusal(result, 1, new RegExp(`^Port ${port} is taken by another program`))
  })

  test('a tenant file with a problem stops the start', async () => {
    const file = write('bad.yaml', 'tenant: { friendly_name: 5 }')
    const args = ['serve', '--issuer', 'http://localhost:8400', '--port', '0', '--log-level', 'silent', '--apply', file]
    expectRefusal(await run(args), 1, /^bad\.yaml:1:26: tenant\.friendly_name: This must be text/)
  })

  test('there are no keys before the first start', async () => {
    await applyTenant()
    expect((await run(['keys', 'list'])).out).toContain('There are no keys yet')
    expectRefusal(await run(['keys', 'rotate']), 1, /has no signing keys yet/)
  })
})

async function listening(out: () => string): Promise<string> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    const [, address] = /Server listening at (http:\/\/[^"]+)"/.exec(out()) ?? []
    if (address !== undefined) return address
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server does not listen: ${out()}`)
}

/** The ids of the keys that a server publishes, the one that signs first. */
async function publishedKeys(address: string): Promise<readonly string[]> {
  const body = await new Promise<string>((resolve, reject) => {
    const asked = get(`${address}/.well-known/jwks.json`, { headers: { host: 'localhost:8400' } }, (answer) => {
      readAll(answer).then(resolve, reject)
    })
    asked.on('error', reject)
  })
  const { keys } = JSON.parse(body) as { keys: readonly { kid: string }[] }
  return keys.map(({ kid }) => kid)
}
