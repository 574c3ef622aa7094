import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { authorizeUrl, type Parameters } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf } from '../support/outcome.ts'
import { clients, connection, tenant } from '../support/tenant.ts'

let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant, development: false })
})
afterEach(() => latchkey.apply("tenant: { error_page: { html: '', url: '' } }"))
afterAll(() => latchkey.close())

/** JSON is YAML. */
const useTemplate = (html: string, more: object = {}) =>
  latchkey.apply(JSON.stringify({ tenant: { error_page: { html, ...more } } }))

const refused = (change: Parameters = { redirect_uri: 'https://evil.example/' }, headers: HeadersInit = {}) =>
  new Agent(headers).visit(authorizeUrl(latchkey.issuer, change))

const whole = `<!doctype html><html lang="{{ lang }}" dir="{{ dir }}"><title>Oh no</title>
<style nonce="{{ nonce }}">h1 { color: red }</style>
<h1>{{ error }}</h1><p>{{ error_description }}</p><code>{{ tracking }}</code>
<i>{{ client_id }}|{{ connection }}|{{ show_log_link }}|{{ tenant.friendly_name }}|{{ tenant.support_email }}</i>`

describe("a tenant's own error page, as a template", () => {
  test('is shown with the status, the values and an id that the log has too', async () => {
    await useTemplate(whole, { show_log_link: false })
    const answer = await refused({ redirect_uri: 'https://evil.example/', connection })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('<html lang="en" dir="ltr"><title>Oh no</title>')
    expect(answer.body).toContain('<h1>invalid_request</h1><p>Callback URL mismatch')
    expect(answer.body).toContain(`<i>${clients.spa}|${connection}|false|Example|help@example.com</i>`)
    const [, tracking] = /<code>([0-9a-f]{20})<\/code>/.exec(answer.body) ?? []
    expect(latchkey.log.find((line) => line.tracking === tracking)).toMatchObject({
      error: 'invalid_request',
      msg: 'refused',
    })
  })

  test('under the headers of every page, and its nonce is that of the policy', async () => {
    await useTemplate(whole)
    const ours = await refused({ client_id: 'nobody' })
    const policy = ours.headers.get('content-security-policy') ?? ''
    const nonce = /<style nonce="([\w-]+)">/.exec(ours.body)?.[1]
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`)
    await latchkey.apply("tenant: { error_page: { html: '' } }")
    const builtIn = await refused({ client_id: 'nobody' })
    const plain = (text: string) => text.replaceAll(/'nonce-[\w-]+'/g, 'nonce')
    expect(plain(policy)).toBe(plain(builtIn.headers.get('content-security-policy') ?? ''))
    for (const name of ['x-frame-options', 'cross-origin-opener-policy', 'cache-control', 'referrer-policy'])
      expect([name, ours.headers.get(name)]).toEqual([name, builtIn.headers.get(name)])
    expect(ours.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('what an address says is escaped, even where the template asks for it raw', async () => {
    await useTemplate('<p>{{ error_description | raw }}</p><a title="{{ client_id }}{{ connection }}">x</a>')
    const { body } = await refused({ client_id: '<script>alert(1)</script>', connection: '"><script>' })
    expect(body).toContain('<p>Unknown client: &lt;script&gt;alert(1)&lt;/script&gt;</p>')
    // What is not registered is not passed on at all.
    expect(body).toContain('<a title="">x</a>')
    expect(body).not.toContain('<script>')
  })

  for (const [name, template, reason] of [
    ['cannot be parsed', '{% if error %}<p>{{ error }}</p>', /not closed/],
    ['wants a file of the server', '<p>before</p>{% include "/etc/passwd" %}', /ENOENT|lookup/i],
    ['takes too long', '{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}', /limit/],
    ['uses a filter that there is not', '{{ error | shout }}', /shout/],
  ] as const)
    test(`one that ${name}: the built-in page, and the log says why`, async () => {
      await useTemplate(template)
      const { error, tracking } = errorPageOf(await refused())
      expect(error).toBe('invalid_request')
      const line = latchkey.log.find(
        (entry) => entry.setting === 'tenant.error_page.html' && entry.tracking === tracking,
      )
      expect(line).toMatchObject({ level: 40, reason: expect.stringMatching(reason) })
    })

  test('a program that asks for JSON gets JSON', async () => {
    await useTemplate(whole)
    const answer = await refused({ client_id: 'nobody' }, { accept: 'application/json' })
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' })
  })

  test('a refusal that goes to the client is not shown on it', async () => {
    await useTemplate(whole)
    const answer = await refused({ audience: 'https://no.example/' })
    expect([answer.status, new URL(answer.location ?? '').origin]).toEqual([302, 'https://app.example.com'])
  })

  test('an address of its own wins over it, and is told language and connection too', async () => {
    await useTemplate(whole, { url: 'https://errors.example.com/oops' })
    const answer = await refused({ redirect_uri: 'https://evil.example/', connection }, { 'accept-language': 'ar' })
    expect(Object.fromEntries(new URL(answer.location ?? '').searchParams)).toEqual({
      ...{ client_id: clients.spa, connection, lang: 'ar', error: 'invalid_request' },
      ...{ error_description: expect.stringMatching(/^Callback URL mismatch/), tracking: expect.any(String) },
    })
  })
})
