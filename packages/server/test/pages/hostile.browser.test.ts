import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPages, type PageModels } from '../../src/pages/index.ts'
import { startBrowser } from './support/browser.ts'
import { client, type PageState, states, tenant } from './support/states.ts'

const pages = openPages()
let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await startBrowser()
  page = await browser.newPage()
})

afterAll(() => browser.close())

/** The words of a model that are not text but choose something. */
const fixedWords = new Set([
  ...['profile', 'api', 'expired', 'used', 'unknown', 'reset_password', 'verify_email', 'account_unblock'],
  ...['low', 'fair', 'good', 'excellent', 'wrong_credentials', 'too_many_attempts', 'username_exists'],
  ...['password_strength_error', 'invalid_email', 'password_mismatch', 'unknown_user_code'],
])

/** Puts the hostile text in place of every other word of a value. */
function poison(value: unknown, hostile: string): unknown {
  if (typeof value === 'string') return fixedWords.has(value) ? value : hostile
  if (Array.isArray(value)) return value.map((item) => poison(item, hostile))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poison(item, hostile)]))
}

const mail = { id: 'x', to: 'x', from: 'x', subject: 'x', time: 0, html: 'x', text: 'x', links: ['https://x.example/'] }
const everyPage: readonly PageState[] = [
  ...states,
  { page: 'mailbox_message', state: 'any', model: mail },
  { page: 'form_post', state: 'any', model: { action: 'x', fields: { field: 'x' } } },
  { page: 'web_message', state: 'any', model: { response: { state: 'x' }, target_origin: 'x' } },
]

function renderPoisoned(entry: PageState, hostile: string): string {
  const model = poison(entry.model, hostile)
  const around = poison({ tenant: { ...tenant, picture_url: 'x', colors: { primary: 'x' } }, client }, hostile)
  const targets = { action: 'https://app.example/', target_origin: 'https://app.example' }
  const frame = { locale: 'en', nonce: 'AAAAAAAAAAAAAAAAAAAAAA', ...(around as { tenant: typeof tenant }) }
  return pages.render(entry.page as 'login', { ...(model as PageModels['login']), ...targets }, frame)
}

interface Structure {
  /** Every element with the names of its attributes, in order. */
  readonly shape: string
  readonly addresses: readonly string[]
  readonly text: string
}

/** Reads a page as a browser does, without running it. */
function parse(html: string): Promise<Structure> {
  return page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, 'text/html')
    const elements = [...parsed.querySelectorAll('*')]
    const values = elements.flatMap((element) => ['href', 'src', 'action'].map((name) => element.getAttribute(name)))
    return {
      shape: elements.map((element) => `${element.tagName}[${element.getAttributeNames().join(' ')}]`).join(' '),
      addresses: values.filter((value) => value !== null),
      text: parsed.documentElement.textContent ?? '',
    }
  }, html)
}

describe("XS every stored and reflected field stays text, in a browser's own reading", () => {
  for (const hostile of [
    '<script>alert(1)</script>',
    `"'><xss onpwn=1></title></script></style></textarea></iframe></noscript><!--`,
    `' onpwn='1`,
    `" autofocus onfocus="alert(1)`,
    `{{ 7 | times: 7 }}{% include 'login' %}`,
    '&lt;script&gt;&amp;quot;',
    '\u2028\u2029\uf8f0\uf8f1</script>',
    '$t(error.title) {{tenant}}',
  ]) {
    test(hostile, async () => {
      for (const entry of everyPage) {
        const harmless = await parse(renderPoisoned(entry, 'word'))
        const found = await parse(renderPoisoned(entry, hostile))
        expect(found.shape, `${entry.page} ${entry.state}`).toBe(harmless.shape)
      }
    })
  }

  test('the text arrives unchanged', async () => {
    const hostile = `<b>&amp;'"{{x}}`
    const login = states[0]
    if (login === undefined) throw new Error('There is no first state')
    expect((await parse(renderPoisoned(login, hostile))).text).toContain(`Log in to ${hostile}`)
  })

  test('an address that a browser would run is no link, no picture and no target', async () => {
    for (const hostile of [
      'javascript:alert(1)',
      'JaVa\tScript:alert(1)',
      ' javascript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
    ]) {
      for (const entry of everyPage) {
        const { addresses } = await parse(renderPoisoned(entry, hostile))
        for (const address of addresses) {
          expect(address, `${entry.page} ${entry.state}`).toMatch(
            /^(\/u\/|\/activate|\/dev\/(mail|device)|#|mailto:|https:\/\/app\.example)/,
          )
        }
      }
    }
  })
})
