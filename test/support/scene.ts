/** Owns the scene of the browser tests: the server, apps and the demo API on origins of their own, and one Chromium. */
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { makeCertificate } from './certificate.ts'
import { openTab, startChromium, type Tab } from './chromium.ts'
import { type DemoApi, startDemoApi } from './demo_api.ts'
import { type Latchkey, startLatchkey } from './latchkey.ts'
import { messages, origins, sceneClients, sceneTenant } from './scene_tenant.ts'
import { addAppPages } from './sdk.ts'
import { startWebApp, type WebApp } from './web_app.ts'

export interface Scene {
  readonly latchkey: Latchkey
  readonly browser: Browser
  /** On http, another port of the server's host: another origin, the same site. */
  readonly app: WebApp
  /** The same app on https, another port of the server's host. */
  readonly near: WebApp
  /** On https and 127.0.0.1: another site than the server on https and localhost. */
  readonly far: WebApp
  /** On http and 127.0.0.1; its origin is listed nowhere, its callback belongs to a client of its own. */
  readonly stranger: WebApp
  readonly api: DemoApi
  /** Everything that was opened is watched: see `endTest`. */
  openTab(options?: BrowserContextOptions): Promise<Tab>
  /** Opens a tab and the app's first page in it. */
  openApp(app?: WebApp, options?: BrowserContextOptions): Promise<Tab>
  /** Closes the tabs of a test. @returns what their consoles complained about, unless the test has taken it */
  endTest(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface SceneOptions {
  /** Lines for the `tenant` section of the tenant file, indented by two. */
  readonly settings?: string
  /** Options of `latchkey serve`, by their names. */
  readonly options?: Readonly<Record<string, string>>
  /** @param folder removed with the scene */
  readonly start_browser?: (folder: string) => Promise<Browser>
}

export async function openScene({
  settings: lines = '',
  options = {},
  start_browser = startChromium,
}: SceneOptions = {}) {
  const certificate = await makeCertificate()
  const { cert, key } = certificate
  const app = await startWebApp()
  const near = await startWebApp({ tls: { cert, key } })
  const far = await startWebApp({ host: '127.0.0.1', tls: { cert, key } })
  const stranger = await startWebApp({ host: '127.0.0.1' })
  const places = { app: app.origin, near: near.origin, far: far.origin, stranger: stranger.origin }
  const latchkey = await startLatchkey({ tenant: sceneTenant(places, lines), tls_file: certificate.file, options })
  const { issuer, https_issuer } = latchkey
  const api = await startDemoApi({
    issuer: [issuer, https_issuer],
    audience: messages,
    allowed_origins: origins(places),
  })
  const settings = { audience: messages, scope: 'openid profile email read:messages', timeout: 20 }
  for (const [place, client_id] of [
    [app, sceneClients.app],
    [near, sceneClients.app],
    [far, sceneClients.far],
    [stranger, sceneClients.stranger],
  ] as const) {
    const server = place.origin.startsWith('https:') ? https_issuer : issuer
    const client = { issuer: server, client_id, redirect_uri: `${place.origin}/callback` }
    await addAppPages(place, { ...settings, ...client }, api.url)
  }
  const browser = await start_browser(certificate.folder)
  const tabs: Tab[] = []
  const open = async (options?: BrowserContextOptions) => {
    const tab = await openTab(browser, options)
    tabs.push(tab)
    return tab
  }
  const scene: Scene = {
    ...{ latchkey, browser, app, near, far, stranger, api },
    openTab: open,
    async openApp(place = app, options) {
      const tab = await open(options)
      await tab.page.goto(`${place.origin}/`)
      await tab.page.waitForSelector('[data-ready]')
      return tab
    },
    async endTest() {
      const ended = tabs.splice(0)
      await Promise.all(ended.map(({ context }) => context.close()))
      return ended.flatMap(({ complaints }) => complaints)
    },
    async close() {
      await browser.close()
      await Promise.all([app, near, far, stranger, api, latchkey].map((one) => one.close()))
      certificate.remove()
    },
  }
  return scene
}
