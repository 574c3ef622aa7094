import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './support/browser.ts'
import { type Preview, showStates, startPreview } from './support/preview.ts'
import { states } from './support/states.ts'

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
let preview: Preview
let browser: Browser
let addresses: ReadonlyMap<string, string>

beforeAll(async () => {
  preview = await startPreview()
  browser = await startBrowser()
  addresses = new Map(showStates(preview).map(({ name, url }) => [name, url]))
})

afterAll(async () => {
  await browser.close()
  await preview.close()
})

/** Opens a page that complains about every console error and policy violation. */
async function openTab(context: BrowserContext): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`))
  return { page, complaints }
}

async function axe(page: Page, only?: string): Promise<readonly string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode(true)
  const { violations } = await (only === undefined ? builder.withTags(rules) : builder.withRules(only)).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe('WCAG 2.2 AA: axe finds nothing, the console is silent, nothing scrolls sideways', () => {
  let tab: Awaited<ReturnType<typeof openTab>>
  beforeAll(async () => {
    tab = await openTab(await browser.newContext())
  })

  for (const lang of ['en', 'ar']) {
    describe(lang, () => {
      for (const { page: name, state } of states) {
        test(`${name}, ${state}`, async () => {
          const { page, complaints } = tab
          complaints.length = 0
          await page.setViewportSize({ width: 1280, height: 800 })
          await page.emulateMedia({ colorScheme: 'light' })
          await page.goto(`${addresses.get(`${name}-${state}`)}?lang=${lang}`)
          expect(await axe(page)).toEqual([])
          await page.emulateMedia({ colorScheme: 'dark' })
          expect(await axe(page, 'color-contrast')).toEqual([])
          await page.setViewportSize({ width: 320, height: 640 })
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
          expect(await smallTargets(page)).toEqual([])
          expect(complaints).toEqual([])
        })
      }
    })
  }
})

/** Buttons and fields of less than 44 by 44 pixels. */
function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, .button, input:not([type=hidden], .visually-hidden)')]
      .filter((element) => element.checkVisibility())
      .filter((element) => element.offsetHeight < 44 || element.offsetWidth < 44)
      .map((element) => element.outerHTML),
  )
}

describe('with the keyboard alone', () => {
  test('the login page is walked in order and sent by Enter', async () => {
    const context = await browser.newContext()
    const { page, complaints } = await openTab(context)
    await page.goto(addresses.get('login-first') ?? '')
    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim())
    await expect.poll(focused).toBe('username')
    await page.keyboard.type('ada@example.com')
    const order: unknown[] = []
    for (let step = 0; step < 7; step++) {
      await page.keyboard.press('Tab')
      order.push(await focused())
    }
    expect(order).toEqual([
      'password',
      'Show password',
      'Forgot your password?',
      'login-submit',
      'Sign up',
      'Help',
      'help@acme.example',
    ])
    await page.focus('#password')
    await page.keyboard.type('correct horse')
    const before = preview.posts.length
    await page.keyboard.press('Enter')
    await expect.poll(() => preview.posts.length).toBe(before + 1)
    expect(Object.fromEntries(preview.posts.at(-1)?.fields ?? [])).toEqual({
      state: 'hKFo2SBzdGF0ZS1oYW5kbGU',
      csrf: 'c5rf-t0ken',
      username: 'ada@example.com',
      password: 'correct horse',
      action: 'default',
    })
    expect(complaints).toEqual([])
    await context.close()
  })

  test('every focused element shows a ring, in light, dark and forced colours', async () => {
    const context = await browser.newContext()
    const { page } = await openTab(context)
    for (const media of [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { forcedColors: 'active' }] as const) {
      await page.emulateMedia(media)
      for (const name of ['login-first', 'consent-third_party', 'select_account-first', 'error-serve']) {
        await page.goto(addresses.get(name) ?? '')
        await page.keyboard.press('Tab')
        const first = await page.evaluate(() => document.activeElement?.outerHTML)
        do {
          const ring = await page.evaluate(() => {
            const style = getComputedStyle(document.activeElement ?? document.body)
            return Number.parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none'
          })
          expect(ring, `${name}: ${await page.evaluate(() => document.activeElement?.outerHTML)}`).toBe(true)
          await page.keyboard.press('Tab')
        } while (
          await page.evaluate(
            (seen) => document.activeElement !== document.body && document.activeElement?.outerHTML !== seen,
            first,
          )
        )
      }
    }
    await context.close()
  })

  test('a page in trouble puts the focus where the trouble is', async () => {
    const context = await browser.newContext()
    const { page } = await openTab(context)
    await page.goto(addresses.get('signup-problems') ?? '')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('username')
    await page.click('.problems a >> nth=1')
    expect(new URL(page.url()).hash).toBe('#password')
    const described = await page.getAttribute('#password', 'aria-describedby')
    expect(described).toBe('problem-password-strength-error password-rules')
    for (const id of described?.split(' ') ?? []) expect(await page.locator(`#${id}`).count()).toBe(1)
    await context.close()
  })
})

describe('without script', () => {
  for (const [name, button, fields] of [
    ['login-first', '#login-submit', { username: 'ada', password: 'secret', action: 'default' }],
    [
      'signup-problems',
      '#signup-submit',
      { email: 'a@b.example', username: 'ada', password: 'secret', action: 'default' },
    ],
    ['consent-first', '#consent-allow', { action: 'accept' }],
    ['consent-first', '#consent-deny', { action: 'deny' }],
    ['reset_password_request-first', '#reset-submit', { email: 'a@b.example' }],
    ['reset_password-first', '#reset-submit', { password: 'secret', password_confirm: 'secret' }],
    ['verify_email-first', '#verify-email-submit', { ticket: 'tkt_1234567890' }],
    ['account_unblock-first', '#account-unblock-submit', { ticket: 'tkt_1234567890' }],
    ['select_account-first', '#other-account', { action: 'other' }],
    ['select_account-first', '.account-choice >> nth=1', { action: 'continue', account: 'second' }],
    ['logout_confirm-first', '#logout-confirm', {}],
  ] as const) {
    test(`${name} is sent by ${button}`, async () => {
      const context = await browser.newContext({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(addresses.get(name) ?? '')
      expect(await page.locator('[data-reveal]:visible, [data-copy]:visible').count()).toBe(0)
      for (const [field, value] of Object.entries(fields)) {
        const input = page.locator(`input[name=${field}]:not([type=hidden])`)
        if ((await input.count()) > 0) await input.fill(value)
      }
      await page.click(button)
      await page.waitForURL('**/u/**')
      expect(Object.fromEntries(preview.posts.at(-1)?.fields ?? [])).toMatchObject({ csrf: 'c5rf-t0ken', ...fields })
      await context.close()
    })
  }
})

describe('the comforts of the script', () => {
  test('a password can be shown, and its rules follow what is typed', async () => {
    const context = await browser.newContext()
    const { page, complaints } = await openTab(context)
    await page.goto(addresses.get('signup-problems') ?? '')
    await page.click('[data-reveal=password]')
    expect(await page.getAttribute('#password', 'type')).toBe('text')
    expect(await page.getAttribute('[data-reveal]', 'aria-pressed')).toBe('true')
    await page.fill('#password', 'abcdefghij')
    expect(await page.locator('.rules .met').allInnerTexts()).toHaveLength(2)
    await page.fill('#password', 'Abcdefghij1')
    expect(await page.locator('.rules li:not(.met)').count()).toBe(0)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('a form is sent once', async () => {
    const context = await browser.newContext()
    const { page } = await openTab(context)
    await page.goto(addresses.get('consent-first') ?? '')
    const before = preview.posts.length
    await page.evaluate(() => {
      const button = document.querySelector<HTMLButtonElement>('#consent-allow')
      button?.click()
      button?.click()
    })
    await page.waitForURL('**/u/consent*')
    expect(preview.posts.length - before).toBe(1)
    await context.close()
  })

  test('the tracking id can be copied', async () => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    const { page, complaints } = await openTab(context)
    await page.goto(addresses.get('error-serve') ?? '')
    await page.click('[data-copy]')
    await page.waitForSelector('[data-copy]:text-is("Copied")')
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('7d0e6a41c2f94c0f8a35')
    expect(complaints).toEqual([])
    await context.close()
  })
})

describe('the development mailbox', () => {
  test('shows a mail in a frame that runs nothing and reaches nothing', async () => {
    const link = addresses.get('reset_password-first') ?? ''
    const mail = preview.pages.renderMail(
      'reset_password',
      {
        tenant: { friendly_name: 'Acme' },
        email: 'ada@example.com',
        link,
        lifetime: 600,
      },
      'en',
    )
    const url = preview.show(
      'mailbox_message',
      {
        id: 'm1',
        to: 'ada@example.com',
        from: 'Acme <mail@acme.example>',
        subject: mail.subject,
        time: 1_790_000_000_000,
        html: `${mail.html}<script>parent.document.title = 'owned'</script>`,
        text: mail.text,
        links: [link],
      },
      { inline_styles: true },
    )
    const context = await browser.newContext()
    const { page } = await openTab(context)
    await page.goto(url)
    expect(await axe(page)).toEqual([])
    const frame = page.frameLocator('iframe')
    expect(await frame.locator('h1').innerText()).toBe('Reset your password')
    expect(await page.title()).toBe('Mail · Acme')
    // The mail's own styles are attributes; without the mailbox's policy they would be dropped.
    expect(await frame.locator('h1').evaluate((element) => getComputedStyle(element).fontSize)).toBe('22px')
    const opened = context.waitForEvent('page')
    await frame.locator('a').first().click()
    expect(await (await opened).innerText('h1')).toBe('Choose a new password')
    await context.close()
  })
})
