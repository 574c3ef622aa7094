import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { openCustomErrorPage, problemOfTemplate } from '../../src/pages/custom_error.ts'
import { openPages } from '../../src/pages/index.ts'

const require = createRequire(import.meta.url)
const page = openCustomErrorPage(require)
const hostile = `<img src=x onerror="alert('1')">&`
const escaped = '&lt;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&gt;&amp;'

describe("a tenant's own error page", () => {
  test('is filled in', () =>
    expect(
      page.render('<h1>{{ error }}</h1>{% if tracking %}{{ tracking }}{% endif %}', { error: 'x', tracking: 7 }),
    ).toBe('<h1>x</h1>7'))

  for (const [name, template] of [
    ['as it is', '{{ error_description }}'],
    ['by the filter raw', '{{ error_description | raw }}'],
    ['by raw behind another filter', '{{ error_description | append: "" | raw }}'],
    ['by a variable', '{% assign text = error_description | raw %}{{ text }}'],
    ['by a capture', '{% capture text %}{{ error_description }}{% endcapture %}{{ error_description }}'],
    ['by the tag echo', '{% echo error_description %}'],
    ['by the tag liquid', '{% liquid echo error_description | raw %}'],
  ] as const)
    test(`escapes what it shows, ${name}`, () =>
      expect(page.render(template, { error_description: hostile })).toBe(escaped))

  test('as a whole document, in the frame of the tenant', () => {
    const html = openPages().renderCustomError(
      '<html lang="{{ lang }}" dir="{{ dir }}"><style nonce="{{ nonce }}"></style>{{ tenant.friendly_name }} {{ tenant.support_email }} {{ tenant.picture_url }} {{ assets.stylesheet }} {{ show_log_link }} {{ client_id }}',
      { error: 'invalid_request', tracking: 'abc', show_log_link: false, client_id: 'me' },
      {
        ...{ locale: 'ar', nonce: 'AAAAAAAAAAAAAAAA' },
        tenant: { friendly_name: 'A & B', support_email: 'help@example.com', picture_url: 'javascript:alert(1)' },
      },
    )
    expect(html).toContain('<html lang="ar" dir="rtl"><style nonce="AAAAAAAAAAAAAAAA">')
    expect(html).toMatch(/A &amp; B help@example\.com {2}\/\S+\.css false me$/)
  })

  for (const [name, template] of [
    ['a file of the server', '{% include "layout" %}'],
    ['a file above', "{% render '../../../../package.json' %}"],
    ['a file by its whole path', '{% include "/etc/passwd" %}'],
    ['a layout', "{% layout 'layout' %}"],
    ['a name from a value', '{% include file %}'],
  ] as const)
    test(`includes nothing: ${name}`, () =>
      expect(() => page.render(template, { file: '/etc/passwd' })).toThrow(/ENOENT|not found|Failed to lookup/i))

  for (const path of ['error.constructor', 'tenant.__proto__', 'tenant.toString', 'process', 'globalThis', 'require'])
    test(`reaches nothing beyond what it is given: ${path}`, () =>
      expect(page.render(`[{{ ${path} }}{{ ${path}.constructor }}]`, { error: 'x', tenant: {} })).toBe('[]'))

  for (const [name, template] of [
    ['an endless count', '{% for i in (1..1000000000) %}x{% endfor %}'],
    ['loops in loops', '{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}'],
    [
      'text that doubles',
      `{% assign t = 'xxxxxxxxxx' %}{% for i in (1..60) %}{% assign t = t | append: t %}{% endfor %}`,
    ],
  ] as const)
    test(`takes no more than it may: ${name}`, () => {
      const before = performance.now()
      expect(() => page.render(template, {})).toThrow(/limit/i)
      expect(performance.now() - before).toBeLessThan(1500)
    })

  for (const [name, template] of [
    ['a tag that is not closed', '{% if error %}'],
    ['a tag that is not known', '{% nonsense %}'],
    ['a filter that is not known', '{{ error | nonsense }}'],
    ['an output that is not closed', '{{ error'],
    ['too long', 'x'.repeat(100_001)],
  ] as const) {
    test(`broken, ${name}: it is not rendered`, () => expect(() => page.render(template, {})).toThrow())
    test(`broken, ${name}: why can be told beforehand`, () =>
      expect(problemOfTemplate(require, template)).toEqual(expect.any(String)))
  }

  test('one that can be read has no problem', () =>
    expect(problemOfTemplate(require, '<p>{{ error }}</p>')).toBeUndefined())

  test('after a broken one the next is rendered as ever', () => {
    expect(() => page.render('{% if %}', {})).toThrow()
    expect(page.render('{{ error }}', { error: 'x' })).toBe('x')
  })
})
