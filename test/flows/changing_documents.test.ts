/** Clients whose id is an address, attacked: by a request that is read twice in two ways, by documents that lie, change, drip or swell. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeOf, pkce, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { tenant } from '../support/tenant.ts'
import { startWebApp, type WebApp } from '../support/web_app.ts'

const withDocuments = (settings: string) =>
  tenant.replace('friendly_name: Example', `friendly_name: Example\n  client_id_metadata_documents: ${settings}`)

const options = { fetch_allow: ['localhost'] }
const redirect_uri = 'https://notes.example/callback'

let latchkey: Latchkey
let app: WebApp
let number = 0
beforeAll(async () => {
  app = await startWebApp()
  latchkey = await startLatchkey({ tenant: withDocuments('{ enabled: true }'), options })
})
afterAll(async () => {
  await latchkey.close()
  await app.close()
})

function publish(change: Readonly<Record<string, unknown>> = {}): string {
  const path = `/clients/${++number}.json`
  rewrite(path, change)
  return `${app.origin}${path}`
}

function rewrite(path: string, change: Readonly<Record<string, unknown>>): void {
  const client_id = `${app.origin}${path}`
  app.files.set(path, JSON.stringify({ client_id, redirect_uris: [redirect_uri], ...change }))
}

const asked = (client_id: string) =>
  ({ client_id, redirect_uri, response_type: 'code', audience: undefined, scope: 'openid' }) as const
const request = (client_id: string, issuer = latchkey.issuer) =>
  authorizeUrl(issuer, { ...asked(client_id), ...pkce().request })
const open = (client_id: string, issuer?: string) => new Agent().visit(request(client_id, issuer))

/** A client that was read once, and has since taken its redirect URI off its list. */
async function changedClient(): Promise<string> {
  const client_id = publish()
  expect(isPage(await open(client_id), '/u/login')).toBe(true)
  rewrite(new URL(client_id).pathname, { redirect_uris: ['https://notes.example/moved'] })
  latchkey.advance(3601)
  return client_id
}

describe('rule 3 the document is read for every request that names it, however the request is written', () => {
  test.each<[string, (query: string) => string]>([
    ['as usual', (query) => query],
    ['with an encoded name', (query) => query.replace('client_id=', 'client%5Fid=')],
    ['with every letter of the name encoded', (query) => query.replace('client_id=', '%63%6C%69%65%6E%74%5F%69%64=')],
    ['with an encoded value', (query) => query.replace('client_id=http', 'client_id=%68%74%74%70')],
    ['behind a question mark', (query) => `x=?&${query}`],
    ['before a question mark', (query) => `${query}&x=?`],
    ['before something that looks like it', (query) => `${query}&x=%3Fclient_id=https://other.example/x`],
    ['behind another question mark', (query) => `?${query}`],
  ])('%s', async (_, write) => {
    const client_id = await changedClient()
    const url = new URL(request(client_id))
    const text = write(url.search.slice(1))
    const got = await new Agent().visit(`${latchkey.issuer}authorize?${text}`)
    expect(isPage(got, '/u/login')).toBe(false)
    const again = await changedClient()
    const body = write(new URL(request(again)).search.slice(1))
    const posted = await new Agent().request(`${latchkey.issuer}authorize`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([posted.status, posted.location]).toEqual([400, undefined])
  })

  test('at the token endpoint as well: a client that now has to prove itself has to', async () => {
    const ways: ((form: string) => string)[] = [
      (form) => form,
      (form) => `${form}&x=?`,
      (form) => form.replace('client_id=', '%63lient_id='),
      (form) => form.replace('client_id=http', 'client_id=%68ttp'),
    ]
    for (const write of ways) {
      const client_id = publish()
      const exchange = await codeOf(new Agent(), latchkey.issuer, asked(client_id))
      rewrite(new URL(client_id).pathname, {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: `${app.origin}/keys.json`,
      })
      latchkey.advance(301)
      const response = await fetch(`${latchkey.issuer}oauth/token`, {
        method: 'POST',
        body: write(new URLSearchParams({ ...exchange }).toString()),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect([response.status, await response.json()]).toEqual([
        401,
        expect.objectContaining({ error: 'invalid_client' }),
      ])
    }
  })

  test('whatever is sent, looking for a name takes no time', async () => {
    for (const part of ['%', '&%', '%=', '&', 'client_id=', '%&', '=', 'a%25']) {
      const started = performance.now()
      const body = part.repeat(Math.floor(60_000 / part.length))
      await fetch(`${latchkey.issuer}oauth/token`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect(performance.now() - started).toBeLessThan(500)
    }
  })

  test('the name of an assertion is a name: its document is read, not remembered', async () => {
    const client_id = publish()
    expect(isPage(await open(client_id), '/u/login')).toBe(true)
    app.files.delete(new URL(client_id).pathname)
    latchkey.advance(2 * 3600)
    const before = app.requests.length
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const client_assertion = `${part({ alg: 'ES256' })}.${part({ iss: client_id, sub: client_id })}.${part({ x: 1 })}`
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = { grant_type: 'client_credentials', client_assertion, client_assertion_type }
    const { status } = await requestToken(latchkey.issuer, form)
    expect([status, app.requests.length - before]).toEqual([401, 1])
  })
})

describe('rule 18 switching the documents off switches the clients off', () => {
  test('those that were read before as well, and their origins', async () => {
    const own = await startLatchkey({ tenant: withDocuments('{ enabled: true }'), options })
    const client_id = publish({ redirect_uris: [redirect_uri, 'https://pages.example/callback'] })
    const agent = new Agent()
    const exchange = await codeOf(agent, own.issuer, asked(client_id))
    await own.apply(withDocuments('{ enabled: false }'))
    expect((await open(client_id, own.issuer)).status).toBe(400)
    expect((await requestToken(own.issuer, { ...exchange })).json.error).toBe('invalid_client')
    const preflight = await fetch(`${own.issuer}oauth/token`, {
      method: 'OPTIONS',
      headers: { origin: 'https://pages.example' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
    await own.close()
  })
})

describe('rule 17 a document that misbehaves', () => {
  let bad: Server
  let origin: string
  let asks = 0
  beforeAll(async () => {
    bad = createServer((request, response) => {
      asks++
      const path = request.url ?? ''
      const client_id = `${origin}${path}`
      const text = JSON.stringify({ client_id, redirect_uris: [redirect_uri] })
      if (path.startsWith('/moved')) {
        response.writeHead(302, { location: `${origin}/good.json` }).end(text)
        return
      }
      response.setHeader('content-type', 'application/json')
      if (path.startsWith('/big')) response.end(`${text.slice(0, -1)},"x":"${'x'.repeat(10_485_760)}"}`)
      else if (path.startsWith('/liar')) {
        // Says that it is small, and is packed: a few bytes that would unpack to many.
        response.setHeader('content-encoding', 'gzip')
        response.end(text)
      } else if (path.startsWith('/slow')) {
        response.write('{')
        const drip = setInterval(() => response.write(' '), 300)
        response.on('close', () => clearInterval(drip))
      } else response.end(text)
    })
    await new Promise<void>((resolve) => bad.listen(0, 'localhost', resolve))
    origin = `http://localhost:${(bad.address() as AddressInfo).port}`
  })
  afterAll(() => {
    bad.closeAllConnections()
    bad.close()
  })

  test.each(['/moved.json', '/big.json', '/liar.json'])('%s is refused, and not followed', async (path) => {
    const page = await open(`${origin}${path}`)
    expect([page.status >= 400, page.location]).toEqual([true, undefined])
    expect(page.body).toContain('invalid_client')
  })

  test('one that drips is given up after five seconds, by all who wait for it together', async () => {
    const started = Date.now()
    const before = asks
    const pages = await Promise.all(Array.from({ length: 20 }, () => open(`${origin}/slow.json`)))
    expect(pages.every(({ status }) => status >= 400)).toBe(true)
    expect(Date.now() - started).toBeLessThan(9000)
    expect(asks - before).toBe(1)
  }, 15_000)

  test('other origins of the same document count as other clients', async () => {
    const client_id = `${origin}/good.json`
    const exchange = await codeOf(new Agent(), latchkey.issuer, asked(client_id))
    const other = publish()
    await open(other)
    const { json } = await requestToken(latchkey.issuer, { ...exchange, client_id: other })
    expect(json.error).toBe('invalid_grant')
    expect((await requestToken(latchkey.issuer, { ...exchange })).status).toBe(200)
  })
})

describe('rule 20 strangers cannot make the server fetch without end', () => {
  test('one network address names so many unknown documents in a minute, and known ones go on', async () => {
    const own = await startLatchkey({
      tenant: withDocuments('{ enabled: true }'),
      development: false,
      options: { ...options, signups_per_address: '5' },
    })
    const known = publish()
    expect(isPage(await open(known, own.issuer), '/u/login')).toBe(true)
    app.requests.length = 0
    const answers: number[] = []
    for (let count = 0; count < 12; count++)
      answers.push((await open(`${app.origin}/no/${count}.json`, own.issuer)).status)
    expect(answers.at(-1)).toBe(429)
    expect(app.requests.length).toBeLessThanOrEqual(5)
    expect(isPage(await open(known, own.issuer), '/u/login')).toBe(true)
    await own.close()
  })
})
