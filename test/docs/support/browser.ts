/** Owns the browser that runs the apps of the pages, and the web server that a reader would start with `npx vite`. */
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { createServer } from 'vite'
import { person, type Stage } from './stage.ts'

/** Starts Debian's Chromium, or the one that CHROMIUM names. */
export function startBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [...args, '--no-first-run', '--disable-gpu', '--disable-quic'],
  })
}

/** Serves a folder of the stage as `npx vite FOLDER` does. */
export async function serveApp(stage: Stage, folder: string, documented = 5173): Promise<{ close(): Promise<void> }> {
  const server = await createServer({
    root: join(stage.folder, folder),
    configFile: false,
    cacheDir: join(stage.folder, '.vite'),
    logLevel: 'warn',
    server: { port: stage.port(documented), strictPort: true, host: 'localhost', hmr: false, ws: false },
  })
  await server.listen()
  return server
}

/** Signs the person of the development tenant in on the login page. */
export async function fillIn(page: Page): Promise<void> {
  await page.fill('#username', person.email)
  await page.fill('#password', person.password)
  await page.click('#login-submit')
}

/** Says yes on the consent page. */
export async function allow(page: Page): Promise<void> {
  await page.click('#consent-allow')
}

/** Plays the web view of a mobile app: answers with the address that it was about to go to, once that is the callback. */
export async function openWebView(
  context: BrowserContext,
  url: string,
  callback: string,
  drive: (page: Page) => Promise<void>,
): Promise<string> {
  const page = await context.newPage()
  const caught = new Promise<string>((resolve) => {
    page.on('response', (response) => {
      const { location = '' } = response.headers()
      if (location.startsWith(callback)) resolve(location)
    })
  })
  await page.goto(url)
  await drive(page)
  const address = await caught
  await page.close()
  return address
}
