import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { demo, demoAudience, seedTenant } from '../src/dev/seed.ts'
import { settingsBlock } from '../src/dev/settings_block.ts'
import { type Fixture, openFixture, passwords, random } from './tenant_file_fixture.ts'

let fixture: Fixture
let directory: string
beforeEach(async () => {
  fixture = await openFixture()
  directory = join(mkdtempSync(join(tmpdir(), 'latchkey-seed-')), '.latchkey')
})
afterEach(async () => {
  await fixture.db.destroy()
  rmSync(join(directory, '..'), { recursive: true })
})
afterAll(() => passwords.close())

function seed(more: object = {}) {
  const { store } = fixture
  return seedTenant({
    store,
    passwords,
    now: () => fixture.now,
    random,
    issuer: 'http://localhost:8400/',
    app_port: 8401,
    api_port: 8402,
    directory,
    ...more,
  })
}

describe('the development tenant', () => {
  test('has what the demo needs', async () => {
    await seed({ app_port: 9001, api_port: 9002 })
    const { settings, clients, resource_servers } = await fixture.store.configuration.read()
    expect(settings).toMatchObject({
      friendly_name: expect.stringContaining('Latchkey'),
      branding: { logo_url: expect.stringMatching(/^http:\/\/localhost:8400\/u\/assets\/latchkey\.[0-9a-f]+\.svg$/) },
      default_directory: demo.connection,
    })
    expect(clients.map(({ client_id }) => client_id).toSorted()).toEqual(
      [demo.client_id, demo.mobile_client_id, demo.react_client_id, demo.television_client_id].toSorted(),
    )
    for (const { client_id } of clients) expect(client_id).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(clients.find(({ client_id }) => client_id === demo.client_id)).toMatchObject({
      logo_uri: 'http://localhost:8400/dev/demo.svg',
      callbacks: ['http://localhost:9001/callback.html', 'http://localhost:9001/'],
      web_origins: ['http://localhost:9001'],
      allowed_logout_urls: ['http://localhost:9001/', 'http://localhost:9001'],
      grant_types: expect.arrayContaining(['implicit']),
    })
    expect(resource_servers).toMatchObject([{ identifier: demoAudience(9002) }])
    expect(resource_servers[0]?.scopes.map(({ value }) => value).join(' ')).toBe(demo.scope)
  })

  test('keeps its password in a file that only its owner reads', async () => {
    const { email, password } = await seed()
    const user = await fixture.store.users.findByEmail(demo.connection, email)
    expect((await passwords.verify(user?.password_hash, password ?? '')).ok).toBe(true)
    const file = join(directory, 'demo_password')
    expect(readFileSync(file, 'utf8')).toBe(`${password}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await seed()).toEqual({ email, password })
  })

  test('a second start changes nothing', async () => {
    await seed()
    const before = await fixture.store.configuration.read()
    await seed()
    expect(await fixture.store.configuration.read()).toEqual(before)
  })

  test('a password that its owner changed stays, and the old one is no longer shown', async () => {
    await seed()
    const user = await fixture.store.users.findByEmail(demo.connection, demo.email)
    const password_hash = await passwords.hash('my own words')
    await fixture.store.users.update(user?.user_id ?? '', { password_hash }, fixture.now)
    expect((await seed()).password).toBeUndefined()
    const after = await fixture.store.users.findByEmail(demo.connection, demo.email)
    expect(after?.password_hash).toBe(password_hash)
  })

  test('without a directory nothing is written', async () => {
    const { password } = await seed({ directory: undefined })
    expect(password).toMatch(/^Demo[A-Za-z0-9]{12}7$/)
    expect(existsSync(directory)).toBe(false)
  })
})

describe('the settings that are printed', () => {
  const addresses = { http: 'http://localhost:8400/', https: 'https://localhost:8443/', app_port: 8401, api_port: 8402 }

  test('name every SDK, and those that need a flow the server does not have', () => {
    const text = settingsBlock({ ...addresses, response_types: ['id_token', 'token', 'id_token token'] })
    for (const name of ['@latchkey/spa', 'auth0-js', 'auth0-spa-js', 'auth0-react', 'express-oauth2-jwt-bearer'])
      expect(text).toContain(name)
    expect(text.split('\n').filter((line) => line.includes('does not have yet'))).toHaveLength(2)
    expect(text).toContain("domain: 'http://localhost:8400'")
    expect(text).toContain('use localhost:8443 as the domain')
  })

  test('name the issuer for auth0-js over http, and leave it to find the keys', () => {
    const text = settingsBlock({ ...addresses, response_types: [] })
    expect(text).toContain("overrides: { __token_issuer: 'http://localhost:8400/' },")
    expect(text).not.toContain('jwks')
  })

  test('warn of nothing once the code flow is there', () => {
    expect(settingsBlock({ ...addresses, response_types: ['code'] })).not.toContain('yet')
  })

  test('carry the ports that are used', () => {
    const text = settingsBlock({ ...addresses, https: undefined, app_port: 9001, api_port: 9002, response_types: [] })
    expect(text).toContain('http://localhost:9001/callback.html')
    expect(text).toContain("'http://localhost:9002/'")
    expect(text).not.toMatch(/840[12]|https:/)
  })
})
