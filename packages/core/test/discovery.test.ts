/** The discovery document says what is on; and where a browser may go after logout. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientAuthMethods } from '../src/client_auth/index.ts'
import { deviceCodeGrant } from '../src/device/grant_type.ts'
import { grantTypes, offeredGrantTypes } from '../src/grants/index.ts'
import { type Context, discovery, logoutTarget, responseTypes } from '../src/index.ts'
import { prompts } from '../src/prompts.ts'
import { responseModes } from '../src/response_modes/index.ts'
import { subjectTypes } from '../src/subjects.ts'
import { api, client, codeOf, issuer, openWorld, otherIssuer, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({
    settings: { allowed_logout_urls: ['https://tenant.example.com/bye'] },
    clients: [
      client({
        allowed_logout_urls: ['https://*.example.com/bye', 'https://app.example.com/', 'http://localhost:3000'],
      }),
      client({ client_id: 'none', callbacks: ['https://other.example.com/'] }),
    ],
    apis: [api(), api({ id: 'ed', identifier: 'urn:ed', signing_alg: 'EdDSA' })],
  })
})
afterAll(() => world.close())

describe('OpenID Connect Discovery §3 RFC 8414 §2 the document', () => {
  test('is computed from the lists: what is announced can be used, what can be used is announced', () => {
    const document = discovery(world.ctx, ['en', 'de'])
    expect(document).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}authorize`,
      userinfo_endpoint: `${issuer}userinfo`,
      jwks_uri: `${issuer}.well-known/jwks.json`,
      response_types_supported: responseTypes,
      response_modes_supported: responseModes.map((mode) => mode.name),
      prompt_values_supported: prompts,
      grant_types_supported: offeredGrantTypes(world.ctx),
      token_endpoint_auth_methods_supported: clientAuthMethods(world.ctx),
      subject_types_supported: subjectTypes,
      ui_locales_supported: ['en', 'de'],
      authorization_response_iss_parameter_supported: true,
      ...{
        request_parameter_supported: true,
        request_uri_parameter_supported: true,
        claims_parameter_supported: true,
      },
    })
    expect(document.id_token_signing_alg_values_supported).toEqual(world.ctx.keys.algorithms)
    expect([...world.ctx.keys.algorithms].toSorted()).toEqual(['ES256', 'EdDSA'])
    expect(document.scopes_supported).toContain('offline_access')
    expect(document.claims_supported).toEqual(expect.arrayContaining(['sub', 'at_hash', 'nonce', 'name', 'email']))
    expect(new Set(document.claims_supported as string[]).size).toBe((document.claims_supported as string[]).length)
    // Nothing is null.
    for (const [name, value] of Object.entries(document)) expect([name, value]).not.toEqual([name, null])
  })

  test('a grant that a client must list is told only where one does', async () => {
    const told = (ctx: Context) => discovery(ctx, []).grant_types_supported
    const usual = ['implicit', 'authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant]
    expect(told(world.ctx)).toEqual(usual)
    const all = await openWorld({ clients: [client({ grant_types: grantTypes })] })
    expect(told(all.ctx)).toEqual(['implicit', ...grantTypes])
    await all.close()
  })

  test('what the tenant has switched off is in no list', async () => {
    const off = await openWorld({
      settings: {
        disabled_grant_types: ['implicit', deviceCodeGrant],
        disabled_response_types: ['none'],
        disabled_response_modes: ['web_message'],
        disabled_token_endpoint_auth_methods: ['client_secret_post'],
      },
    })
    const document = discovery(off.ctx, [])
    expect(document.grant_types_supported).toEqual(['authorization_code', 'refresh_token', 'client_credentials'])
    expect(document.response_types_supported).toEqual(['code'])
    expect(document.response_modes_supported).not.toContain('web_message')
    expect(document.token_endpoint_auth_methods_supported).not.toContain('client_secret_post')
    expect(document).not.toHaveProperty('device_authorization_endpoint')
    await off.close()
  })

  test('each of our names has its own', () => {
    const document = discovery({ ...world.ctx, issuer: otherIssuer }, [])
    expect(document.issuer).toBe(otherIssuer)
    expect(document.jwks_uri).toBe(`${otherIssuer}.well-known/jwks.json`)
  })
})

describe('contract B6 where a browser may go after logout', () => {
  const target = (request: { client_id?: string; returnTo?: string }) => logoutTarget(world.ctx, request)

  test.each([
    [{}, undefined],
    [{ client_id: 'spa' }, 'https://app.example.com/'],
    [{ client_id: 'none' }, undefined],
    [{ client_id: 'spa', returnTo: 'https://app.example.com/?x=1' }, 'https://app.example.com/?x=1'],
    [{ client_id: 'spa', returnTo: 'https://a.example.com/bye' }, 'https://a.example.com/bye'],
    [{ client_id: 'spa', returnTo: 'http://localhost:3000' }, 'http://localhost:3000'],
    [{ returnTo: 'https://tenant.example.com/bye#x' }, 'https://tenant.example.com/bye#x'],
  ])('%j leads to %s', (request, expected) => {
    expect(target(request)).toBe(expected)
  })

  test.each([
    [
      'the list of the tenant does not count for a client',
      { client_id: 'none', returnTo: 'https://tenant.example.com/bye' },
    ],
    ['the list of a client does not count without it', { returnTo: 'https://app.example.com/' }],
    ['an unlisted one', { client_id: 'spa', returnTo: 'https://evil.example/' }],
    ['a longer path', { client_id: 'spa', returnTo: 'https://app.example.com/x' }],
    ['a callback is no logout target', { client_id: 'none', returnTo: 'https://other.example.com/' }],
    ['another scheme', { client_id: 'spa', returnTo: 'javascript:alert(1)' }],
    ['a relative one', { client_id: 'spa', returnTo: '//evil.example' }],
    ['an unknown client', { client_id: 'nobody' }],
    ['an empty one', { client_id: 'spa', returnTo: '' }],
  ])('refused: %s', async (_, request) => {
    expect(await codeOf(() => target(request))).toBe('invalid_request')
  })

  test('the developer is told which list counts and what is nearest', () => {
    try {
      target({ client_id: 'spa', returnTo: 'https://app.example.com/x' })
    } catch (error) {
      expect(error).toMatchObject({
        explanation: {
          setting: 'clients[].allowed_logout_urls',
          nearest: { registered: 'https://app.example.com/', differs_at: 'https://app.example.com/'.length },
        },
      })
    }
    expect.assertions(1)
  })
})
