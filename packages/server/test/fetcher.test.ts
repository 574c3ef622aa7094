import { createSocket } from 'node:dgram'
import 'reflect-metadata'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { FetchError } from '@latchkey/core'
import { X509CertificateGenerator } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAllowedHost } from '../src/fetch_allow.ts'
import { openFetcher } from '../src/fetcher.ts'
import { isPublicAddress } from '../src/public_address.ts'

let server: Server
let port: number
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end()
let hits = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    hits++
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const now = () => Date.now()
const local = () => openFetcher({ allow: ['127.0.0.1'], now })
const json = { accept: ['application/json'] }

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof FetchError ? error.reason : `not a FetchError: ${String(error)}`
  }
}

function sendJson(text: string, headers: Record<string, string> = {}, status = 200) {
  answer = (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text)
}

describe('RFC 6890 §2.2 special-purpose addresses', () => {
  test.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '127.8.9.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
    ],
    ...['192.0.0.8', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1'],
    ...[
      '64:ff9b:1::1',
      '100::1',
      '2001:db8::1',
      '2001::1',
      '2002:7f00:1::',
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'fec0::1',
    ],
    ...['ff02::1', '4000::1', 'fe80::1%eth0', 'not an address', ''],
  ])('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false))

  test.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  )
})

describe('OWASP SSRF: what is never asked', () => {
  test.each([
    ...[
      'https://127.0.0.1/',
      'https://127.0.0.1:8443/x',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::]/',
    ],
    ...[
      'https://2130706433/',
      'https://0x7f.1/',
      'https://0177.0.0.1/',
      'https://127.1/',
      'https://0/',
      'https://10.0.0.1/',
    ],
    ...[
      'https://169.254.169.254/latest/meta-data/',
      'https://[fe80::1]/',
      'https://[fd00::1]/',
      'https://192.168.0.1/',
    ],
    ...['https://localhost/', 'https://LOCALHOST:8443/', 'https://localhost./', 'https://127.0.0.1./'],
    ...['https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/', 'https://①②⑦.⓪.⓪.①/', 'https://127。0。0。1/'],
    ...['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'data:application/json,{}', 'gopher://x/'],
    ...[
      'https://user@example.com/',
      'https://user:pw@example.com/',
      'https://example.com\\@127.0.0.1/',
      'https://a b/',
    ],
    ...['', 'nonsense', '//example.com/', `https://example.com/${'a'.repeat(2100)}`, 'https://example.com/\r\nx'],
  ])('%s', async (url) => {
    hits = 0
    expect(await reasonOf(openFetcher({ allow: [], now })(url, json))).toBe('refused')
    expect(hits).toBe(0)
  })

  test('http and a private address only where both host and port are listed', async () => {
    sendJson('{}')
    const only = openFetcher({ allow: [`127.0.0.1:${port}`], now })
    expect((await only(`http://127.0.0.1:${port}/`, json)).status).toBe(200)
    expect(await reasonOf(only(`http://127.0.0.1:${port + 1}/`, json))).toBe('refused')
    expect(await reasonOf(only(`http://localhost:${port}/`, json))).toBe('refused')
    const other = openFetcher({ allow: ['other.example', 'localhost:1'], now })
    expect(await reasonOf(other(`http://127.0.0.1:${port}/`, json))).toBe('refused')
  })

  test('a listed name is dialled at its own address', async () => {
    sendJson('{}')
    expect((await openFetcher({ allow: ['localhost'], now })(`http://localhost:${port}/`, json)).status).toBe(200)
  })
})

describe('OWASP SSRF: names', () => {
  const private4 = { address: '10.0.0.1', family: 4 }
  const public4 = { address: '93.184.216.34', family: 4 }
  const at = (addresses: readonly { address: string; family: number }[], allow: readonly string[] = []) => {
    const asked: string[] = []
    const resolve = async (host: string) => {
      asked.push(host)
      return addresses
    }
    return { asked, fetch: openFetcher({ allow, now, resolve }) }
  }

  test.each([
    ['a private address', [private4]],
    ['this machine', [{ address: '127.0.0.1', family: 4 }]],
    ['this machine over IPv6', [{ address: '::1', family: 6 }]],
    ['a mapped address', [{ address: '::ffff:10.0.0.1', family: 6 }]],
    ['the address of a cloud’s metadata', [{ address: '169.254.169.254', family: 4 }]],
    ['a public and a private address', [public4, private4]],
  ])('that stand for %s are refused', async (_name, addresses) => {
    expect(await reasonOf(at(addresses).fetch('https://app.example.com/', json))).toBe('refused')
  })

  test('are looked up once, and that answer is dialled', async () => {
    let host: string | undefined
    answer = (request, response) => {
      host = request.headers.host
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    }
    const { asked, fetch } = at([{ address: '127.0.0.1', family: 4 }], ['app.example.com'])
    expect((await fetch(`http://app.example.com:${port}/`, json)).status).toBe(200)
    expect([asked, host]).toEqual([['app.example.com'], `app.example.com:${port}`])
  })

  test('that strangers make up hold no thread of this machine, however slow their name servers are', async () => {
    const asked = new Set<string>()
    const silent = createSocket('udp4', (message) => void asked.add(message.toString('latin1')))
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve))
    const name_servers = [`127.0.0.1:${silent.address().port}`]
    const fetch = openFetcher({ allow: ['localhost'], now, name_servers })
    const slow = Array.from({ length: 12 }, (_, n) => reasonOf(fetch(`https://slow${n}.example.com/`, json)))
    sendJson('{}')
    const started = performance.now()
    expect((await fetch(`http://localhost:${port}/`, json)).status).toBe(200)
    expect(performance.now() - started).toBeLessThan(1000)
    for (const reason of await Promise.all(slow)) expect(['unreachable', 'timeout']).toContain(reason)
    expect([...asked].filter((message) => message.includes('slow')).length).toBeGreaterThanOrEqual(12)
    silent.close()
  }, 10_000)

  test('that mean nothing are unreachable', async () => {
    expect(await reasonOf(at([]).fetch('https://app.example.com/', json))).toBe('unreachable')
  })
})

describe('RFC 9110 §4.3.4 certificates', () => {
  test('one that nobody vouches for is refused, for a listed host too', async () => {
    const { certificate, key } = await selfSigned()
    const https = createHttpsServer({ cert: certificate, key }, (_request, response) => response.end('{}'))
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
    const bound = https.address()
    const url = `https://localhost:${typeof bound === 'object' ? bound?.port : 0}/`
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    await expect(openFetcher({ allow: ['localhost'], now, resolve })(url, json)).rejects.toThrow(
      /self-signed certificate/,
    )
    https.closeAllConnections()
    https.close()
  })
})

async function selfSigned(): Promise<{ certificate: string; key: string }> {
  const how = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(how, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned({ name: 'CN=localhost', keys, signingAlgorithm: how })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { certificate: made.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----` }
}

describe('OWASP SSRF: what an answer may be', () => {
  test('status, headers and bytes come back', async () => {
    sendJson('{"keys":[]}', { etag: '"1"' })
    const got = await local()(`http://127.0.0.1:${port}/keys#here`, json)
    expect([got.status, got.headers.etag, got.body.toString()]).toEqual([200, '"1"', '{"keys":[]}'])
  })

  test('a redirect is an answer, and is not followed', async () => {
    let asked = ''
    answer = (request, response) => {
      asked += request.url
      response.writeHead(302, { location: '/elsewhere' }).end()
    }
    expect((await local()(`http://127.0.0.1:${port}/first`, json)).status).toBe(302)
    expect(asked).toBe('/first')
  })

  test('another media type, a packed body and too many bytes are refused', async () => {
    const url = `http://127.0.0.1:${port}/`
    sendJson('{}', { 'content-type': 'text/html' })
    expect(await reasonOf(local()(url, json))).toBe('unusable')
    expect((await local()(url, { accept: [] })).status).toBe(200)
    sendJson('{}', { 'content-encoding': 'gzip' })
    expect(await reasonOf(local()(url, json))).toBe('unusable')
    sendJson('a'.repeat(65_537))
    expect(await reasonOf(local()(url, json))).toBe('unusable')
    sendJson('a'.repeat(65_536))
    expect((await local()(url, json)).body.length).toBe(65_536)
  })

  test('an endless answer is cut off', async () => {
    let closed = false
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write('a'.repeat(16_384)), 5)
      response.on('close', () => {
        closed = true
        clearInterval(timer)
      })
    }
    expect(await reasonOf(local()(`http://127.0.0.1:${port}/`, json))).toBe('unusable')
    await expect.poll(() => closed).toBe(true)
  })

  test('a slow answer ends after five seconds, whether its head came or not', async () => {
    const slow = async (begin: boolean) => {
      answer = (_request, response) => {
        if (begin) response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      }
      const started = Date.now()
      const reason = await reasonOf(local()(`http://127.0.0.1:${port}/`, json))
      return { reason, took: Date.now() - started }
    }
    for (const begin of [false, true]) {
      const { reason, took } = await slow(begin)
      expect(reason).toBe('timeout')
      expect(took).toBeGreaterThan(4500)
      expect(took).toBeLessThan(8000)
    }
  })

  test('nobody listening, and a name that does not exist', async () => {
    expect(await reasonOf(openFetcher({ allow: ['127.0.0.1'], now })('http://127.0.0.1:1/', json))).toBe('unreachable')
    expect(await reasonOf(local()('https://no-such-name.invalid/', json))).toMatch(/unreachable|timeout/)
  })

  test('a body is posted', async () => {
    let got = ''
    answer = (request, response) => {
      request.on('data', (chunk) => {
        got += chunk
      })
      request.on('end', () => response.writeHead(204).end(`${request.method}`))
    }
    const sent = await local()(`http://127.0.0.1:${port}/`, {
      accept: [],
      method: 'POST',
      body: 'a=ü',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([sent.status, got]).toEqual([204, 'a=ü'])
  })
})

describe('OWASP SSRF: the brake', () => {
  test('one destination is asked at most 300 times in a minute, another one goes on', async () => {
    let at = 0
    const fetch = openFetcher({ allow: ['127.0.0.1', 'localhost'], now: () => at })
    const url = `http://127.0.0.1:${port}/`
    sendJson('{}')
    for (let batch = 0; batch < 30; batch++) await Promise.all(Array.from({ length: 10 }, () => fetch(url, json)))
    expect(await reasonOf(fetch(url, json))).toBe('busy')
    expect(await reasonOf(fetch(`http://localhost:${port}/`, json))).toBe('none')
    at = 60_001
    expect(await reasonOf(fetch(url, json))).toBe('none')
  })

  test('and at most ten times at once', async () => {
    sendJson('{}')
    const fetch = local()
    const all = await Promise.all(Array.from({ length: 15 }, () => reasonOf(fetch(`http://127.0.0.1:${port}/`, json))))
    expect(all.filter((one) => one === 'none')).toHaveLength(10)
    expect(all.filter((one) => one === 'busy')).toHaveLength(5)
  })
})

describe('the option fetch_allow', () => {
  test.each([
    ['localhost', { hostname: 'localhost', port: '' }],
    ['LOCALHOST:8443', { hostname: 'localhost', port: '8443' }],
    ['suite.example:443', { hostname: 'suite.example', port: '443' }],
    ['[::1]:80', { hostname: '[::1]', port: '80' }],
    ['[::1]', { hostname: '[::1]', port: '' }],
    ['https://localhost', undefined],
    ['a/b', undefined],
    ['a:99999', undefined],
    ['*', undefined],
    ['', undefined],
  ])('%s', (text, expected) => expect(readAllowedHost(text)).toEqual(expected))
})
