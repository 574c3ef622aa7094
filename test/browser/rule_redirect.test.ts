/** Tests that a real browser gets from the login form to where a rule sends it, and back: the form's own policy must not stand in the way. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimsOf, fragmentOf } from '../support/agent.ts'
import { openTab, startChromium } from '../support/chromium.ts'
import { authorizeUrl } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { allow, logIn } from '../support/person.ts'
import { clients, tenant } from '../support/tenant.ts'

let browser: Browser
let latchkey: Latchkey
let site: Server
let origin: string

beforeAll(async () => {
  browser = await startChromium()
  site = createServer((request, response) => {
    const url = new URL(request.url ?? '/', origin)
    const back = `${latchkey.issuer}continue?state=${url.searchParams.get('state')}&agreed=yes`
    response.setHeader('content-type', 'text/html')
    response.end(
      url.pathname === '/terms' ? `<title>Terms</title><a id="agree" href="${back}">I agree</a>` : '<title>App</title>',
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  latchkey = await startLatchkey({
    tenant: `${tenant}
rulesConfigs: [{ key: TERMS, value: "${origin}/terms" }]
rules:
  - name: Terms
    script: |
      function (user, context, callback) {
        if (context.protocol === 'redirect-callback') {
          context.idToken['https://app.example.com/agreed'] = context.request.query.agreed
        } else {
          context.redirect = { url: configuration.TERMS }
        }
        callback(null, user, context)
      }
`,
  })
})
afterAll(async () => {
  await browser?.close()
  await latchkey?.close()
  site?.close()
})

describe('contract B2.7 a rule that redirects', () => {
  test('login, the page of the rule, consent, the app', async () => {
    const { page, complaints, context } = await openTab(browser)
    const redirect_uri = `${origin}/callback`
    await page.goto(authorizeUrl(latchkey.issuer, { client_id: clients.native, redirect_uri }))
    await logIn(page)
    await page.waitForURL(`${origin}/terms?*`)
    await page.click('#agree')
    await page.waitForURL(`${latchkey.issuer}u/consent?*`)
    await allow(page)
    await page.waitForURL(`${redirect_uri}#*`)
    expect(claimsOf(fragmentOf(page.url()).id_token)['https://app.example.com/agreed']).toBe('yes')
    expect(complaints.filter((line) => !line.includes('favicon'))).toEqual([])
    await context.close()
  })
})
