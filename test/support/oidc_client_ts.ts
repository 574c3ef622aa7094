/** Owns the pages of an app that uses the published `oidc-client-ts`, unmodified. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { UserManager, UserManagerSettings } from 'oidc-client-ts'
import type { Page } from 'playwright-core'
import type { WebApp } from './web_app.ts'

/** What a method of the user manager came to. */
export interface Came {
  readonly result?: Readonly<Record<string, unknown>> | null
  readonly error?: Readonly<Record<string, unknown>>
}

declare global {
  interface Window {
    userManager: UserManager
    callManager(method: string, ...values: readonly unknown[]): Promise<Came>
  }
}

const folder = createRequire(import.meta.url)
  .resolve('oidc-client-ts')
  .replace(/dist\/.*$/, 'dist/browser')
const library = readFileSync(join(folder, 'oidc-client-ts.min.js'))

/** Gives the app its pages: `/` and `/callback` hold `window.userManager`; `/silent` is the page that comes back in a frame. */
export function addManagerPages(app: WebApp, settings: UserManagerSettings): void {
  const page = (body: string) => `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">
<script src="/oidc-client-ts.js"></script><script src="/manager.js"></script><body>${body}</body></html>`
  app.files.set('/oidc-client-ts.js', library)
  app.files.set('/manager.js', script(settings))
  for (const path of ['/', '/callback']) app.files.set(path, page(''))
  app.files.set('/silent', page('<script>userManager.signinSilentCallback()</script>'))
}

const script = (settings: UserManagerSettings) => `
window.userManager = new oidc.UserManager(${JSON.stringify(settings)})
window.callManager = async (method, ...values) => {
  try {
    const result = await userManager[method](...values)
    return { result: result == null ? null : JSON.parse(JSON.stringify(result)) }
  } catch (error) {
    return { error: { error: error.error, message: error.message } }
  }
}
`

export function callManager(page: Page, method: string, ...values: readonly unknown[]): Promise<Came> {
  return page.evaluate(([name, given]) => window.callManager(name, ...given), [method, values] as const)
}
