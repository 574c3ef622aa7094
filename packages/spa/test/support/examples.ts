/** Owns running the example programs for the tests: built by Vite, served as plain files, the demo API beside them. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { listen, type TestServer } from './http.ts'

const root = join(import.meta.dirname, '../../../..')

export interface Example {
  readonly directory: string
  remove(): void
}

/** Builds an example as `vite build` in its folder does, but not into that folder. */
export function buildExample(name: string): Example {
  const directory = mkdtempSync(join(tmpdir(), `latchkey-${name}-`))
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vite, 'build', '--outDir', directory, '--emptyOutDir', '--logLevel', 'warn'],
    { cwd: join(root, 'examples', name), encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`examples/${name} does not build:\n${stdout}${stderr}`)
  return { directory, remove: () => rmSync(directory, { recursive: true }) }
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** Serves a folder, and `config` as its `/config.json`. */
export function serve(directory: string, config: () => object): Promise<TestServer> {
  return listen((_request, response, { pathname }) => {
    if (pathname === '/config.json')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(config()))
    const file = normalize(pathname === '/' ? '/index.html' : pathname)
    try {
      const content = readFileSync(join(directory, file))
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(content)
    } catch {
      response.writeHead(404).end()
    }
  })
}

export interface DemoApi {
  readonly url: string
  stop(): void
}

/** Starts the demo API as its own program, on a free port. */
export function startDemoApi(issuer: string, audience: string, origins: readonly string[]): Promise<DemoApi> {
  const env = {
    ...process.env,
    LATCHKEY_ISSUER: issuer,
    AUDIENCE: audience,
    PORT: '0',
    ALLOWED_ORIGINS: origins.join(),
  }
  const child = spawn(process.execPath, [join(root, 'examples/api/src/main.ts')], { env })
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk
      const [, url] = /listens on (\S+)/.exec(output) ?? []
      if (url !== undefined) resolve({ url, stop: () => void child.kill() })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('exit', (code) => reject(new Error(`the demo API ended with ${code}:\n${output}`)))
  })
}
