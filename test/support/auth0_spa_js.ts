/** Owns the pages of an app that uses the published `@auth0/auth0-spa-js`, unmodified. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Auth0Client, Auth0ClientOptions } from '@auth0/auth0-spa-js'
import type { Page } from 'playwright-core'
import type { WebApp } from './web_app.ts'

/** What a method of auth0-spa-js came to. */
export interface Came {
  readonly result?: unknown
  readonly error?: Readonly<Record<string, unknown>>
}

declare global {
  interface Window {
    auth0Client: Auth0Client
    /** Calls a method, and tells its result or its error. */
    callSpa(method: string, ...values: readonly unknown[]): Promise<Came>
    popupCame: Promise<Came>
  }
}

const main = createRequire(import.meta.url).resolve('@auth0/auth0-spa-js')
const library = readFileSync(main.replace(/dist\/.*$/, 'dist/auth0-spa-js.production.js'))

/** Gives the app its pages: `/` and `/callback` hold `window.auth0Client`. */
export function addSpaPages(app: WebApp, options: Auth0ClientOptions): void {
  const page = `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">
<script src="/auth0-spa-js.js"></script><script src="/spa.js"></script><body><button>Sign in in a window</button></body></html>`
  app.files.set('/auth0-spa-js.js', library)
  app.files.set('/spa.js', script(options))
  for (const path of ['/', '/callback']) app.files.set(path, page)
}

const script = (options: Auth0ClientOptions) => `
window.auth0Client = new auth0.Auth0Client(${JSON.stringify(options)})
window.callSpa = async (method, ...values) => {
  try {
    return { result: await auth0Client[method](...values) }
  } catch (error) {
    return { error: { ...error, message: error.message } }
  }
}
addEventListener('DOMContentLoaded', () => {
  document.querySelector('button').addEventListener('click', () => {
    window.popupCame = callSpa('loginWithPopup')
  })
})
`

export function callSpa(page: Page, method: string, ...values: readonly unknown[]): Promise<Came> {
  return page.evaluate(([name, given]) => window.callSpa(name, ...given), [method, values] as const)
}
