/** The comparison of redirect and logout targets: tables of the exceptions and of what only looks like them. */
import { describe, expect, test } from 'vitest'
import {
  differsAt,
  isLoopbackHost,
  isLoopbackUri,
  matchesLogoutUrl,
  matchesRegistered,
  nearest,
  originOf,
  parseUri,
  splitWildcard,
  staysOnDevice,
} from '../src/index.ts'

const exact = { loopback_any_port: false, wildcards: false }
const native = { loopback_any_port: true, wildcards: false }
const wild = { loopback_any_port: false, wildcards: true }

describe('RFC 6749 §3.1.2.3 RFC 9700 §4.1.3 a redirect URI is the registered one, byte for byte', () => {
  const registered = 'https://app.example.com/callback'
  test('itself', () => expect(matchesRegistered(registered, registered, exact)).toBe(true))

  test.each([
    ['a trailing slash', 'https://app.example.com/callback/'],
    ['a query', 'https://app.example.com/callback?x=1'],
    ['an empty query', 'https://app.example.com/callback?'],
    ['a fragment', 'https://app.example.com/callback#x'],
    ['http', 'http://app.example.com/callback'],
    ['the default port', 'https://app.example.com:443/callback'],
    ['another port', 'https://app.example.com:8443/callback'],
    ['upper case host', 'https://APP.example.com/callback'],
    ['upper case scheme', 'HTTPS://app.example.com/callback'],
    ['upper case path', 'https://app.example.com/Callback'],
    ['an escape', 'https://app.example.com/%63allback'],
    ['dot segments', 'https://app.example.com/x/../callback'],
    ['a dot segment behind', 'https://app.example.com/callback/.'],
    ['two slashes', 'https://app.example.com//callback'],
    ['a path parameter', 'https://app.example.com/callback;x'],
    ['a user name', 'https://app.example.com@evil.example/callback'],
    ['a user name before', 'https://evil@app.example.com/callback'],
    ['a longer host', 'https://app.example.com.evil.example/callback'],
    ['a trailing dot', 'https://app.example.com./callback'],
    ['a backslash', 'https://app.example.com\\callback'],
    ['a space behind', 'https://app.example.com/callback '],
    ['a tab within', 'https://app.exam\tple.com/callback'],
    ['a line end', 'https://app.example.com/callback\n'],
    ['a look-alike letter', 'https://аpp.example.com/callback'],
    ['a fullwidth dot', 'https://app．example.com/callback'],
    ['a subdomain', 'https://x.app.example.com/callback'],
    ['a prefix', 'https://app.example.com/callbac'],
    ['nothing', ''],
  ])('not with %s', (_, requested) => {
    for (const rules of [exact, native, wild, { loopback_any_port: true, wildcards: true }])
      expect(matchesRegistered(requested, registered, rules)).toBe(false)
  })

  test('a star is a star where wildcards do not count', () => {
    expect(matchesRegistered('https://a.example.com/cb', 'https://*.example.com/cb', exact)).toBe(false)
    expect(matchesRegistered('https://a.example.com/cb', 'https://*.example.com/cb', native)).toBe(false)
  })
})

describe('RFC 8252 §7.3 loopback redirects take any port', () => {
  test.each([
    ['http://127.0.0.1:51004/cb', 'http://127.0.0.1/cb', true],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:3000/cb', true],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', true],
    ['http://[::1]:61023/cb', 'http://[::1]/cb', true],
    ['http://localhost:3000', 'http://localhost', true],
    ['http://localhost:3000?x=1', 'http://localhost:1?x=1', true],
    ['http://127.0.0.1:51004/cb?x=1', 'http://127.0.0.1/cb?x=1', true],
    ['http://127.0.0.1:51004/cb?x=2', 'http://127.0.0.1/cb?x=1', false],
    ['http://127.0.0.1:51004/cb/', 'http://127.0.0.1/cb', false],
    ['http://127.0.0.1:51004/', 'http://127.0.0.1', false],
    ['http://localhost:51004/cb', 'http://127.0.0.1/cb', false],
    ['http://127.0.0.2:51004/cb', 'http://127.0.0.1/cb', false],
    ['http://127.0.0.2:51004/cb', 'http://127.0.0.2/cb', false],
    ['https://127.0.0.1:51004/cb', 'https://127.0.0.1/cb', false],
    ['https://127.0.0.1:51004/cb', 'http://127.0.0.1/cb', false],
    ['http://example.com:51004/cb', 'http://example.com/cb', false],
    ['http://LOCALHOST:1/cb', 'http://localhost/cb', false],
    ['http://localhost.:1/cb', 'http://localhost/cb', false],
    ['http://localhost.evil.example:1/cb', 'http://localhost/cb', false],
    ['http://localhost:1@evil.example/cb', 'http://localhost/cb', false],
    ['http://u@localhost:1/cb', 'http://localhost/cb', false],
    ['http://localhost:/cb', 'http://localhost/cb', false],
    ['http://localhost:0/cb', 'http://localhost/cb', false],
    ['http://localhost:65536/cb', 'http://localhost/cb', false],
    ['http://localhost:00080/cb', 'http://localhost/cb', true],
    ['http://localhost:000080/cb', 'http://localhost/cb', false],
    ['http://localhost:-1/cb', 'http://localhost/cb', false],
    ['http://localhost:80:80/cb', 'http://localhost/cb', false],
    ['http://localhost:1\\@evil.example/cb', 'http://localhost/cb', false],
    ['http://[::1]evil:1/cb', 'http://[::1]/cb', false],
    ['http://[::1%25lo]:1/cb', 'http://[::1]/cb', false],
    ['http://0x7f000001:1/cb', 'http://127.0.0.1/cb', false],
    ['http://127.1:1/cb', 'http://127.0.0.1/cb', false],
  ])('%s for %s: %s', (requested, registered, expected) => {
    expect(matchesRegistered(requested, registered, native)).toBe(expected)
    if (requested !== registered) expect(matchesRegistered(requested, registered, exact)).toBe(false)
  })
})

describe('a wildcard stands for one label, or a part of it', () => {
  test.each([
    ['https://a.example.com/cb', 'https://*.example.com/cb', true],
    ['https://a-1.example.com/cb', 'https://*.example.com/cb', true],
    ['https://pr-7-app.example.com/cb', 'https://pr-*-app.example.com/cb', true],
    ['https://a.example.com:8443/cb', 'https://*.example.com:8443/cb', true],
    ['https://a.example.com', 'https://*.example.com', true],
    ['https://a.example.com?x', 'https://*.example.com?x', true],
    [`https://${'a'.repeat(63)}.example.com/cb`, 'https://*.example.com/cb', true],
    [`https://${'a'.repeat(64)}.example.com/cb`, 'https://*.example.com/cb', false],
    ['https://.example.com/cb', 'https://*.example.com/cb', false],
    ['https://example.com/cb', 'https://*.example.com/cb', false],
    ['https://a.b.example.com/cb', 'https://*.example.com/cb', false],
    ['https://A.example.com/cb', 'https://*.example.com/cb', false],
    ['https://a_b.example.com/cb', 'https://*.example.com/cb', false],
    ['https://a.example.com/cb?', 'https://*.example.com/cb', false],
    ['https://a.example.com/CB', 'https://*.example.com/cb', false],
    ['http://a.example.com/cb', 'https://*.example.com/cb', false],
    ['https://evil.example/?.example.com/cb', 'https://*.example.com/cb', false],
    ['https://evil.example#.example.com/cb', 'https://*.example.com/cb', false],
    ['https://evil.example/.example.com/cb', 'https://*.example.com/cb', false],
    ['https://evil.example\\.example.com/cb', 'https://*.example.com/cb', false],
    ['https://u@a.example.com/cb', 'https://*.example.com/cb', false],
    ['https://a:1.example.com/cb', 'https://*.example.com/cb', false],
    ['https://a\n.example.com/cb', 'https://*.example.com/cb', false],
    ['https://%61.example.com/cb', 'https://*.example.com/cb', false],
    ['https://*.example.com/cb', 'https://*.example.com/cb', true],
    ['https://a.com/cb', 'https://*.com/cb', false],
    ['https://a.example.com/cb', 'https://*.*.com/cb', false],
    ['https://app.a.example.com/cb', 'https://app.*.example.com/cb', false],
    ['https://app.example.com/x', 'https://app.example.com/*', false],
    ['myapp://a.example.com/cb', 'myapp://*.example.com/cb', false],
    ['https://anything', 'https://*', false],
  ])('%s for %s: %s', (requested, registered, expected) => {
    expect(matchesRegistered(requested, registered, wild)).toBe(expected)
  })

  test.each([
    ['https://*.example.com', true],
    ['http://*.example.com/cb', true],
    ['https://a*b.example.com/', true],
    ['https://*.co.uk', true],
    ['https://*.com', false],
    ['https://*', false],
    ['https://*.com/a.b.c', false],
    ['https://*.com?.b.c', false],
    ['https://*@evil.example.com', false],
    ['https://x@*.example.com', false],
    ['https://*.example.com*', false],
    ['https://a.*.example.com', false],
    ['com.example://*.example.com', false],
    ['*.example.com', false],
    ['https://*.Example.com', false],
  ])('the entry %s counts: %s', (registered, expected) => {
    expect(splitWildcard(registered) !== undefined).toBe(expected)
  })
})

describe('logout targets', () => {
  test.each([
    ['https://app.example.com/bye', 'https://app.example.com/bye', true],
    ['HTTPS://App.Example.com/bye', 'https://app.example.com/bye', true],
    ['https://app.example.com/bye', 'HTTPS://APP.example.com/bye', true],
    ['https://app.example.com/bye?x=1#y', 'https://app.example.com/bye', true],
    ['https://app.example.com/bye', 'https://app.example.com/bye?x=1', true],
    ['https://app.example.com', 'https://app.example.com/', true],
    ['https://app.example.com/', 'https://app.example.com', true],
    ['https://app.example.com?x', 'https://app.example.com', true],
    ['https://app.example.com/Bye', 'https://app.example.com/bye', false],
    ['https://app.example.com/bye/', 'https://app.example.com/bye', false],
    ['https://app.example.com/x/../bye', 'https://app.example.com/bye', false],
    ['https://app.example.com/%62ye', 'https://app.example.com/bye', false],
    ['https://app.example.com:443/bye', 'https://app.example.com/bye', false],
    ['http://app.example.com/bye', 'https://app.example.com/bye', false],
    ['https://app.example.com@evil.example/bye', 'https://app.example.com/bye', false],
    ['https://evil.example/app.example.com/bye', 'https://app.example.com/bye', false],
    ['https://u:p@app.example.com/bye', 'https://app.example.com/bye', false],
    ['https://u:p@app.example.com/bye', 'https://u:p@app.example.com/bye', false],
    ['https://u@app.example.com/bye', 'https://u@app.example.com/bye', false],
    ['https://:p@app.example.com/bye', 'https://:p@app.example.com/bye', false],
    ['https://app.example.com\\bye', 'https://app.example.com/bye', false],
    ['https:app.example.com/bye', 'https://app.example.com/bye', false],
    ['https:///app.example.com/bye', 'https://app.example.com/bye', false],
    ['//app.example.com/bye', 'https://app.example.com/bye', false],
    ['/bye', 'https://app.example.com/bye', false],
    ['javascript:alert(1)', 'https://app.example.com/bye', false],
    ['com.example.app://bye', 'com.example.app://bye', true],
    ['COM.example.app://BYE?x', 'com.example.app://bye', true],
    ['https://a.example.com/bye', 'https://*.example.com/bye', true],
    ['https://A.EXAMPLE.com/bye?x', 'https://*.example.com/bye', true],
    ['https://a.example.com', 'https://*.example.com', true],
    ['https://a.example.com/', 'https://*.example.com', true],
    ['https://a.example.com', 'https://*.example.com/', true],
    ['https://a.example.com/bye', 'https://*.example.com/bye?x=1', true],
    ['https://a.example.com/bye', 'https://*.Example.com/bye', true],
    ['https://a.b.example.com/bye', 'https://*.example.com/bye', false],
    ['https://example.com/bye', 'https://*.example.com/bye', false],
    ['https://evil.example?.example.com/bye', 'https://*.example.com/bye', false],
    ['http://localhost:1/bye', 'http://localhost:2/bye', false],
  ])('%s for %s: %s', (requested, registered, expected) => {
    expect(matchesLogoutUrl(requested, registered)).toBe(expected)
  })
})

describe('RFC 8252 §8.6 who gets the answer is anybody on this device', () => {
  test.each([
    ['http://localhost:3000/cb', true],
    ['http://127.0.0.1/cb', true],
    ['com.example.app:/cb', true],
    ['com.example.app://callback', true],
    ['demo://login.example.com/android/com.example.app/callback', true],
    ['https://app.example.com/cb', false],
    ['https://com.example.app/cb', false],
    ['http://app.example.com/cb', false],
    ['HTTPS://app.example.com/cb', false],
  ])('%s: %s', (text, expected) => {
    expect(staysOnDevice(text)).toBe(expected)
  })
})

describe('reading URIs', () => {
  test.each([
    ['http://localhost/', true],
    ['http://localhost:3000/cb', true],
    ['https://LOCALHOST/', true],
    ['http://app.localhost/', true],
    ['http://127.0.0.1/', true],
    ['http://127.8.9.10/', true],
    ['http://127.1/', true],
    ['http://0x7f.0.0.1/', true],
    ['http://[::1]/', true],
    ['http://[0:0:0:0:0:0:0:1]:80/', true],
    ['http://localhost./', true],
    ['http://[::ffff:127.0.0.1]/', true],
    ['http://128.0.0.1/', false],
    ['http://127.0.0.1.example.com/', false],
    ['http://localhost.example.com/', false],
    ['http://notlocalhost/', false],
    ['https://example.com/?u=http://localhost/', false],
    ['http://user@example.com/', false],
    ['myapp://localhost/', false],
    ['localhost', false],
  ])('%s leads back to this machine: %s', (text, expected) => {
    expect(isLoopbackUri(text)).toBe(expected)
  })

  test('hosts', () => {
    expect(['localhost', '127.0.0.1', '[::1]', 'a.localhost'].map(isLoopbackHost)).toEqual([true, true, true, true])
    expect(['', 'localhost.com', '10.0.0.1', '[::2]'].map(isLoopbackHost)).toEqual([false, false, false, false])
  })

  test.each([
    ['https://app.example.com/callback', 'https://app.example.com'],
    ['https://app.example.com:443/', 'https://app.example.com'],
    ['http://APP.example.com:8080', 'http://app.example.com:8080'],
    ['com.example.app://callback', undefined],
    ['javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['null', undefined],
    ['', undefined],
    ['https://a b/', undefined],
    ['https://a\\b/', undefined],
    ['https://é.example/', undefined],
  ])('the origin of %s is %s', (text, expected) => {
    expect(originOf(text)).toBe(expected)
    if (expected === undefined && text !== '' && text.includes('example.app')) expect(parseUri(text)).toBeDefined()
  })

  test('the nearest registered URI and where it differs', () => {
    const list = ['https://other.example.com/', 'https://app.example.com/callback', 'http://localhost:3000/']
    expect(nearest('https://app.example.com/callback/', list)).toBe(list[1])
    expect(nearest('http://localhost:3001/', list)).toBe(list[2])
    expect(nearest('x', [])).toBeUndefined()
    expect(
      nearest('http://app.example.com/callback', ['http://other.example/', 'https://app.example.com/callback']),
    ).toBe('https://app.example.com/callback')
    expect(differsAt('abc', 'abd')).toBe(2)
    expect(differsAt('abc', 'abc')).toBe(3)
    expect(differsAt('abc', 'abcd')).toBe(3)
    expect(differsAt('', 'x')).toBe(0)
  })
})
