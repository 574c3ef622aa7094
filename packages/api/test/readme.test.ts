import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerTo, TokenError } from '../src/index.ts'
import { optionNames } from '../src/options.ts'
import { definitions } from '../src/token_error.ts'
import { type Issuer, makeKey, startIssuer, subject } from './support/issuer.ts'
import { addressOf, close } from './support/listen.ts'

const run = promisify(execFile)
const home = fileURLToPath(new URL('..', import.meta.url))
const key = makeKey('current')
const aud = 'http://localhost:8402/'
let issuer: Issuer
let readme: string
let folder: string
/** The code of the page, by the name in its first line. */
let samples: ReadonlyMap<string, string>

beforeAll(async () => {
  issuer = await startIssuer(key)
  readme = await readFile(join(home, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)```/g)]
  samples = new Map(blocks.map(([, name = '', code = '']) => [name, code]))
  await mkdir(join(home, 'dist'), { recursive: true })
  folder = await mkdtemp(join(home, 'dist', 'readme-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await issuer.close()
})

/** Writes a sample with the test's own issuer and port in the place of those of the page. */
async function write(name: string, port = 8402): Promise<string> {
  const code = samples.get(name)
  if (code === undefined) throw new Error(`The page has no ${name}`)
  const file = join(folder, name)
  const changed = code
    .replaceAll('http://localhost:8400/', issuer.issuer)
    .replaceAll(/(?<!localhost:)8402/g, String(port))
  await writeFile(file, changed)
  return file
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { port } = new URL(await addressOf(server))
  await close(server)
  return Number(port)
}

async function untilListening(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer !== undefined) return
    await pause(50)
  }
  throw new Error(`${url} did not answer`)
}

describe('the samples of the page', () => {
  test('every piece of code has a name and is tried here', () => {
    expect([...samples.keys()]).toEqual([
      'express.ts',
      'fastify.ts',
      'hono.ts',
      'node.ts',
      'by_hand.ts',
      'two_names.ts',
      'hs256.ts',
    ])
    expect(readme.match(/```\w+/g)).toHaveLength(samples.size)
  })

  test('they are correctly typed', async () => {
    const files = await Promise.all([...samples.keys()].map((name) => write(name)))
    const tsconfig = join(folder, 'tsconfig.json')
    const settings = {
      extends: join(home, '../../tsconfig.base.json'),
      compilerOptions: { lib: ['es2024', 'dom'] },
      files,
    }
    await writeFile(tsconfig, JSON.stringify(settings))
    const tsc = join(home, '../../node_modules/.bin/tsc')
    await expect(run(tsc, ['--noEmit', '--project', tsconfig])).resolves.toMatchObject({ stdout: '' })
  }, 60_000)

  test.each(['express.ts', 'fastify.ts', 'hono.ts', 'node.ts'])(
    '%s answers as the page says',
    async (name) => {
      const port = await freePort()
      const child = spawn(process.execPath, [await write(name, port)], { stdio: 'inherit' })
      try {
        const url = `http://localhost:${port}/messages`
        await untilListening(url, child)
        const call = (authorization: string) => fetch(url, { headers: { authorization } })
        const good = await call(`Bearer ${issuer.token(key, { aud })}`)
        expect([good.status, await good.json()]).toEqual([200, { user: subject }])
        const none = await fetch(url)
        expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="api"'])
        expect((await call(`Bearer ${issuer.token(key, { aud: 'https://other.example/' })}`)).status).toBe(401)
        expect((await call(`Bearer ${issuer.token(key, { aud, scope: 'write:messages' })}`)).status).toBe(403)
      } finally {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
    },
    30_000,
  )

  test('by_hand.ts says who it is, or why not', async () => {
    const file = await write('by_hand.ts')
    const say = async (token: string) => (await run(process.execPath, [file, token])).stdout
    expect(await say(issuer.token(key, { aud }))).toBe(`Hello ${subject}\n`)
    expect(await say(issuer.token(key, { aud, exp: 1 }))).toMatch(
      /^401 expired The access token has expired\. Get a new/,
    )
    expect(await say(issuer.token(key, { aud, scope: '' }))).toMatch(/^403 insufficient_scope /)
  })

  test.each(['two_names.ts', 'hs256.ts'])('%s makes a verifier', async (name) => {
    process.env.SIGNING_SECRET = 'x'.repeat(32)
    const { verifier } = await import(await write(name))
    expect(await verifier.verify('x').catch((error: unknown) => error)).toMatchObject({ code: 'malformed' })
  })
})

describe('the tables of the page', () => {
  test('every error code stands there with its status, and no other', () => {
    const rows = [...(readme.split('## Errors')[1] ?? '').matchAll(/^\| `(\w+)` \| (\d+) \|/gm)]
    const stated = rows.map(([, code, status]) => `${code} ${status}`)
    expect(stated).toEqual(Object.entries(definitions).map(([code, { status }]) => `${code} ${status}`))
  })

  test('the challenges are those of the code', () => {
    for (const code of ['missing_token', 'expired', 'token_in_two_places', 'insufficient_scope'] as const) {
      const error = new TokenError(code, code === 'insufficient_scope' ? { scope: ['a'] } : {})
      const challenge = answerTo(error).headers['www-authenticate'] ?? ''
      const general = challenge.replace(/(description|scope)="[^"]*"/g, '$1="…"')
      expect(readme).toContain(`| ${error.status} | \`${general}\` |`)
    }
  })

  test('the options are those of the code', () => {
    const table = readme.split('## Options')[1]?.split('An option that')[0] ?? ''
    expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).sort()).toEqual([...optionNames].sort())
  })
})
