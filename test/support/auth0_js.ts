/** Owns the pages of an app that uses the published `auth0-js`, unmodified. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AuthOptions, WebAuth } from 'auth0-js'
import type { Page } from 'playwright-core'
import type { Received, WebApp } from './web_app.ts'

/** What a callback of auth0-js was called with. */
export interface Called {
  readonly error: Readonly<Record<string, unknown>> | null
  readonly result: Readonly<Record<string, unknown>> | null
}

declare global {
  interface Window {
    webAuth: WebAuth
    /** Calls a method by its path, such as `client.userInfo`, and waits for its callback. */
    ask(method: string, ...values: readonly unknown[]): Promise<Called>
    popupResult: Promise<Called>
  }
}

const library = readFileSync(fileURLToPath(import.meta.resolve('auth0-js/dist/auth0.min.js')))

/**
 * Gives the app its pages: `/` and `/callback` hold `window.webAuth`; `/popup` is the callback page of a popup, `/silent` and
 * `/silent_message` those of `renewAuth`, and `/posted` takes the answer as a form.
 */
export function addAuth0Pages(app: WebApp, settings: AuthOptions): void {
  const page = (body: string) => `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">
<script src="/auth0.min.js"></script><script src="/app.js"></script><body>${body}</body></html>`
  app.files.set('/auth0.min.js', library)
  app.files.set('/app.js', script(settings))
  for (const path of ['/', '/callback']) app.files.set(path, page('<button>Sign in in a window</button>'))
  app.files.set('/popup', page('<script>webAuth.popup.callback()</script>'))
  app.files.set('/silent', '<!doctype html><title>Silent</title>')
  app.files.set(
    '/silent_message',
    '<!doctype html><title>Silent</title><script>parent.postMessage(location.hash, location.origin)</script>',
  )
  // A web application that gets its answer as a form would check it on its server; this one hands it to its page.
  app.files.set('/posted', ({ body }: Received) => page(`<p id="posted">${body.replaceAll('&', '&amp;')}</p>`))
}

const script = (settings: AuthOptions) => `
window.webAuth = new auth0.WebAuth(${JSON.stringify(settings)})
window.ask = (path, ...values) => new Promise((resolve) => {
  const steps = path.split('.')
  const method = steps.pop()
  const owner = steps.reduce((found, step) => found[step], webAuth)
  owner[method](...values, (error, result) => resolve({ error: error ?? null, result: result ?? null }))
})
addEventListener('DOMContentLoaded', () => {
  document.querySelector('button')?.addEventListener('click', () => {
    window.popupResult = ask('popup.authorize', { redirectUri: location.origin + '/popup' })
  })
})
`

export function ask(page: Page, method: string, ...values: readonly unknown[]): Promise<Called> {
  return page.evaluate(([name, given]) => window.ask(name, ...given), [method, values] as const)
}
