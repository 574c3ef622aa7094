/** Owns the steps of an app that uses the SDK, as the tests take them in its page. */
import type { Page } from 'playwright-core'
import { allowIfAsked, type Credentials, logIn } from './person.ts'
import type { Called, Outcome } from './sdk.ts'
import { person } from './tenant.ts'

/** Sends the page to the server. */
export async function authorize(page: Page, request: object = {}): Promise<void> {
  await page.evaluate((options) => window.app.client.authorize(options), request)
}

/** Waits for the app's callback page, its answer still in the address. */
export async function arrive(page: Page): Promise<URL> {
  await page.waitForURL(/\/callback(\?.*)?#/)
  await page.waitForSelector('[data-ready]')
  return new URL(page.url())
}

/** Has the SDK read the answer in the address. */
export function handleCallback(page: Page): Promise<Outcome> {
  return page.evaluate(() => window.app.attempt(window.app.client.handleCallback()))
}

export function renew(page: Page, request: object = {}): Promise<Outcome> {
  return page.evaluate((options) => window.app.attempt(window.app.client.renew(options)), request)
}

export function call(page: Page, path: string, token?: string, body?: object): Promise<Called> {
  return page.evaluate(([where, bearer, sent]) => window.app.call(where, bearer, sent), [path, token, body] as const)
}

/** From the app's first page through login, and consent where it is asked for, to the tokens. */
export async function signIn(page: Page, request: object = {}, who: Credentials = person): Promise<Outcome> {
  await authorize(page, request)
  await logIn(page, who)
  await allowIfAsked(page)
  await arrive(page)
  return handleCallback(page)
}
