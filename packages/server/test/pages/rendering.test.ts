import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Frame, openPages, type PageModels, type PageName, stylesheet } from '../../src/pages/index.ts'
import { client, tenant } from './support/states.ts'

const pages = openPages()
const frame: Frame = { locale: 'en', nonce: 'AAAAAAAAAAAAAAAAAAAAAA', tenant, client }

function render<Name extends PageName>(page: Name, model: PageModels[Name], more: Partial<Frame> = {}): string {
  return pages.render(page, model, { ...frame, ...more })
}

const login: PageModels['login'] = { state: 'a b&c', csrf: 'token', allow_signup: true, allow_reset: true }

describe('the elements that people, tests and other programs rely on (decision 12, C20)', () => {
  test('login', () => {
    const html = render('login', login)
    expect(html).toMatch(/<form method="post" action="\/u\/login\?state=a\+b%26c"/)
    expect(html).toMatch(/<input type="hidden" name="state" value="a b&amp;c">/)
    expect(html).toMatch(/<input id="username" name="username" [^>]*autocomplete="username"/)
    expect(html).toMatch(/<input id="password" name="password" type="password" autocomplete="current-password"/)
    expect(html).toMatch(
      /<button class="button" id="login-submit" type="submit" name="action" value="default">Continue</,
    )
    expect(html).toContain('href="/u/signup?state=a+b%26c"')
    expect(html).toContain('href="/u/reset-password/request?state=a+b%26c"')
    expect(html).toContain(`href="${stylesheet.path}"`)
  })

  test('login without sign-up and reset has no link to them', () => {
    const html = render('login', { ...login, allow_signup: false, allow_reset: false })
    expect(html).not.toMatch(/signup|reset-password/)
  })

  test('the others', () => {
    const step = { state: 's', csrf: 'c' }
    const password_policy = { strength: 'good', min_length: 8 } as const
    const signup = render('signup', { ...step, password_policy, problems: [], requires_username: true })
    expect(signup).toMatch(/<input id="email" name="email" type="email"/)
    expect(signup).toMatch(/<input id="username" name="username"/)
    expect(signup).toMatch(/<input id="password" name="password" type="password" autocomplete="new-password"/)
    expect(signup).toMatch(/id="signup-submit" type="submit" name="action" value="default"/)
    expect(render('signup', { ...step, password_policy, problems: [] })).not.toContain('id="username"')
    const lax = { strength: 'none', min_length: 1 } as const
    expect(render('signup', { ...step, password_policy: lax, problems: [] })).not.toContain('data-rules-for')
    const reset = render('reset_password', { ticket: 't', csrf: 'c', email: 'a@b', password_policy, problems: [] })
    expect(reset).toMatch(/<input id="password-confirm" name="password_confirm" type="password"/)
    expect(render('logout_confirm', { csrf: 'c' })).toMatch(/id="logout-confirm" type="submit"/)
  })

  test('consent reads as D7 and D8 have it', () => {
    const html = render('consent', {
      state: 's',
      csrf: 'c',
      account: { email: 'ada@example.com' },
      redirect_host: 'app.example.com',
      is_third_party: false,
      loopback: false,
      permissions: [{ title: 'Posts', detail: 'read and write your posts', kind: 'api' }],
    })
    expect(html).toMatch(/id="consent-allow" type="submit" name="action" value="accept"/)
    expect(html).toMatch(/id="consent-deny" type="submit" name="action" value="deny"/)
    const text = html.replaceAll(/<[^>]*>/g, '')
    expect(text).toContain('Sample App is requesting access to your Acme account')
    expect(text).toContain('Posts: read and write your posts')
    expect(text).toContain('app.example.com')
  })

  test('a problem leads the title and describes its fields', () => {
    const html = render('login', { ...login, username: 'ada', problem: 'wrong_credentials' })
    expect(html).toContain('<title>Problem: Log in · Acme</title>')
    expect(html).toContain('role="alert"')
    expect(html.match(/aria-invalid="true" aria-describedby="problem-wrong-credentials"/g)).toHaveLength(2)
    expect(html).toContain('Wrong email or password.')
  })

  test('in serve the error page holds the standard error and nothing else of the request', () => {
    const html = render('error', { error: 'invalid_request', error_description: 'No such client', tracking: 'id-1' })
    expect(html).toContain('invalid_request')
    expect(html).toContain('id-1')
    expect(html).not.toContain('explanation')
  })
})

describe('response_mode=web_message (B1.12)', () => {
  const response = { access_token: '</script><!--\u2028', state: '<&>', expires_in: 7200 }

  test('JSON cannot leave the script, and is unchanged for who reads it', () => {
    const html = render('web_message', { response, target_origin: 'https://app.example' })
    expect(html.match(/<\/script>/g)).toHaveLength(1)
    const [, json = ''] = /postMessage\((\{.*\}), "https:\/\/app\.example"\)/.exec(html) ?? []
    expect(json).not.toMatch(/[<>&\u2028]/)
    expect(JSON.parse(json)).toEqual({ type: 'authorization_response', response })
  })

  for (const target_origin of [
    undefined,
    '*',
    '/',
    'https://app.example/',
    'https://app.example/path',
    'null',
    'javascript:x',
    'app.example',
  ]) {
    test(`nothing is posted to ${target_origin}`, () => {
      const html = render('web_message', { response, ...(target_origin === undefined ? {} : { target_origin }) })
      expect(html).not.toMatch(/postMessage|access_token/)
    })
  }

  test('two responses never share anything', () => {
    const first = render('web_message', { response: { state: 'one' }, target_origin: 'https://one.example' })
    const second = render(
      'web_message',
      { response: { state: '$&\uf8f0' }, target_origin: 'https://two.example' },
      {
        nonce: 'BBBBBBBBBBBBBBBBBBBBBB',
        locale: 'ar',
      },
    )
    expect(first).toContain('nonce="AAAAAAAAAAAAAAAAAAAAAA"')
    expect(second).toContain('nonce="BBBBBBBBBBBBBBBBBBBBBB"')
    expect(second).toContain('{"state":"$&'.replace('&', '\\u0026'))
    expect(second).not.toMatch(/one\.example|AAAAA/)
    expect(second).toContain('lang="ar" dir="rtl"')
  })

  test('in dev it says which setting is missing', () => {
    const html = render('web_message', {
      response,
      explanation: { summary: 'Not listed', fix: 'List it', setting: 'web_origins' },
    })
    expect(html).toContain('web_origins')
    expect(html).not.toContain('access_token')
  })
})

describe('an administrator replaces a template', () => {
  function directoryWith(files: Readonly<Record<string, string>>): string {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-pages-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'parts'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    return directory
  }

  test('by a file of its name; every other stays, and output is still escaped', () => {
    const override_dir = directoryWith({
      'logged_out.liquid': `{% layout 'layout' %}{% block content %}<h1>Bye, {{ client.name }}</h1>{{ 'close_window' | t }}{% endblock %}`,
      'parts/mark.liquid': '<i>mark</i>',
    })
    const own = openPages({ override_dir })
    const html = own.render('logged_out', {}, { ...frame, client: { name: '<b>' } })
    expect(html).toContain('<h1>Bye, &lt;b&gt;</h1>You can close this window.')
    expect(html).toContain(stylesheet.path)
    expect(own.render('login', login, frame)).toContain('<i>mark</i>')
    expect(render('logged_out', {})).not.toContain('Bye')
  })

  test('a broken one is refused at once, by name', () => {
    expect(() => openPages({ override_dir: directoryWith({ 'login.liquid': '{% if %}{{ x | nonsense }}' }) })).toThrow(
      /login\.liquid cannot be read/,
    )
    expect(() => openPages({ override_dir: directoryWith({ 'logon.liquid': '' }) })).toThrow(
      /logon\.liquid replaces nothing: the names are .*login/,
    )
  })

  test('a template reads no file outside its directories', () => {
    const override_dir = directoryWith({ 'logged_out.liquid': `{% render '../../../../../../etc/passwd' %}` })
    expect(() => openPages({ override_dir }).render('logged_out', {}, frame)).toThrow()
  })
})

describe('addresses', () => {
  for (const hostile of ['javascript:alert(1)', 'data:text/html,x', 'com.example.app:/cb', 'nonsense', '']) {
    test(`form_post does not go to ${hostile}`, () => {
      expect(() => render('form_post', { action: hostile, fields: {} })).toThrow(RangeError)
    })
  }

  test('a native app may be returned to', () => {
    expect(render('logged_out', { return_url: 'com.example.app:/bye' })).toContain('href="com.example.app:/bye"')
  })
})

describe('mails', () => {
  const model = {
    tenant,
    email: 'ada@example.com',
    name: 'Ada',
    link: 'https://id.example/u/x?ticket=a&b=c',
    lifetime: 86_400,
  }

  for (const name of ['verify_email', 'reset_password', 'blocked_account'] as const) {
    for (const locale of ['en', 'ar']) {
      test(`${name} in ${locale} has a subject, and the link in both forms`, () => {
        const mail = pages.renderMail(name, model, locale)
        expect(mail.subject).toContain('Acme')
        expect(mail.html).toContain('href="https://id.example/u/x?ticket=a&amp;b=c"')
        expect(mail.html).toContain(`lang="${locale}" dir="${locale === 'ar' ? 'rtl' : 'ltr'}"`)
        expect(mail.text).toContain('https://id.example/u/x?ticket=a&b=c\n')
        expect(mail.text).not.toMatch(/<|&amp;/)
      })
    }
  }

  test('a hostile name stays text and starts no header', () => {
    const hostile = { friendly_name: 'A\r\nBcc: all@example.com\r\n\r\n<script>' }
    const mail = pages.renderMail('reset_password', { ...model, tenant: hostile, name: '<img src=x>' }, 'en')
    expect(mail.subject).not.toMatch(/[\r\n]/)
    expect(mail.html).not.toMatch(/<script>|<img src=x>/)
  })

  test('the lifetime is said in the largest fitting unit', () => {
    const text = (lifetime: number) => pages.renderMail('verify_email', { ...model, lifetime }, 'en').text
    expect(text(600)).toContain('10 minutes')
    expect(text(10)).toContain('1 minute,')
    expect(text(7_200)).toContain('2 hours')
    expect(text(432_000)).toContain('5 days')
  })

  test('a link that is no web address is refused', () => {
    expect(() => pages.renderMail('verify_email', { ...model, link: 'javascript:x' }, 'en')).toThrow(RangeError)
  })
})
