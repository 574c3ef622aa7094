/** Clients whose id is an address: what they publish is read by the guarded fetcher, kept, and shown by the host that vouches for it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeOf, pkce, requestToken } from '../support/code_flow.ts'
import { authorizeUrl, isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { tenant } from '../support/tenant.ts'
import { startWebApp, type WebApp } from '../support/web_app.ts'

const enabled = (more = '') =>
  tenant.replace(
    'friendly_name: Example',
    `friendly_name: Example\n  client_id_metadata_documents: { enabled: true${more} }`,
  )

let latchkey: Latchkey
let app: WebApp
let number = 0
beforeAll(async () => {
  app = await startWebApp()
  latchkey = await startLatchkey({ tenant: enabled(), options: { fetch_allow: ['localhost'] } })
})
afterEach(() => {
  app.requests.length = 0
})
afterAll(async () => {
  await latchkey.close()
  await app.close()
})

/** Publishes a document at a new address. @returns the client id */
function publish(change: Readonly<Record<string, unknown>> = {}, text?: string): string {
  const path = `/clients/${++number}.json`
  const client_id = `${app.origin}${path}`
  const document = { client_id, client_name: 'Notebook', redirect_uris: ['https://notes.example/callback'], ...change }
  app.files.set(path, text ?? JSON.stringify(document))
  return client_id
}

const request = (client_id: string, redirect_uri = 'https://notes.example/callback') => ({
  ...{ client_id, redirect_uri, response_type: 'code', audience: undefined, scope: 'openid' },
  ...pkce().request,
})
const ask = (client_id: string, redirect_uri?: string) =>
  new Agent().visit(authorizeUrl(latchkey.issuer, request(client_id, redirect_uri)))

describe('OAuth Client ID Metadata Document §3 a client that publishes itself', () => {
  test('signs people in, without having been registered; its host is shown first, then what it calls itself', async () => {
    const client_id = publish()
    const agent = new Agent()
    let page = await agent.visit(authorizeUrl(latchkey.issuer, request(client_id)))
    page = await agent.submit(page, { username: 'ada@example.com', password: 'Correct-Horse-7', action: 'default' })
    expect(isPage(page, '/u/consent')).toBe(true)
    const { host } = new URL(app.origin)
    expect(page.body.indexOf(host)).toBeGreaterThan(0)
    expect(page.body.replaceAll(/<[^>]*>/g, '')).toMatch(
      new RegExp(`${host}[^]*is requesting access[^]*calls itself\\s+Notebook`),
    )
    const { parameters, target } = outcomeOf(await agent.submit(page, { action: 'accept' }))
    expect([target, parameters.code]).toEqual(['https://notes.example/callback', expect.any(String)])
    const exchange = await codeOf(agent, latchkey.issuer, {
      client_id,
      redirect_uri: 'https://notes.example/callback',
      audience: undefined,
      scope: 'openid',
    })
    expect((await requestToken(latchkey.issuer, { ...exchange })).json).toHaveProperty('id_token')
  })

  test('any port of a loopback redirect, by number and by the name localhost', async () => {
    const client_id = publish({
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1:4000/callback', 'https://notes.example/cb'],
    })
    for (const uri of ['http://localhost:51111/callback', 'http://127.0.0.1:52222/callback'])
      expect(isPage(await ask(client_id, uri), '/u/login')).toBe(true)
    for (const uri of ['http://localhost:51111/other', 'https://notes.example:8443/cb', 'http://evil.example/callback'])
      expect((await ask(client_id, uri)).status).toBe(400)
  })

  test('the document is kept, and read again when its time is over', async () => {
    const client_id = publish()
    await ask(client_id)
    await ask(client_id)
    expect(app.requests).toHaveLength(1)
    const { pathname } = new URL(client_id)
    app.files.set(pathname, JSON.stringify({ client_id, redirect_uris: ['https://notes.example/moved'] }))
    latchkey.advance(3601)
    expect((await ask(client_id)).status).toBe(400)
    expect(isPage(await ask(client_id, 'https://notes.example/moved'), '/u/login')).toBe(true)
  })

  test('a document that is gone ends the client at the token endpoint, too', async () => {
    const client_id = publish()
    const exchange = await codeOf(new Agent(), latchkey.issuer, {
      client_id,
      redirect_uri: 'https://notes.example/callback',
      audience: undefined,
      scope: 'openid',
    })
    app.files.delete(new URL(client_id).pathname)
    latchkey.advance(2 * 3600)
    const { status, json } = await requestToken(latchkey.issuer, { ...exchange })
    expect([status, json.error]).toEqual([401, 'invalid_client'])
  })

  test('decision 4 never the implicit grant', async () => {
    const client_id = publish({
      grant_types: ['authorization_code', 'implicit'],
      response_types: ['code', 'id_token token'],
    })
    const answer = await new Agent().request(
      authorizeUrl(latchkey.issuer, { ...request(client_id), response_type: 'id_token token' }),
    )
    expect(outcomeOf(answer).parameters.error).toBe('unauthorized_client')
  })

  test.each<[string, () => string]>([
    ['a document that names another client', () => publish({ client_id: 'https://other.example/client.json' })],
    ['one that names none', () => publish({ client_id: undefined })],
    ['one that is no JSON', () => publish({}, 'hello')],
    ['one that is a list', () => publish({}, '[]')],
    ['one with a secret', () => publish({ client_secret: 'x'.repeat(40) })],
    ['one that would share a secret', () => publish({ token_endpoint_auth_method: 'client_secret_post' })],
    ['one without redirect URIs', () => publish({ redirect_uris: [] })],
    ['one with a script for a redirect URI', () => publish({ redirect_uris: ['javascript:alert(1)'] })],
    ['one that is not there', () => `${app.origin}/nowhere.json`],
    [
      'one in another content type',
      () => {
        const client_id = `${app.origin}/client.html`
        app.files.set('/client.html', JSON.stringify({ client_id, redirect_uris: ['https://notes.example/callback'] }))
        return client_id
      },
    ],
    ['one whose address is not written in its normal form', () => publish().replace('/clients/', '/x/../clients/')],
    ['an address with a fragment', () => `${publish()}#x`],
    ['an address with a user', () => publish().replace('//', '//a:b@')],
    ['an address without a path', () => `${app.origin}/`],
    ['plain http elsewhere', () => 'http://client.example/client.json'],
    ['a private address', () => 'https://10.0.0.1/client.json'],
  ])('%s is refused with a page, and sent nowhere', async (_, address) => {
    const page = await ask(address())
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.location).toBeUndefined()
    expect(page.body).toContain('invalid_client')
  })

  test('is announced, and its pages may call the token endpoint', async () => {
    const document = (await (await fetch(`${latchkey.issuer}.well-known/oauth-authorization-server`)).json()) as object
    expect(document).toMatchObject({ client_id_metadata_document_supported: true })
    await ask(publish({ redirect_uris: ['https://browser.example/callback'] }))
    const preflight = await fetch(`${latchkey.issuer}oauth/token`, {
      method: 'OPTIONS',
      headers: { origin: 'https://browser.example' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://browser.example')
  })

  test('only from hosts that the tenant allows, and not at all unless it is switched on', async () => {
    const { host } = new URL(app.origin)
    const ways: [string, boolean][] = [
      [enabled(`, allowed_hosts: ['other.example', '${host}']`), true],
      [enabled(", allowed_hosts: ['other.example']"), false],
      [enabled(`, denied_hosts: ['${host}']`), false],
      [
        tenant.replace(
          'friendly_name: Example',
          'friendly_name: Example\n  client_id_metadata_documents: { enabled: false }',
        ),
        false,
      ],
    ]
    for (const [file, works] of ways) {
      const one = await startLatchkey({ tenant: file, options: { fetch_allow: ['localhost'] } })
      const page = await new Agent().visit(authorizeUrl(one.issuer, request(publish())))
      expect([isPage(page, '/u/login'), page.status === 200]).toEqual([works, works])
      await one.close()
    }
  })
})
