/** Owns the SDK as a browser gets it, and the page of an app that uses it. */
import { join } from 'node:path'
import { build } from 'vite'
import type { WebApp } from './web_app.ts'

type Sdk = typeof import('@latchkey/spa')
export type ClientOptions = Parameters<Sdk['createClient']>[0]
export type Client = ReturnType<Sdk['createClient']>

/** How a step of the SDK ended, as plain values. */
export interface Outcome {
  readonly value?: {
    readonly tokens: Record<'access_token' | 'id_token' | 'token_type' | 'scope', string> & { expires_in: number }
    readonly user: Readonly<Record<string, unknown>>
    readonly app_state: unknown
  }
  readonly code?: string
  readonly message?: string
}

declare global {
  interface Window {
    /** The app on a page made by `addAppPages`. */
    app: {
      readonly client: Client
      /** Another client: the settings of the app with some changed. */
      make(change: Partial<ClientOptions>): Client
      attempt(step: Promise<unknown>): Promise<Outcome>
      /** Calls the API with a bearer token, or with none. */
      call(path: string, token?: string, body?: unknown): Promise<Called>
    }
  }
}

export interface Called {
  readonly status: number
  readonly challenge: string | null
  readonly body: unknown
}

let built: Promise<string> | undefined

/** The SDK as an ES module, made by Vite as an app's own build would. */
export function sdkModule(): Promise<string> {
  built ??= bundle()
  return built
}

async function bundle(): Promise<string> {
  const root = join(import.meta.dirname, '../../packages/spa')
  const made = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: { write: false, target: 'es2022', lib: { entry: join(root, 'src/index.ts'), formats: ['es'] } },
  })
  const [first] = [made].flat()
  if (first === undefined || !('output' in first)) throw new Error('Vite built nothing')
  return first.output[0].code
}

/** Gives an app its pages: `/` and `/callback`, both with the app as `window.app`. */
export async function addAppPages(app: WebApp, settings: ClientOptions, api: string): Promise<void> {
  app.files.set('/latchkey-spa.js', await sdkModule())
  app.files.set('/app.js', script(settings, api))
  for (const path of ['/', '/callback']) app.files.set(path, page)
}

const page = `<!doctype html>
<html lang="en"><title>App</title><link rel="icon" href="data:,"><h1>App</h1>
<button id="popup">Sign in in a window</button>
<script type="module" src="/app.js"></script></html>`

const script = (settings: ClientOptions, api: string) => `
import { createClient, LatchkeyError } from '/latchkey-spa.js'
const settings = ${JSON.stringify(settings)}
const client = createClient(settings)
window.app = {
  client,
  make: (change) => createClient({ ...settings, ...change }),
  attempt: (step) => step.then((value) => ({ value }), (error) =>
    error instanceof LatchkeyError ? { code: error.code, message: error.message } : Promise.reject(error)),
  call: async (path, token, body) => {
    const headers = {
      ...(token ? { authorization: 'Bearer ' + token } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    }
    const answer = await fetch(${JSON.stringify(api)} + path,
      { headers, method: body ? 'POST' : 'GET', ...(body ? { body: JSON.stringify(body) } : {}) })
    return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.json() }
  },
}
document.getElementById('popup').onclick = () => { window.opened = window.app.attempt(client.popup()) }
document.body.dataset.ready = 'yes'
`
