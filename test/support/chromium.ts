/** Owns the real Chromium of the browser tests, and tabs that keep what the console complains about. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium'
const args = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-gpu',
  '--disable-quic',
]

/** Starts Debian's Chromium, or the one that CHROMIUM names, with a fresh profile. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args })
}

/**
 * The same, but it sends cookies into frames of other sites, as Chrome does and Debian's Chromium does not.
 * @param folder where the profile is kept; whoever gives it removes it
 */
export async function startChromiumWithCookiesAcrossSites(folder: string): Promise<Browser> {
  const profile = mkdtempSync(join(folder, 'profile-'))
  mkdirSync(join(profile, 'Default'))
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify({ profile: { cookie_controls_mode: 0 } }))
  const context = await chromium.launchPersistentContext(profile, { executablePath, args })
  const browser = context.browser()
  if (browser === null) throw new Error('Chromium has started without a browser')
  return browser
}

export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  /** Console errors and warnings, scripts that failed and violations of a policy, in every page, frame and popup of this profile. */
  readonly complaints: string[]
  /** Every address that the main frame of the first page came to. */
  readonly visited: string[]
}

// Chromium says this of every answer of 400 and above, those that the test asks for included.
const refusal = /^Failed to load resource: the server responded with a status of (400|401|403|429)/

/** Opens a tab in a profile of its own. */
export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
  context.setDefaultTimeout(10_000)
  const complaints: string[] = []
  const visited: string[] = []
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type()) || refusal.test(message.text())) return
    complaints.push(`${message.location().url}: ${message.text()}`)
  })
  context.on('weberror', (error) => complaints.push(`${error.page()?.url()}: ${error.error()}`))
  const page = await context.newPage()
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame()) visited.push(frame.url())
  })
  return { page, context, complaints, visited }
}

/** The complaints so far, which are then forgotten. */
export function takeComplaints(tab: Tab): readonly string[] {
  return tab.complaints.splice(0)
}
