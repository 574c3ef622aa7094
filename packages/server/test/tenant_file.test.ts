import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@latchkey/store'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { formatPlan, TenantChanged } from '../src/tenant_file/index.ts'
import { type Fixture, openFixture, passwords } from './tenant_file_fixture.ts'

const exported = readFileSync(new URL('./tenant_file_export.yaml', import.meta.url), 'utf8')
const keywords = {
  ENVIRONMENT: 'test',
  REPORT_LIFETIME: '1200',
  LOGOUT_URLS: ['https://shop.acme.example/', 'https://acme.example/bye'],
  SMTP_PASSWORD_NOBODY_SET: 'x',
}
let fixture: Fixture
let store: Store

beforeEach(async () => {
  fixture = await openFixture()
  store = fixture.store
  return () => fixture.db.destroy()
})
afterAll(() => passwords.close())

const plan: Fixture['plan'] = (text, more) => fixture.plan(text, more)
const apply: Fixture['apply'] = (text, more) => fixture.apply(text, more)
const problemsOf: Fixture['problems'] = (text, more) => fixture.problems(text, more)

describe('an export of the Deploy CLI', () => {
  test('is loaded whole, in a database on the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-tenant-file-'))
    const onDisk = await openFixture(`sqlite:${join(folder, 'export.sqlite')}`)
    await onDisk.apply(exported, { keywords })
    const { settings, clients, resource_servers, connections, client_grants } = await onDisk.store.configuration.read()
    await onDisk.db.destroy()
    rmSync(folder, { recursive: true })

    expect(settings).toEqual({
      allowed_logout_urls: ['https://acme.example/bye'],
      default_directory: '',
      error_page: { url: 'https://acme.example/oops' },
      enabled_locales: ['en', 'de'],
      flags: { enable_public_signup_user_exists_error: true, use_scope_descriptions_for_consent: true },
      friendly_name: 'Acme test',
      idle_session_lifetime: 12,
      picture_url: 'https://acme.example/acme.png',
      session_cookie: { mode: 'non-persistent' },
      session_lifetime: 24.5,
      support_email: 'support@acme.example',
      support_url: 'https://acme.example/support',
      branding: { logo_url: 'https://acme.example/logo.png', colors: { primary: '#B1002D' } },
    })
    const shop = clients.find(({ name }) => name === 'Acme Shop')
    expect(shop).toMatchObject({
      app_type: 'spa',
      callbacks: ['https://test.shop.acme.example/callback', 'https://*.preview.acme.example/callback'],
      allowed_logout_urls: keywords.LOGOUT_URLS,
      web_origins: ['https://test.shop.acme.example'],
      client_metadata: { team: 'storefront' },
      id_token_profile_claims: 'always',
    })
    expect(shop?.client_id).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(resource_servers.map(({ identifier }) => identifier)).toEqual([
      'https://test.api.acme.example/orders/',
      'urn:acme:reports',
    ])
    expect(resource_servers[0]?.id).toMatch(/^[0-9a-f]{24}$/)
    const [orders, reports] = resource_servers
    expect(orders).toMatchObject({ token_lifetime: 7200, token_lifetime_for_web: 3600 })
    expect(reports).toMatchObject({ signing_alg: 'HS256', token_lifetime: 1200, token_lifetime_for_web: 600 })
    expect(reports?.signing_secret?.length).toBeGreaterThanOrEqual(32)
    expect(orders).not.toHaveProperty('signing_secret')
    const phones = clients.find(({ name }) => name === 'Acme for Phones')
    expect(connections).toEqual([
      expect.objectContaining({
        id: expect.stringMatching(/^con_[A-Za-z0-9]{16}$/),
        name: 'Customers',
        enabled_clients: [shop?.client_id, phones?.client_id].toSorted(),
        options: expect.objectContaining({ passwordPolicy: 'fair', password_complexity_options: { min_length: 10 } }),
      }),
    ])
    expect(client_grants).toEqual([
      {
        id: expect.stringMatching(/^cgr_[A-Za-z0-9]{16}$/),
        client_id: clients.find(({ name }) => name === 'Order Worker')?.client_id,
        audience: 'https://test.api.acme.example/orders/',
        scope: ['read:orders', 'write:orders'],
      },
    ])
  })

  test('names every key that is not supported yet, and none that is', async () => {
    const { ignored, warnings } = await plan(exported, { keywords })
    const keys = ignored.map(({ path }) => path)
    for (const key of ['pages', 'roles', 'emailProvider', 'guardianFactors', 'actions', 'triggers'])
      expect(keys).toContain(key)
    for (const key of [
      'clients[0].cross_origin_auth',
      'clients[0].jwt_configuration.secret_encoded',
      'clients[2].client_secret',
      'databases[0].realms',
      'databases[0].options.customScripts',
      'connections[0]',
      'clientGrants[0]',
      'tenant.flags.universal_login',
      'branding.favicon_url',
      'branding.colors.page_background',
      'resourceServers[0].subject_type_authorization',
    ])
      expect(keys).toContain(key)
    // What is empty, or part of what is ignored already, needs no word.
    for (const key of ['hooks', 'organizations', 'clients[0].client_aliases', 'connections[0].options.email'])
      expect(keys).not.toContain(key)
    expect(ignored.find(({ path }) => path === 'roles')).toMatchObject({ line: lineOf('roles:'), column: 1 })
    const said = warnings.map(({ path }) => path)
    for (const path of [
      'clients[0].callbacks[1]',
      'clients[2]',
      'resourceServers[0].enforce_policies',
      'databases[0].options.mfa',
      'databases[0].options.enabledDatabaseCustomization',
    ])
      expect(said).toContain(path)
  })

  test('applied twice changes nothing the second time', async () => {
    const first = await apply(exported, { keywords })
    expect(first.changes.filter(({ action }) => action === 'create')).toHaveLength(9)
    const version = await store.configuration.version()
    const before = await store.configuration.read()
    fixture.now += 1000
    const second = await apply(exported, { keywords })
    expect(second.changes).toEqual([])
    expect(formatPlan(second)).toContain('Nothing to change.')
    expect(await store.configuration.version()).toBe(version)
    expect(await store.configuration.read()).toEqual(before)
  })

  function lineOf(text: string): number {
    return exported.split('\n').findIndex((line) => line.startsWith(text)) + 1
  }
})

describe('OpenID Connect Registration §2 what a record is without being told', () => {
  test.each([
    ['spa', 'none', ['implicit', 'authorization_code', 'refresh_token']],
    ['native', 'none', ['implicit', 'authorization_code', 'refresh_token']],
    ['regular_web', 'client_secret_post', ['authorization_code', 'refresh_token', 'client_credentials']],
    ['non_interactive', 'client_secret_post', ['client_credentials']],
  ])('a client of type %s', async (app_type, token_endpoint_auth_method, grant_types) => {
    await apply(`clients: [{ name: App, app_type: ${app_type} }]`)
    const { clients } = await store.configuration.read()
    expect(clients).toEqual([
      {
        client_id: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
        name: 'App',
        app_type,
        token_endpoint_auth_method,
        grant_types,
        is_first_party: true,
        oidc_conformant: true,
        callbacks: [],
        web_origins: [],
        allowed_origins: [],
        allowed_logout_urls: [],
        jwt_configuration: { lifetime_in_seconds: 36_000, alg: 'RS256' },
        client_metadata: {},
        id_token_profile_claims: 'always',
      },
    ])
  })

  test('an API', async () => {
    await apply('resourceServers: [{ identifier: "https://api.example/" }]')
    expect((await store.configuration.read()).resource_servers).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{24}$/),
        identifier: 'https://api.example/',
        name: 'https://api.example/',
        scopes: [],
        signing_alg: 'RS256',
        token_lifetime: 86_400,
        token_lifetime_for_web: 7200,
        skip_consent_for_verifiable_first_party_clients: true,
        allow_offline_access: false,
        token_dialect: 'access_token',
      },
    ])
  })

  test('a short lifetime shortens that of browsers', async () => {
    const text = (lifetime: number) => `resourceServers: [{ identifier: api, token_lifetime: ${lifetime} }]`
    await apply(text(600))
    expect((await store.configuration.read()).resource_servers[0]?.token_lifetime_for_web).toBe(600)
    await apply('resourceServers: [{ identifier: api, token_lifetime: 9000, token_lifetime_for_web: 9000 }]')
    await apply(text(300))
    expect((await store.configuration.read()).resource_servers[0]?.token_lifetime_for_web).toBe(300)
  })

  test('a database without enabled_clients serves every client', async () => {
    await apply('databases: [{ name: People }]')
    const [connection] = (await store.configuration.read()).connections
    expect(connection).toEqual({
      id: expect.stringMatching(/^con_[A-Za-z0-9]{16}$/),
      name: 'People',
      strategy: 'auth0',
      is_domain_connection: false,
      options: { brute_force_protection: true },
    })
  })
})

describe('a change', () => {
  test('touches only what the file names, and nothing is deleted', async () => {
    await apply(`
tenant: { friendly_name: One, support_email: help@example.com }
clients:
  - { name: A, app_type: spa, callbacks: ["https://a.example/cb"], description: First }
  - { name: B, app_type: spa }
`)
    const before = await store.configuration.read()
    const { changes } = await apply(`
tenant: { friendly_name: Two }
clients: [{ name: A, callbacks: ["https://a.example/cb", "https://a.example/other"] }]
`)
    const { clients, settings } = await store.configuration.read()
    expect(changes).toMatchObject([
      {
        kind: 'client',
        name: 'A',
        action: 'update',
        fields: [
          {
            name: 'callbacks',
            before: ['https://a.example/cb'],
            after: ['https://a.example/cb', 'https://a.example/other'],
          },
        ],
      },
      { kind: 'tenant', action: 'update', fields: [{ name: 'friendly_name', before: 'One', after: 'Two' }] },
    ])
    expect(clients).toHaveLength(2)
    expect(clients.find(({ name }) => name === 'A')).toEqual({
      ...before.clients.find(({ name }) => name === 'A'),
      callbacks: ['https://a.example/cb', 'https://a.example/other'],
    })
    expect(settings).toEqual({ friendly_name: 'Two', support_email: 'help@example.com' })
  })

  test('raises the version once, so that running servers read again', async () => {
    await apply('clients: [{ name: A, app_type: spa }]')
    const version = await store.configuration.version()
    await apply('clients: [{ name: A, app_type: spa, description: x }, { name: B, app_type: spa }]')
    expect(await store.configuration.version()).toBe(version + 1)
  })

  test('a plan that is not carried out writes nothing', async () => {
    await plan(exported, { keywords })
    expect(await store.configuration.read()).toMatchObject({ version: 0, clients: [], settings: {} })
  })

  test('a plan made for another state of the tenant is refused', async () => {
    const late = await plan('clients: [{ name: A, app_type: spa }]')
    await apply('clients: [{ name: B, app_type: spa }]')
    await expect(late.apply()).rejects.toThrow(TenantChanged)
    expect((await store.configuration.read()).clients.map(({ name }) => name)).toEqual(['B'])
  })

  test('a write that fails in the middle leaves nothing behind', async () => {
    await apply('databases: [{ name: People }]')
    const late = await plan(`
tenant: { friendly_name: Changed }
clients: [{ name: A, app_type: spa }]
users: [{ email: eve@example.com }]
`)
    const taken = {
      user_id: 'auth0|1',
      connection: 'People',
      email: 'eve@example.com',
      email_verified: false,
      profile: {},
    }
    await store.users.create(taken, fixture.now)
    await expect(late.apply()).rejects.toThrow('email')
    expect(await store.configuration.read()).toMatchObject({ clients: [], settings: {} })
  })

  test('a client keeps its id and its secret', async () => {
    const text = (secret: string) =>
      `clients: [{ name: Web, client_id: web-1, client_secret: ${secret}, app_type: regular_web }]`
    const [one, two] = ['a'.repeat(32), 'b'.repeat(32)]
    await apply(text(one))
    expect(await store.configuration.hasClientSecret('web-1', one)).toBe(true)
    expect((await apply(text(one))).changes).toEqual([])
    const { changes } = await apply(text(two))
    expect(changes).toMatchObject([{ name: 'Web', fields: [{ name: 'client_secret' }] }])
    expect(formatPlan({ changes, ignored: [], warnings: [] })).not.toContain(two)
    expect(await store.configuration.hasClientSecret('web-1', one)).toBe(false)
    expect(await store.configuration.hasClientSecret('web-1', two)).toBe(true)
  })

  test('a client with an id may take another name', async () => {
    await apply('clients: [{ name: Old, client_id: app-1, app_type: spa }]')
    await apply('clients: [{ name: New, client_id: app-1 }]')
    expect((await store.configuration.read()).clients).toMatchObject([
      { client_id: 'app-1', name: 'New', app_type: 'spa' },
    ])
  })

  test("an API's secret is made, kept, replaced, and dropped with HS256", async () => {
    const secret = async () => (await store.configuration.read()).resource_servers[0]?.signing_secret
    const text = (fields: string) => `resourceServers: [{ identifier: api, ${fields} }]`
    await apply(text('signing_alg: HS256'))
    const made = await secret()
    expect(made?.length).toBeGreaterThanOrEqual(32)
    expect((await apply(text('signing_alg: HS256'))).changes).toEqual([])
    expect(await secret()).toBe(made)
    const { changes } = await apply(text(`signing_alg: HS256, signing_secret: ${'k'.repeat(32)}`))
    expect(changes).toMatchObject([{ fields: [{ name: 'signing_secret' }] }])
    expect(JSON.stringify(changes)).not.toContain('kkk')
    const { warnings } = await apply(text('signing_alg: ES256'))
    expect(warnings.map(({ path }) => path)).toEqual(['resourceServers[0].signing_alg'])
    expect(await secret()).toBeUndefined()
  })
})

describe('what the reader sees', () => {
  test('the plan in lines', async () => {
    await apply('clients: [{ name: A, client_id: app-a, app_type: spa, callbacks: ["https://a.example/one"] }]')
    const made = await plan(`
clients:
  - name: A
    callbacks: ["https://a.example/two"]
    jwt_configuration: { lifetime_in_seconds: 60 }
    sso_disabled: true
  - { name: B, client_id: app-b, app_type: spa, sso_disabled: true, callbacks: ["http://b.example/"] }
hooks: [{ name: x }]
`)
    expect(formatPlan(made)).toBe(`~ client "A" (app-a)
    callbacks:
      - "https://a.example/one"
      + "https://a.example/two"
    jwt_configuration.lifetime_in_seconds: 36000 → 60
+ client "B" (app-b)

Worth a look:
  tenant.yaml:7:81: clients[1].callbacks[0]: Plain http lets everyone on the way read the answer: use https.

Not supported yet, and ignored:
  clients[].sso_disabled (lines 6, 7)
  hooks (line 8)

1 to create, 1 to update.`)
  })

  test('every problem at once, with its place', async () => {
    const text = `tenant:
  session_lifetime: long
clients:
  - name: "App"
    app_type: spa
    callbacks:
      - javascript:alert(1)
      - app.example/callback
    grant_types: implicit
  - app_type: spa
resourceServers:
  - identifier: api
    token_lifetime: 99999999
databases:
  - name: People
    enabled_clients: [Nobody]
`
    expect(await problemsOf(text)).toEqual([
      'tenant.yaml:2:21: tenant.session_lifetime: This must be a number.',
      'tenant.yaml:9:18: clients[0].grant_types: This must be a list.',
      'tenant.yaml:10:5: clients[1]: name is missing: add it.',
      'tenant.yaml:13:21: resourceServers[0].token_lifetime: This must be 2592000 or less.',
      'tenant.yaml:16:23: databases[0].enabled_clients[0]: There is no client named Nobody: add it to clients, or correct the name.',
    ])
    expect(await problemsOf(text.replace('grant_types: implicit', 'grant_types: [implicit]'))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^tenant.yaml:7:9: clients\[0\]\.callbacks\[0\]: The scheme javascript:/),
        expect.stringMatching(/^tenant.yaml:8:9: clients\[0\]\.callbacks\[1\]: This must be an absolute URL/),
      ]),
    )
  })

  test('a reference to a record with a problem is no second problem', async () => {
    expect(
      await problemsOf(`
clients: [{ name: App, app_type: 5 }]
databases: [{ name: People, enabled_clients: [App] }]
`),
    ).toHaveLength(1)
  })
})

describe('rules', () => {
  const api = 'resourceServers: [{ identifier: api, scopes: [{ value: "read:a" }] }]'
  test.each([
    [
      'a scope of OpenID Connect',
      'resourceServers: [{ identifier: a, scopes: [{ value: email }] }]',
      'scopes[0].value',
    ],
    ['a scope with a space', 'resourceServers: [{ identifier: a, scopes: [{ value: "a b" }] }]', 'scopes[0].value'],
    ['a scope twice', 'resourceServers: [{ identifier: a, scopes: [{ value: a }, { value: a }] }]', 'scopes[1].value'],
    [
      'a web lifetime above the lifetime',
      'resourceServers: [{ identifier: a, token_lifetime: 5, token_lifetime_for_web: 6 }]',
      'token_lifetime_for_web',
    ],
    [
      'a secret without HS256',
      `resourceServers: [{ identifier: a, signing_secret: ${'s'.repeat(32)} }]`,
      'signing_secret',
    ],
    [
      'a short signing secret',
      'resourceServers: [{ identifier: a, signing_alg: HS256, signing_secret: short }]',
      'signing_secret',
    ],
    ['an unknown algorithm', 'resourceServers: [{ identifier: a, signing_alg: none }]', 'signing_alg'],
    ['an API without identifier', 'resourceServers: [{ name: a }]', 'resourceServers[0]'],
    ['an API twice', 'resourceServers: [{ identifier: a }, { identifier: a }]', 'resourceServers[1].identifier'],
    ['two clients of one name', 'clients: [{ name: A }, { name: A }]', 'clients[1].name'],
    ['markup in a name', 'clients: [{ name: "<b>" }]', 'clients[0].name'],
    ['a long description', `clients: [{ name: A, description: ${'x'.repeat(141)} }]`, 'description'],
    ['a short client secret', 'clients: [{ name: A, client_secret: hush }]', 'client_secret'],
    [
      'HS256 of a public client',
      'clients: [{ name: A, app_type: spa, jwt_configuration: { alg: HS256 } }]',
      'jwt_configuration.alg',
    ],
    [
      'client_credentials of a public client',
      'clients: [{ name: A, app_type: spa, grant_types: [client_credentials] }]',
      'grant_types',
    ],
    [
      'a wildcard of a third party',
      'clients: [{ name: A, is_first_party: false, callbacks: ["https://*.a.example/cb"] }]',
      'callbacks[0]',
    ],
    [
      'eleven metadata keys',
      `clients: [{ name: A, client_metadata: { ${Array.from({ length: 11 }, (_, n) => `k${n}: v`).join(', ')} } }]`,
      'client_metadata',
    ],
    [
      'a hundred and one callbacks',
      `clients: [{ name: A, callbacks: [${Array.from({ length: 101 }, (_, n) => `"https://a.example/${n}"`).join(', ')}] }]`,
      'callbacks',
    ],
    ['a number for a name', 'clients: [{ name: 5 }]', 'clients[0].name'],
    ['a mapping for a list', 'clients: { name: A }', 'clients'],
    ['a database with another strategy', 'databases: [{ name: A, strategy: ldap }]', 'strategy'],
    ['an unknown password policy', 'databases: [{ name: A, options: { passwordPolicy: great } }]', 'passwordPolicy'],
    ['a default audience that is not there', 'tenant: { default_audience: nowhere }', 'tenant.default_audience'],
    ['a default directory that is not there', 'tenant: { default_directory: nowhere }', 'tenant.default_directory'],
    ['a colour by name', 'branding: { colors: { primary: red } }', 'branding.colors.primary'],
    ['a grant to nobody', `${api}\nclientGrants: [{ client_id: X, audience: api }]`, 'clientGrants[0].client_id'],
    [
      'a grant for nothing',
      `clients: [{ name: A }]\nclientGrants: [{ client_id: A, audience: no }]`,
      'clientGrants[0].audience',
    ],
    [
      'a grant of an undefined scope',
      `${api}\nclients: [{ name: A }]\nclientGrants: [{ client_id: A, audience: api, scope: ["write:a"] }]`,
      'scope[0]',
    ],
    ['a logo that is script', 'clients: [{ name: A, logo_uri: "data:image/svg+xml,x" }]', 'logo_uri'],
    ['a login page over http', 'clients: [{ name: A, initiate_login_uri: "http://a.example/" }]', 'initiate_login_uri'],
  ])('%s is refused', async (_name, text, path) => {
    const problems = await problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${path}: `)
  })

  test('an idle lifetime above the lifetime is a warning', async () => {
    const { warnings } = await apply('tenant: { session_lifetime: 5, idle_session_lifetime: 6 }')
    expect(warnings.map(({ path }) => path)).toEqual(['tenant.idle_session_lifetime'])
    expect((await plan('tenant: { session_lifetime: 2 }')).warnings).toEqual([])
  })

  test('what an export writes for nothing is nothing', async () => {
    const { ignored, warnings } = await apply(`
tenant: { support_email: "", support_url: "", picture_url: null, default_directory: "" }
clients: [{ name: A, app_type: spa, logo_uri: "", description: "", initiate_login_uri: "", callbacks: null }]
`)
    expect({ ignored, warnings }).toEqual({ ignored: [], warnings: [] })
    const { settings, clients } = await store.configuration.read()
    expect(settings).toEqual({ default_directory: '' })
    expect(clients[0]).toMatchObject({ description: '', callbacks: [] })
    expect(clients[0]).not.toHaveProperty('logo_uri')
    expect(await problemsOf('clients: [{ name: "" }]')).toHaveLength(1)
  })

  test('whose application it is cannot change', async () => {
    await apply('clients: [{ name: A, app_type: spa }]')
    expect(await problemsOf('clients: [{ name: A, is_first_party: false }]')).toHaveLength(1)
  })

  test('a client id and a name that mean two clients', async () => {
    await apply('clients: [{ name: A, client_id: one, app_type: spa }]')
    expect(await problemsOf('clients: [{ name: A, client_id: two }]')).toEqual([
      expect.stringContaining('clients[0].client_id: The client A has the id one'),
    ])
  })
})

describe('RFC 6749 §3.3 the scopes of an API', () => {
  const scope = (value: string) => `resourceServers: [{ identifier: a, scopes: [{ value: ${JSON.stringify(value)} }] }]`

  test.each(['read:messages', 'https://api.example/scope', '!', '~'])('%s is taken', async (value) => {
    expect(await problemsOf(scope(value))).toEqual([])
  })

  test.each(['a b', 'a"b', 'a\\b', 'ä', 'a\tb', '', 'openid', 'profile', 'offline_access'])(
    '%j is refused',
    async (value) => {
      expect(await problemsOf(scope(value))).toHaveLength(1)
    },
  )
})
