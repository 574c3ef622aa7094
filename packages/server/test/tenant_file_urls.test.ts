import { describe, expect, test } from 'vitest'
import { callbackVerdict, entryVerdict, linkVerdict, logoutVerdict, originVerdict } from '../src/tenant_file/urls.ts'

const firstParty = { wildcards: true }

describe('RFC 6749 §3.1.2 callback URLs', () => {
  test.each([
    'https://app.example/callback',
    'https://app.example',
    'https://app.example:8443/callback?keep=1',
    'http://localhost:3000/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:9999/',
    'com.example.app:/callback',
    'com.example.app://callback',
    'demo://tenant.example/android/com.example/callback',
  ])('%s is taken', (url) => expect(callbackVerdict(url, firstParty)).toEqual({}))

  test.each([
    'app.example/callback',
    'localhost:3000/callback',
    '/callback',
    '//app.example/callback',
    'https:app.example',
    'https:///callback',
    'https://app.example/callback#done',
    'https://app.example/callback#',
    'https://user:password@app.example/',
    'https://app.example/a b',
    'https://app.example\\@evil.example/',
    'https://äpp.example/',
    'https://app.example/\r\nSet-Cookie:x',
    'javascript:alert(1)',
    'JavaScript://app.example/%0aalert(1)',
    'data:text/html,x',
    'data://x/y',
    'vbscript:x',
    'blob:https://app.example/1',
    'about:blank',
    'file:///etc/passwd',
    'view-source:https://app.example/',
    'ws://app.example/',
    'urn:ietf:wg:oauth:2.0:oob',
    '',
  ])('%j is refused', (url) => expect(callbackVerdict(url, firstParty).problem).toBeDefined())

  test('plain http over a network is a warning', () => {
    const { problem, warning } = callbackVerdict('http://app.example/callback', firstParty)
    expect(problem).toBeUndefined()
    expect(warning).toContain('https')
  })
})

describe('wildcards', () => {
  test.each(['https://*.app.example/cb', 'https://pre-*-post.app.example/cb', 'http://*.app.example:80/'])(
    '%s is a warning for a first party, and refused for a third',
    (url) => {
      expect(callbackVerdict(url, firstParty)).toEqual({ warning: expect.any(String) })
      expect(callbackVerdict(url, { wildcards: false }).problem).toBeDefined()
      expect(logoutVerdict(url, firstParty)).toEqual({ warning: expect.any(String) })
    },
  )

  test.each([
    'https://*.com/cb',
    'https://app.*.example/cb',
    'https://*.*.app.example/cb',
    'https://app.example/*',
    'https://app.example:*/cb',
    'com.example.*://cb',
    '*.app.example',
  ])('%s is refused', (url) => expect(callbackVerdict(url, firstParty).problem).toBeDefined())
})

describe('logout URLs', () => {
  test('may carry what is not compared', () =>
    expect(logoutVerdict('https://app.example/bye?x=1#y', firstParty)).toEqual({}))
  test('need a scheme', () => expect(logoutVerdict('app.example', firstParty).problem).toBeDefined())
})

describe('origins', () => {
  test.each([
    ['https://app.example', 'https://app.example'],
    ['https://app.example/', 'https://app.example'],
    ['https://APP.example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
  ])('%s is kept as %s', (given, value) => expect(originVerdict(given)).toEqual({ value }))

  test.each(['https://app.example/app', 'https://app.example?x', 'https://app.example/#x'])(
    '%s is refused, and the origin named',
    (url) => expect(originVerdict(url).problem).toContain('https://app.example.'),
  )

  test.each(['app.example', 'null', '*', 'com.example.app://x', 'https:app.example', 'file:///'])(
    '%s is refused',
    (url) => expect(originVerdict(url).problem).toBeDefined(),
  )

  test('a wildcard matches nothing, and says so', () =>
    expect(originVerdict('https://*.app.example').warning).toContain('list each origin'))
})

describe('links and login pages', () => {
  test.each([
    'javascript:alert(1)',
    'data:image/svg+xml,x',
    '/logo.png',
    'ftp://a.example/x',
    'https://u:p@a.example/',
  ])('%s is no link', (url) => expect(linkVerdict(url).problem).toBeDefined())
  test('https is', () => expect(linkVerdict('https://a.example/logo.svg?v=2')).toEqual({}))
  test.each(['http://a.example/login', 'https://a.example/login#x', 'app://login', '/login'])(
    '%s is no login page',
    (url) => expect(entryVerdict(url).problem).toBeDefined(),
  )
  test.each(['https://a.example/login', 'http://localhost:3000/login'])('%s is one', (url) =>
    expect(entryVerdict(url)).toEqual({}),
  )
})
