/** What an administrator configures, and the version that tells other processes to read again. */
import { describe, expect, test } from 'vitest'
import { type Client, openVault } from '../src/index.ts'
import { atOnce, fresh, kinds, now, secrets, useStore } from './support/stores.ts'

const client: Client = {
  ...{ client_id: 'c1', name: 'One', app_type: 'spa', is_first_party: true, oidc_conformant: true },
  ...{ callbacks: ['https://a/'], web_origins: [], allowed_origins: [], allowed_logout_urls: [] },
  ...{ grant_types: ['implicit'], token_endpoint_auth_method: 'none', client_metadata: { k: 'v' } },
  ...{ jwt_configuration: { lifetime_in_seconds: 36_000, alg: 'RS256' }, id_token_profile_claims: 'always' },
}
const api = {
  ...{ id: 'r1', identifier: 'https://api/', name: 'API', scopes: [{ value: 'read:a', description: 'Read' }] },
  ...{ signing_alg: 'HS256', token_lifetime: 10, token_lifetime_for_web: 5, allow_offline_access: false },
  ...{ skip_consent_for_verifiable_first_party_clients: true, token_dialect: 'access_token', signing_secret: 'shh' },
}
const connection = { id: 'k1', name: 'db', strategy: 'auth0', is_domain_connection: false, options: {} }
const grant = { id: 'g1', client_id: 'c1', audience: 'https://api/', scope: ['read:a'] }

describe.each(kinds)('configuration over %s', (kind) => {
  const opened = useStore(kind)

  test('a tenant nobody configured is empty', async () => {
    const { configuration } = opened.storeOf(fresh())
    expect(await configuration.version()).toBe(0)
    expect(await configuration.read()).toMatchObject({
      ...{ version: 0, settings: {}, clients: [], resource_servers: [], connections: [], client_grants: [] },
    })
    await configuration.ensureTenant(now)
    await configuration.ensureTenant(now)
    expect(await configuration.version()).toBe(1)
  })

  test('what is saved is read, and saved again it is replaced', async () => {
    const { configuration } = opened.storeOf(fresh())
    await configuration.ensureTenant(now)
    const save = async (change: { name?: string; callbacks?: string[] }) => {
      await configuration.saveSettings({ friendly_name: 'T', flags: { a: true } }, now)
      await configuration.saveClient({ ...client, ...change }, now)
      await configuration.saveResourceServer(api, now)
      await configuration.saveConnection(connection, now)
      await configuration.saveClientGrant(grant, now)
    }
    await save({})
    const expected = {
      ...{ version: 1, settings: { friendly_name: 'T', flags: { a: true } }, resource_servers: [api] },
      ...{ clients: [client], connections: [connection], client_grants: [grant] },
    }
    expect(await configuration.read()).toMatchObject(expected)
    await save({ name: 'Two', callbacks: [] })
    expect(await configuration.read()).toMatchObject({
      ...expected,
      clients: [{ ...client, name: 'Two', callbacks: [] }],
    })
  })

  test('tenants do not see each other', async () => {
    const [one, two] = [opened.storeOf(fresh()).configuration, opened.storeOf(fresh()).configuration]
    for (const [configuration, name] of [
      [one, 'One'],
      [two, 'Two'],
    ] as const) {
      await configuration.ensureTenant(now)
      await configuration.saveClient({ ...client, name }, now)
    }
    await two.touch(now)
    expect((await one.read()).clients.map((each) => each.name)).toEqual(['One'])
    expect([await one.version(), await two.version()]).toEqual([1, 2])
  })

  test('identifiers and names are unique in a tenant', async () => {
    const { configuration } = opened.storeOf(fresh())
    await configuration.saveResourceServer(api, now)
    await expect(configuration.saveResourceServer({ ...api, id: 'r2' }, now)).rejects.toThrow(/UNIQUE/)
    await configuration.saveConnection(connection, now)
    await expect(configuration.saveConnection({ ...connection, id: 'k2' }, now)).rejects.toThrow(/UNIQUE/)
    await configuration.saveClientGrant(grant, now)
    await expect(configuration.saveClientGrant({ ...grant, id: 'g2' }, now)).rejects.toThrow(/UNIQUE/)
  })

  test('the version grows by one with every touch, a hundred at once by a hundred', async () => {
    const { configuration } = opened.storeOf(fresh())
    await configuration.ensureTenant(now)
    await atOnce(100, () => configuration.touch(now))
    expect(await configuration.version()).toBe(101)
  })

  test('a change and its version are written together or not at all', async () => {
    const store = opened.storeOf(fresh())
    await store.configuration.ensureTenant(now)
    const failed = store.atomically(async ({ configuration }) => {
      await configuration.saveClient(client, now)
      await configuration.touch(now)
      throw new Error('stop')
    })
    await expect(failed).rejects.toThrow('stop')
    expect(await store.configuration.read()).toMatchObject({ version: 1, clients: [] })
  })

  test('a client secret is known by its keyed hash, also after the server secret is rotated', async () => {
    const tenant = fresh()
    const { configuration } = opened.storeOf(tenant)
    await configuration.saveClient(client, now)
    expect(await configuration.hasClientSecret('c1', '')).toBe(false)
    await configuration.saveClientSecret('c1', 'the secret', now)
    expect(await configuration.hasClientSecret('c1', 'the secret')).toBe(true)
    expect(await configuration.hasClientSecret('c1', 'The secret')).toBe(false)
    expect(await configuration.hasClientSecret('nobody', 'the secret')).toBe(false)
    const rotated = opened.storeOf(tenant, openVault([secrets.other, secrets.current])).configuration
    expect(await rotated.hasClientSecret('c1', 'the secret')).toBe(true)
    await configuration.saveClient({ ...client, name: 'Again' }, now)
    expect(await configuration.hasClientSecret('c1', 'the secret')).toBe(true)
    const rows = JSON.stringify(await opened.db.selectFrom('clients').selectAll().execute())
    expect(rows).not.toContain('the secret')
    expect(JSON.stringify(await configuration.read())).not.toContain('secret_hash')
  })

  test("an API's signing secret is stored sealed, and the wrong server secret says so", async () => {
    const tenant = fresh()
    await opened.storeOf(tenant).configuration.saveResourceServer(api, now)
    const row = await opened.db
      .selectFrom('resource_servers')
      .selectAll()
      .where('tenant', '=', tenant)
      .executeTakeFirst()
    expect(JSON.stringify(row)).not.toContain('shh')
    const wrong = opened.storeOf(tenant, openVault([secrets.other])).configuration
    await expect(wrong.read()).rejects.toThrow(/LATCHKEY_SECRET is not the one this database was written with/)
    const { signing_secret: _, ...open } = { ...api, signing_alg: 'RS256' }
    await opened.storeOf(tenant).configuration.saveResourceServer(open, now)
    expect((await opened.storeOf(tenant).configuration.read()).resource_servers).toEqual([open])
  })
})
