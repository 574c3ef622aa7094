/** Owns what a person does on the hosted pages: reads, types and clicks. */
import type { Page } from 'playwright-core'
import { person } from './tenant.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
}

/** Waits for the login page, types and sends. */
export async function logIn(page: Page, { email, password }: Credentials = person): Promise<void> {
  await page.waitForURL('**/u/login?*')
  await page.fill('#username', email)
  await page.fill('#password', password)
  await page.click('#login-submit')
}

/** Waits for the consent page; tells what it says. */
export async function readConsent(page: Page): Promise<string> {
  await page.waitForURL('**/u/consent?*')
  return page.innerText('main')
}

/** Waits for the consent page and says yes. */
export async function allow(page: Page): Promise<void> {
  await page.waitForURL('**/u/consent?*')
  await page.click('#consent-allow')
}

/** Says yes where the login leads to the consent page, and is content where it does not. */
export async function allowIfAsked(page: Page): Promise<void> {
  // A popup may be through and closed already.
  await page.waitForURL(({ pathname }) => pathname !== '/u/login').catch(() => undefined)
  if (!page.isClosed() && page.url().includes('/u/consent')) await allow(page)
}

/** Waits for the consent page and says no. */
export async function deny(page: Page): Promise<void> {
  await page.waitForURL('**/u/consent?*')
  await page.click('#consent-deny')
}
