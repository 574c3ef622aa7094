import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { clients, tenant } from '../support/tenant.ts'

const wild = 'WildClient000000000000000000000x'
const querying = 'QueryClient00000000000000000000y'
const ported = 'PortClient000000000000000000000z'
const more = `
clients:
  - { name: Wild, client_id: ${wild}, app_type: spa, callbacks: ['https://*.wild.example.com/callback', 'https://pre-*-post.wild.example.com/callback'] }
  - { name: Querying, client_id: ${querying}, app_type: spa, callbacks: ['https://q.example.com/cb?foo=bar'] }
  - { name: Ported, client_id: ${ported}, app_type: spa, callbacks: ['https://p.example.com:8443/cb', 'http://localhost:3000/cb'] }
`

let latchkey: Latchkey
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(more)
  await signIn(ada, latchkey.issuer)
})
afterAll(() => latchkey.close())

const ask = (client_id: string, redirect_uri: string, response_mode?: string) =>
  silently(ada, latchkey.issuer, { client_id, redirect_uri, response_mode })

/** A client and what differs from its callback `https://app.example.com/callback`, or from its own. */
const refused: Readonly<Record<string, readonly string[]>> = {
  [clients.spa]: [
    // Case, slashes, ports, paths.
    'HTTPS://app.example.com/callback',
    'https://APP.example.com/callback',
    'https://app.example.com/Callback',
    'https://app.example.com/callback/',
    'https://app.example.com//callback',
    'https://app.example.com/',
    'https://app.example.com',
    'https://app.example.com:443/callback',
    'https://app.example.com:80/callback',
    'https://app.example.com:/callback',
    'https://app.example.com./callback',
    'http://app.example.com/callback',
    'https:/app.example.com/callback',
    'https:app.example.com/callback',
    '//app.example.com/callback',
    '/callback',
    'callback',
    'app.example.com/callback',
    'https://app.example.com/callback;x=1',
    'https://app.example.com/callbackx',
    'https://app.example.com/callback/evil',
    'https://app.example.com/callback/../evil',
    'https://app.example.com/x/../callback',
    'https://app.example.com/./callback',
    'https://app.example.com/callback/.',
    'https://app.example.com/%2e%2e/callback',
    'https://app.example.com/x/%2e%2e/callback',
    'https://app.example.com%2Fcallback',
    'https://app.example.com/%63allback',
    'https://app.example.com/callback%2F',
    'https://app.example.com/callback%00',
    'https://app.example.com/callback%20',
    'https://app.example.com/callback ',
    ' https://app.example.com/callback',
    'https://app.example.com/callback\t',
    'https://app.example.com/call\nback',
    '\u0000https://app.example.com/callback',
    '\ufeffhttps://app.example.com/callback',
    // Query and fragment.
    'https://app.example.com/callback?',
    'https://app.example.com/callback?x=1',
    'https://app.example.com/callback?keep=1&x=1',
    'https://app.example.com/callback?keep=2',
    'https://app.example.com/callback?KEEP=1',
    'https://app.example.com/callback#',
    'https://app.example.com/callback#x',
    'https://app.example.com/callback?keep=1#x',
    // Who is the host?
    'https://evil.example/callback',
    'https://app.example.com.evil.example/callback',
    'https://evilapp.example.com/callback',
    'https://app.example.comevil.example/callback',
    'https://example.com/callback',
    'https://sub.app.example.com/callback',
    'https://app.example.com@evil.example/callback',
    'https://app.example.com:443@evil.example/callback',
    'https://app.example.com%40evil.example/callback',
    'https://user@app.example.com/callback',
    'https://user:pass@app.example.com/callback',
    'https://@app.example.com/callback',
    'https://evil.example#@app.example.com/callback',
    'https://evil.example?@app.example.com/callback',
    'https://evil.example/?https://app.example.com/callback',
    'https://evil.example#https://app.example.com/callback',
    'https://evil.example\\@app.example.com/callback',
    'https://app.example.com\\@evil.example/callback',
    'https://app.example.com\\callback',
    'https:\\\\app.example.com\\callback',
    'https://app.example.com\\.evil.example/callback',
    'https:///app.example.com/callback',
    'https://evil.example;app.example.com/callback',
    'https://evil.example,app.example.com/callback',
    'https://app.example.com, https://evil.example/',
    'https://app.example.com/callback https://evil.example/',
    'https://app.example.com/callback,https://app.example.com/other',
    // Letters that look or normalise alike.
    'https://аpp.example.com/callback',
    'https://xn--pp-6kc.example.com/callback',
    'https://app。example.com/callback',
    'https://app．example．com/callback',
    'https://ａｐｐ.example.com/callback',
    'https://app.example.com/callbacк',
    'https://app.examp\u00ADle.com/callback',
    'https://app.example.com／callback',
    'https://app.example.com\u2028/callback',
    // Other schemes.
    'javascript:alert(1)//https://app.example.com/callback',
    'JaVaScRiPt://app.example.com/callback%0Aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'file:///etc/passwd',
    'blob:https://app.example.com/callback',
    'about:blank',
    'ftp://app.example.com/callback',
    'ws://app.example.com/callback',
    'view-source:https://app.example.com/callback',
    'urn:ietf:wg:oauth:2.0:oob',
    'postmessage',
    'null',
    'undefined',
    '*',
    '.',
    '%',
    'https://*/callback',
    'https://*.example.com/callback',
    'https://app.example.com/*',
    // Another client's.
    'http://localhost:3999/callback',
    'https://third.example.net/callback',
    // In the place of this one.
    'https://[::ffff:127.0.0.1]/callback',
    `https://app.example.com/callback${'/'.repeat(3000)}`,
    'http://2130706433/callback',
    'http://0x7f.1/callback',
    'http://0177.0.0.1/callback',
  ],
  [clients.local]: [
    'http://localhost/callback',
    'http://localhost:3998/callback',
    'http://127.0.0.1:3999/callback',
    'http://[::1]:3999/callback',
    'http://localhost.:3999/callback',
    'http://LOCALHOST:3999/callback',
    'https://localhost:3999/callback',
    'http://localhost.evil.example:3999/callback',
    'http://localhost:3999@evil.example/callback',
    'http://2130706433:3999/callback',
    'http://127.1:3999/callback',
  ],
  // Registered: http://127.0.0.1/callback of a native app, any port; and its own scheme.
  [clients.native]: [
    'http://localhost:5000/callback',
    'http://[::1]:5000/callback',
    'http://127.0.0.2:5000/callback',
    'http://127.1:5000/callback',
    'http://2130706433:5000/callback',
    'http://0x7f000001:5000/callback',
    'http://0177.0.0.1:5000/callback',
    'http://[::ffff:7f00:1]:5000/callback',
    'http://0.0.0.0:5000/callback',
    'https://127.0.0.1:5000/callback',
    'HTTP://127.0.0.1:5000/callback',
    'http://127.0.0.1:5000/callback/',
    'http://127.0.0.1:5000/callback?x=1',
    'http://127.0.0.1:5000/callback#x',
    'http://127.0.0.1:5000/other',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:65536/callback',
    'http://127.0.0.1:99999999/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1:5000:80/callback',
    'http://127.0.0.1:50a0/callback',
    'http://127.0.0.1:+80/callback',
    'http://127.0.0.1:５０００/callback',
    'http://127.0.0.1:5000@evil.example/callback',
    'http://127.0.0.1:5000\\@evil.example/callback',
    'http://user@127.0.0.1:5000/callback',
    'http://127.0.0.1.evil.example:5000/callback',
    'http://127.0.0.1:5000.evil.example/callback',
    'http://evil.example:5000/callback',
    'com.example.app://callback/',
    'com.example.app:/callback',
    'com.example.app:callback',
    'com.example.app://callback?x',
    'com.example.app://Callback',
    'COM.EXAMPLE.APP://callback',
    'com.example.app2://callback',
    'com.example.app://evil',
  ],
  [clients.thirdParty]: [
    'https://third.example.net/callback/',
    'https://x.third.example.net/callback',
    'https://third.example.net:443/callback',
  ],
  // Registered: https://*.wild.example.com/callback, one label in the place of the star.
  [wild]: [
    'https://wild.example.com/callback',
    'https://.wild.example.com/callback',
    'https://a.b.wild.example.com/callback',
    'https://a.wild.example.com.evil.example/callback',
    'https://a.wild.example.com:8443/callback',
    'https://a.wild.example.com/callback/',
    'https://a.wild.example.com/other',
    'http://a.wild.example.com/callback',
    'https://evil.example/.wild.example.com/callback',
    'https://evil.example#.wild.example.com/callback',
    'https://evil.example?.wild.example.com/callback',
    'https://evil.example\\.wild.example.com/callback',
    'https://evil.example%2F.wild.example.com/callback',
    'https://evil.example%23.wild.example.com/callback',
    'https://evil@a.wild.example.com/callback',
    'https://a:b@x.wild.example.com/callback',
    'https://evil.example:80#.wild.example.com/callback',
    'https://**.wild.example.com/callback',
    'https://A.wild.example.com/callback',
    'https://ä.wild.example.com/callback',
    'https://a_b.wild.example.com/callback',
    `https://${'a'.repeat(64)}.wild.example.com/callback`,
    'https://a\t.wild.example.com/callback',
    'https://a .wild.example.com/callback',
    'https://a\u0000.wild.example.com/callback',
  ],
  [querying]: [
    'https://q.example.com/cb',
    'https://q.example.com/cb?',
    'https://q.example.com/cb?bar=foo',
    'https://q.example.com/cb?foo=bar&foo=bar',
    'https://q.example.com/cb?foo=bar&',
    'https://q.example.com/cb?&foo=bar',
    'https://q.example.com/cb?foo=%62ar',
    'https://q.example.com/cb?foo=bar#',
  ],
  [ported]: [
    'https://p.example.com/cb',
    'https://p.example.com:443/cb',
    'https://p.example.com:84430/cb',
    'https://p.example.com:08443/cb',
    'https://p.example.com:8443:8443/cb',
    // Any port is for native apps alone.
    'http://localhost:3001/cb',
    'http://localhost/cb',
  ],
}

const accepted: readonly (readonly [client_id: string, redirect_uri: string])[] = [
  [clients.spa, 'https://app.example.com/callback'],
  [clients.spa, 'https://app.example.com/callback?keep=1'],
  [clients.native, 'com.example.app://callback'],
  [clients.native, 'http://127.0.0.1/callback'],
  [clients.native, 'http://127.0.0.1:1/callback'],
  [clients.native, 'http://127.0.0.1:65535/callback'],
  [wild, 'https://a.wild.example.com/callback'],
  [wild, 'https://preview-12.wild.example.com/callback'],
  [wild, 'https://pre-x-post.wild.example.com/callback'],
  [querying, 'https://q.example.com/cb?foo=bar'],
  [ported, 'https://p.example.com:8443/cb'],
  [ported, 'http://localhost:3000/cb'],
]

describe('RFC 6749 §3.1.2.3, RFC 9700 §4.1.3, RFC 8252 §7.3 redirect_uri that is not registered: a page, never a redirect', () => {
  for (const [client_id, list] of Object.entries(refused))
    for (const redirect_uri of list)
      test(`${client_id.replace(/Client.*/, '')}: ${JSON.stringify(redirect_uri).slice(0, 90)}`, async () => {
        const page = await ask(client_id, redirect_uri)
        expect(errorPageOf(page)).toMatchObject({ status: 400, error: 'invalid_request' })
        // Nothing on the page leads there either.
        expect(page.body).not.toMatch(/http-equiv|(?:href|src|action)="(?!\/u\/assets\/|mailto:help)/)
        expect(page.headers.get('set-cookie')).toBeNull()
      })

  for (const response_mode of ['form_post', 'web_message', 'query'])
    test(`whatever the response mode: ${response_mode}`, async () => {
      const page = await ask(clients.spa, 'https://evil.example/callback', response_mode)
      expect(errorPageOf(page).status).toBe(400)
      expect(page.headers.get('content-security-policy')).toContain("form-action 'self'; frame-ancestors 'none'")
    })
})

describe('RFC 6749 §3.1.2.3 redirect_uri that is registered', () => {
  for (const [client_id, redirect_uri] of accepted)
    test(redirect_uri, async () => expect(outcomeOf(await ask(client_id, redirect_uri)).target).toBe(redirect_uri))
})

describe('RFC 6749 §4.2.2.1 the client is judged before anything is sent anywhere', () => {
  for (const [name, client_id] of [
    ['unknown', 'NobodyClient'],
    ['missing', undefined],
    ['empty', ''],
    ['with a space at its end', `${clients.spa} `],
    ['in other letters', clients.spa.toLowerCase()],
    ['the name of a property', 'constructor'],
    ['the name of the prototype', '__proto__'],
    ['markup', '<img src=x onerror=alert(1)>'],
    ['SQL', "' OR 1=1 --"],
  ] as const)
    test(`client_id ${name}: a page`, async () => {
      const page = await silently(ada, latchkey.issuer, { client_id })
      expect(errorPageOf(page)).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(page.body).not.toContain('<img src=x')
    })

  test('a wrong client_id and a wrong redirect_uri and everything else wrong: still a page', async () => {
    const page = await silently(ada, latchkey.issuer, {
      client_id: 'x',
      redirect_uri: 'y',
      response_type: 'z',
      prompt: 'q',
    })
    expect(errorPageOf(page).status).toBe(400)
  })
})
