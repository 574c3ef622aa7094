/** Owns the start of a real Chromium for the tests of pages. */
import { type Browser, chromium } from 'playwright-core'

/** Starts Debian's Chromium with a fresh profile. */
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
    ],
  })
}
