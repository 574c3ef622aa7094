/** Owns playing the web view of a mobile app with a browser page: it stops before it goes to the callback. */

import type { BrowserContext, Page } from 'playwright-core'

/**
 * Opens a page at `url`; `drive` plays the person. Answers with the address the page was about to go to
 * when that is the callback, as a web view's navigation delegate would.
 */
export async function openWebView(
  context: BrowserContext,
  url: string,
  callback: string,
  drive: (page: Page) => Promise<void> = async () => {},
): Promise<string> {
  const page = await context.newPage()
  const caught = new Promise<string>((resolve) => {
    page.on('response', (response) => {
      const { location = '' } = response.headers()
      const isNavigation = response.request().isNavigationRequest() && response.frame() === page.mainFrame()
      if (isNavigation && location.startsWith(callback)) resolve(location)
    })
  })
  // The browser itself knows no such scheme: where the last redirect leads, it fails.
  await page.goto(url).catch(() => undefined)
  await drive(page)
  const address = await caught
  await page.close()
  return address
}
