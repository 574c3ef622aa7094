/** Owns the browser side of the tests: Chromium, the built SDK, and a page of an app on an origin of its own. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { ClientOptions } from '../../src/index.ts'
import { type ScriptedServer, startAuthorizationServer } from './authorization_server.ts'
import { listen, type TestServer } from './http.ts'

export interface Built {
  readonly directory: string
  read(file: string): string
  remove(): void
}

/** Runs the build script as a developer would. */
export function buildSdk(): Built {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-spa-'))
  const script = join(import.meta.dirname, '../../build.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--out', directory], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`)
  return {
    directory,
    read: (file) => readFileSync(join(directory, file), 'utf8'),
    remove: () => rmSync(directory, { recursive: true }),
  }
}

/** Starts Debian's Chromium, or the one that CHROMIUM names, with a fresh profile. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-gpu',
      '--disable-quic',
      '--host-resolver-rules=MAP insecure.test localhost',
    ],
  })
}

export interface Stage {
  readonly server: ScriptedServer
  readonly attacker: ScriptedServer
  readonly app: TestServer
  readonly browser: Browser
  /** A tab of a fresh browser profile, showing the app, its client as the global `client`. */
  openApp(options?: Partial<ClientOptions>): Promise<Page>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const built = buildSdk()
  const sdk = built.read('latchkey-spa.iife.js')
  built.remove()
  const server = await startAuthorizationServer()
  const attacker = await startAuthorizationServer()
  const policy = `default-src 'none'; script-src 'self'; connect-src ${server.origin}; frame-src http:`
  const app = await listen((_request, response, url) => {
    if (url.pathname === '/sdk.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(sdk)
    const sandbox = url.pathname === '/sandboxed' ? '; sandbox allow-scripts allow-same-origin' : ''
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy + sandbox })
    response.end('<!doctype html><title>app</title><script src="/sdk.js"></script><p>app')
  })
  const browser = await startBrowser()
  return {
    server,
    attacker,
    app,
    browser,
    openApp: async (options = {}) => {
      const context = await browser.newContext()
      const settings = {
        issuer: server.issuer,
        client_id: 'client',
        redirect_uri: `${app.origin}/callback`,
        ...options,
      }
      await context.addInitScript(prepare, settings)
      const page = await context.newPage()
      await page.goto(`${app.origin}/?from=start`)
      return page
    },
    close: async () => {
      await browser.close()
      await Promise.all([server.close(), attacker.close(), app.close()])
    },
  }
}

declare global {
  interface Window {
    Latchkey: typeof import('../../src/index.ts')
    client: import('../../src/index.ts').Client
    /** Runs a step and tells how it ended, errors as plain values. */
    attempt: (step: Promise<unknown>) => Promise<Outcome>
  }
}

export interface Outcome {
  readonly value?: unknown
  readonly code?: string
  readonly fix?: string
}

/** Runs in the page, before its own scripts. */
function prepare(settings: ClientOptions): void {
  addEventListener('DOMContentLoaded', () => {
    if (window.Latchkey && isSecureContext) window.client = window.Latchkey.createClient(settings)
  })
  window.attempt = (step) =>
    step.then(
      (value) => ({ value }),
      (error: unknown) =>
        error instanceof window.Latchkey.LatchkeyError ? { code: error.code, fix: error.fix } : { code: String(error) },
    )
}
