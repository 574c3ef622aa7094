/** Tests the options and the request: what is asked, and what is refused before anything is asked. */

import { describe, expect, test } from 'vitest'
import { type ClientOptions, createClient } from '../src/index.ts'
import { openStorage } from './support/storage.ts'

const options: ClientOptions = {
  issuer: 'https://id.example.com/',
  client_id: 'client',
  redirect_uri: 'https://app.example.com/callback',
}

function ask(
  more: Partial<ClientOptions> = {},
  request: Parameters<ReturnType<typeof createClient>['authorize']>[0] = {},
) {
  const storage = openStorage()
  const url = new URL(createClient({ ...options, storage, ...more }).buildAuthorizeUrl(request))
  return { url, parameters: Object.fromEntries(url.searchParams), storage }
}

describe('RFC 6749 §4.2.1 authorization request', () => {
  test('carries what it must', () => {
    const { url, parameters } = ask({ audience: 'https://api.example.com/' })
    expect(url.origin + url.pathname).toBe('https://id.example.com/authorize')
    expect(parameters).toEqual({
      client_id: 'client',
      redirect_uri: 'https://app.example.com/callback',
      response_type: 'id_token token',
      scope: 'openid profile email',
      audience: 'https://api.example.com/',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  test('state and nonce differ from each other and from request to request', () => {
    const seen = [ask(), ask()].flatMap(({ parameters }) => [parameters.state, parameters.nonce])
    expect(new Set(seen).size).toBe(4)
  })

  test('no nonce is sent where no ID token is asked for', () => {
    expect(ask({ response_type: 'token' }).parameters.nonce).toBeUndefined()
  })

  test('the request may add to it', () => {
    const request = { prompt: 'login', max_age: 0, ui_locales: 'ar', login_hint: 'ada@example.com' } as const
    const { parameters } = ask(
      { response_mode: 'fragment' },
      { ...request, authorization_parameters: { acr_values: 'x' } },
    )
    expect(parameters).toMatchObject({ ...request, max_age: '0', acr_values: 'x', response_mode: 'fragment' })
  })

  test('what protects the answer cannot be overridden', () => {
    const evil = { state: 'x', nonce: 'x', client_id: 'x', redirect_uri: 'https://x.example/', response_type: 'code' }
    const { parameters } = ask({ authorization_parameters: evil }, { authorization_parameters: evil })
    for (const [name, value] of Object.entries(evil)) expect(parameters[name]).not.toBe(value)
  })

  test('app_state stays in the browser', () => {
    const { url, storage } = ask({}, { app_state: { page: '/secret-page' } })
    expect(url.href).not.toContain('secret-page')
    expect([...storage.entries.values()].join()).toContain('secret-page')
  })

  test('openid is added where an ID token is asked for, and only there', () => {
    expect(ask({}, { scope: 'read:messages' }).parameters.scope).toBe('openid read:messages')
    expect(ask({ response_type: 'token' }, { scope: 'read:messages' }).parameters.scope).toBe('read:messages')
  })
})

describe('the options', () => {
  for (const [name, more, authorize] of [
    ['a host', { issuer: undefined, domain: 'localhost:8443' }, 'https://localhost:8443/authorize'],
    ['an http URL', { issuer: undefined, domain: 'http://localhost:8400' }, 'http://localhost:8400/authorize'],
    ['an issuer without its slash', { issuer: 'https://id.example.com' }, 'https://id.example.com/authorize'],
    ['an issuer with a path', { issuer: 'https://id.example.com/acme' }, 'https://id.example.com/acme/authorize'],
  ] as const)
    test(`${name} becomes an issuer with a slash at its end`, () => {
      const { url } = ask(more)
      expect(url.origin + url.pathname).toBe(authorize)
    })

  for (const [name, more] of [
    ['no issuer', { issuer: undefined }],
    ['an issuer with a query', { issuer: 'https://id.example.com/?x=1' }],
    ['an issuer with a user', { issuer: 'https://a@id.example.com/' }],
    ['an issuer that is no URL', { issuer: 'https://' }],
    ['no client_id', { client_id: '' }],
    ['a redirect_uri that is no URL', { redirect_uri: '/callback' }],
    ['response_type code', { response_type: 'code' }],
    ['an empty response_type', { response_type: '' }],
    ['an unknown signing algorithm', { id_token_signing_alg: 'HS256' }],
    ['a negative leeway', { leeway: -1 }],
    ['a timeout that is no number', { timeout: Number.NaN }],
  ] as const)
    test(`${name} is invalid_option`, () => {
      // As a program without types would pass it.
      const given = { ...options, ...more } as ClientOptions
      expect(() => createClient(given)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    })

  test('the logout address carries the client and where to go', () => {
    const client = createClient(options)
    expect(client.buildLogoutUrl({ returnTo: 'https://app.example.com/' })).toBe(
      'https://id.example.com/v2/logout?client_id=client&returnTo=https%3A%2F%2Fapp.example.com%2F',
    )
    expect(client.buildLogoutUrl({ federated: true })).toBe(
      'https://id.example.com/v2/logout?client_id=client&federated',
    )
  })
})
