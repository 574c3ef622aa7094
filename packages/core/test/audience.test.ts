/** Which API a request means and which scopes it can get; the tenant's configuration as requests read it. */
import { OAuthError } from '@latchkey/oauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Context, grantableScopes, resolveAudience } from '../src/index.ts'
import { api, client, connection, openWorld, otherIssuer, type World } from './support/world.ts'

let world: World
let withDefault: Context
beforeAll(async () => {
  world = await openWorld({ apis: [api(), api({ id: 'two', identifier: 'urn:two', scopes: [] })] })
  await world.store.configuration.saveSettings({ default_audience: 'urn:two' }, 0)
  withDefault = await world.reread()
})
afterAll(() => world.close())

describe('contract C1 the audience of a request', () => {
  test('a registered identifier is that API, compared exactly', () => {
    expect(resolveAudience(world.ctx, 'urn:two')).toMatchObject({ api: { id: 'two' }, grant_audience: 'urn:two' })
    expect(resolveAudience(world.ctx, 'https://api.example.com/').api?.id).toBe('api')
    for (const other of [
      'https://api.example.com',
      'https://API.example.com/',
      'urn:two ',
      'urn:tw',
      '__proto__',
      '*',
    ]) {
      expect(() => resolveAudience(world.ctx, other)).toThrow(OAuthError)
      expect(() => resolveAudience(world.ctx, other)).toThrow(/^access_denied: Service not found: /)
    }
  })

  test('without one, or with /userinfo of any of our names, the token serves /userinfo', () => {
    const userinfo = { grant_audience: 'https://login.example.com/userinfo' }
    expect(resolveAudience(world.ctx, undefined)).toEqual(userinfo)
    expect(resolveAudience(world.ctx, 'https://login.example.com/userinfo')).toEqual(userinfo)
    expect(resolveAudience(world.ctx, `${otherIssuer}userinfo`)).toEqual(userinfo)
    expect(resolveAudience({ ...world.ctx, issuer: otherIssuer }, undefined)).toEqual(userinfo)
    expect(() => resolveAudience(world.ctx, 'https://elsewhere.example.com/userinfo')).toThrow(OAuthError)
  })

  test('the default audience of the tenant counts where the request names none', () => {
    expect(resolveAudience(withDefault, undefined).api?.id).toBe('two')
    expect(resolveAudience(withDefault, 'https://api.example.com/').api?.id).toBe('api')
    expect(resolveAudience(withDefault, 'https://login.example.com/userinfo').api).toBeUndefined()
  })

  test('an identifier in an error stays in bounds', () => {
    try {
      resolveAudience(world.ctx, `"${'x'.repeat(5000)}`)
    } catch (error) {
      if (error instanceof OAuthError) expect(error.description).toHaveLength('Service not found: '.length + 300)
    }
    expect.assertions(1)
  })
})

describe('RFC 6749 §3.3 the scopes that can be granted', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'those of OpenID Connect',
      ['openid', 'profile', 'email', 'address', 'phone'],
      ['openid', 'profile', 'email', 'address', 'phone'],
    ],
    ['those of the API, in the order asked for', ['write:a', 'openid', 'read:a'], ['write:a', 'openid', 'read:a']],
    ['no other', ['read:a', 'read:b', 'READ:A', 'admin', '*'], ['read:a']],
    ['no refresh token from the implicit grant', ['openid', 'offline_access'], ['openid']],
    ['no name that every object has', ['toString', 'constructor', '__proto__', 'openid'], ['openid']],
    ['none asked for', [], []],
  ])('%s', (_, asked, granted) => {
    expect(grantableScopes(client(), { api: api(), grant_audience: 'a' }, asked, 'id_token token')).toEqual(granted)
  })

  test('without an API only those of OpenID Connect', () => {
    const granted = grantableScopes(client(), { grant_audience: 'u' }, ['openid', 'read:a', 'email'], 'token')
    expect(granted).toEqual(['openid', 'email'])
  })

  test.each<[string, boolean, string, readonly string[], boolean]>([
    ['a code, an API that allows it', true, 'code id_token', ['refresh_token'], true],
    ['an API that does not', false, 'code', ['refresh_token'], false],
    ['a client that may not refresh', true, 'code', [], false],
    ['no code', true, 'id_token token', ['refresh_token'], false],
  ])(
    'OpenID Connect Core §11 offline_access with %s',
    (_, allow_offline_access, response_type, grant_types, granted) => {
      const audience = { api: api({ allow_offline_access }), grant_audience: 'a' }
      const scope = grantableScopes(client({ grant_types }), audience, ['openid', 'offline_access'], response_type)
      expect(scope.includes('offline_access')).toBe(granted)
    },
  )
})

describe('the configuration in memory', () => {
  test('finds by the exact name, and knows which connections a client may use', async () => {
    const own = await openWorld({
      clients: [client(), client({ client_id: 'two' })],
      connections: [
        connection,
        { ...connection, id: 'c2', name: 'closed', enabled_clients: ['two'] },
        { ...connection, id: 'c3', name: 'nobody', enabled_clients: [] },
      ],
    })
    const { configuration } = own.ctx
    expect(configuration.client('spa')?.client_id).toBe('spa')
    for (const id of ['SPA', '', '__proto__', 'constructor']) expect(configuration.client(id)).toBeUndefined()
    expect(configuration.resourceServer('https://api.example.com/')).toBeDefined()
    expect(configuration.resourceServer('https://api.example.com')).toBeUndefined()
    expect(configuration.connection('db')).toBeDefined()
    const names = (id: string) => configuration.connectionsOf(client({ client_id: id })).map((one) => one.name)
    expect([names('spa'), names('two')]).toEqual([['db'], ['closed', 'db']])
    expect([...configuration.algorithms]).toEqual(['RS256', 'ES256'])
    await own.close()
  })

  test('HS256 is no algorithm that needs a key of the server', async () => {
    const own = await openWorld({ apis: [api({ signing_alg: 'HS256', signing_secret: 'x'.repeat(32) })] })
    expect(own.ctx.configuration.algorithms.has('HS256')).toBe(false)
    await own.close()
  })
})
