/** How answers reach the client: each response type's parameters, each response mode's form, and every byte on the way. */
import { OAuthError } from '@latchkey/oauth'
import type { SignedIn } from '@latchkey/store'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  decide,
  issue,
  refuse,
  responseTypes,
} from '../src/index.ts'
import { findResponseMode, responseModes } from '../src/response_modes/index.ts'
import { findResponseType } from '../src/response_types/index.ts'
import { api, callback, client, decode, issuer, openWorld, otherIssuer, type World } from './support/world.ts'

/** Any character but NUL: a byte's worth of them as often as all the others. */
const character = fc
  .oneof(
    fc.integer({ min: 1, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code))

let world: World
let signed_in: SignedIn
beforeAll(async () => {
  world = await openWorld({ apis: [api()] })
  signed_in = await world.signIn()
})
afterAll(() => world.close())

const request = (change: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
  ...{ client_id: 'spa', redirect_uri: callback, response_mode: 'fragment', response_type: 'token id_token' },
  ...{
    scope: ['openid', 'read:a'],
    prompt: [],
    audience: 'https://api.example.com/',
    state: 's',
    nonce: 'n',
    ...change,
  },
})

async function answer(change: Partial<AuthorizationRequest> = {}): Promise<AuthorizationResponse> {
  const read = request(change)
  const decision = await decide(world.ctx, read, { signed_in })
  expect(decision.step.kind).toBe('issue')
  return issue(world.ctx, read, decision, signed_in)
}
const sent = (response: AuthorizationResponse): [string, string][] => {
  if (response.kind !== 'redirect') throw new Error(`not a redirect: ${response.kind}`)
  return [...new URLSearchParams(new URL(response.location).hash.slice(1))]
}
const names = (response: AuthorizationResponse) => sent(response).map(([name]) => name)

describe('OAuth 2.0 Multiple Response Type Encoding Practices §3 response types', () => {
  test.each([
    ['token', ['token']],
    ['id_token', ['id_token']],
    ['id_token token', ['token', 'id_token']],
    ['token id_token', ['token', 'id_token']],
    ['  token   id_token ', ['token', 'id_token']],
  ])('%s is %j, in this order', (text, expected) => {
    expect(findResponseType(text)?.map((type) => type.name)).toEqual(expected)
  })

  test.each(['', ' ', 'code none', 'none token', 'token x', 'Token', 'toString', 'constructor'])(
    '%j is not one of ours',
    (text) => expect(findResponseType(text)).toBeUndefined(),
  )

  test('every one on the list is found', () => {
    for (const name of responseTypes) expect(findResponseType(name)).toBeDefined()
  })
})

describe('RFC 6749 §4.2.2 OpenID Connect Core §3.2.2.5 RFC 9207 §2 the parameters of an answer', () => {
  test('both tokens, bound to each other', async () => {
    const response = await answer()
    const parts = ['access_token', 'token_type', 'expires_in', 'id_token', 'session_state']
    expect(names(response)).toEqual([...parts, 'state', 'iss'])
    const { access_token = '', id_token = '', session_state = '', ...rest } = Object.fromEntries(sent(response))
    expect(session_state).toMatch(/^[0-9a-f]{64}\.[\w-]{16}$/)
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: '7200', state: 's', iss: issuer })
    expect(decode(id_token).claims).toMatchObject({ nonce: 'n', at_hash: expect.any(String), aud: 'spa' })
    expect(decode(access_token).claims).toMatchObject({ azp: 'spa' })
  })

  test('an access token alone; an ID token alone; never a refresh token or a code', async () => {
    expect(names(await answer({ response_type: 'token' }))).toEqual([
      'access_token',
      'token_type',
      'expires_in',
      'session_state',
      'state',
      'iss',
    ])
    expect(names(await answer({ response_type: 'id_token' }))).toEqual(['id_token', 'session_state', 'state', 'iss'])
    expect(names(await answer({ scope: ['openid', 'offline_access', 'read:a'] }))).not.toContain('refresh_token')
  })

  test('without state there is none; the issuer is the name that was asked', async () => {
    const { state: _, ...stateless } = request()
    const ctx = { ...world.ctx, issuer: otherIssuer }
    const decision = await decide(ctx, stateless, { signed_in })
    const response = await issue(ctx, stateless, decision, signed_in)
    expect(names(response)).not.toContain('state')
    expect(Object.fromEntries(sent(response)).iss).toBe(otherIssuer)
  })

  test.each<[string, readonly string[], string | undefined]>([
    ['all of it granted', ['openid', 'read:a'], undefined],
    ['in another order', ['read:a', 'openid'], undefined],
    ['some of it unknown', ['openid', 'read:a', 'unknown'], 'openid read:a'],
    ['offline_access asked for', ['openid', 'offline_access'], 'openid'],
    ['none of it granted', ['unknown'], ''],
  ])('RFC 6749 §3.3 scope is told when it differs: %s', async (_, scope, expected) => {
    const response = await answer({ scope, response_type: 'token' })
    expect(new Map(sent(response)).get('scope')).toBe(expected)
  })

  test('an ID token alone says nothing of scopes', async () => {
    expect(names(await answer({ response_type: 'id_token', scope: ['openid', 'unknown'] }))).not.toContain('scope')
  })

  test('auth_time is told where max_age or prompt=login asked for it', async () => {
    const told = async (change: Partial<AuthorizationRequest>, progress: object = {}) => {
      const read = request({ response_type: 'id_token', ...change })
      const decision = await decide(world.ctx, read, { signed_in, ...progress })
      const parameters = Object.fromEntries(sent(await issue(world.ctx, read, decision, signed_in)))
      return decode(parameters.id_token ?? '').claims.auth_time
    }
    expect(await told({})).toBeUndefined()
    expect(await told({ max_age: 1000 })).toBe(signed_in.session.auth_time)
    expect(await told({ prompt: ['login'] }, { authenticated: signed_in.session.session_id })).toBe(
      signed_in.session.auth_time,
    )
  })
})

describe('RFC 6749 §4.2.2.1 a refusal', () => {
  test('goes the way of the answer, with state and issuer, in the alphabet of the specification', async () => {
    const response = await refuse(world.ctx, request(), new OAuthError('access_denied', 'no "way"\n'))
    expect(sent(response)).toEqual([
      ...[
        ['error', 'access_denied'],
        ['error_description', "no 'way'?"],
        ['state', 's'],
        ['iss', issuer],
      ],
    ])
    const form = await refuse(world.ctx, request({ response_mode: 'form_post' }), new OAuthError('server_error', 'x'))
    expect(form).toMatchObject({ kind: 'form_post', action: callback, fields: { error: 'server_error', state: 's' } })
  })
})

describe('response modes', () => {
  const everyByte = String.fromCharCode(...Array.from({ length: 255 }, (_, code) => code + 1))
  const parameters = {
    state: everyByte,
    wide: '🔑\u2028\ufeff\u202e',
    error_description: "a b+c&d=e#f?g%h'",
    empty: '',
  }
  const respond = (mode: string, redirect_uri: string, fields: Readonly<Record<string, string>> = parameters) => {
    const response = findResponseMode(mode)?.respond({ redirect_uri, web_origins: ['https://app.example.com'] }, fields)
    if (response === undefined) throw new Error(`no mode ${mode}`)
    return response
  }
  const locationOf = (response: AuthorizationResponse) => (response.kind === 'redirect' ? response.location : '')
  const targets = [
    ...['https://app.example.com/cb', 'https://app.example.com', 'https://app.example.com/cb?keep=1&x=%20+é'],
    ...[
      'https://app.example.com/cb?',
      'https://app.example.com/cb?a=1&',
      'com.example.app://cb',
      'com.example.app:/cb?x=1',
    ],
    ...['http://127.0.0.1:5000/cb', 'http://[::1]:5000/'],
  ]

  test.each(targets)('RFC 6749 §4.2.2 the fragment of %s holds every byte, in plain ASCII', (target) => {
    const location = locationOf(respond('fragment', target))
    const [before, behind = '', ...more] = location.split('#')
    expect([before, more]).toEqual([target, []])
    expect(behind).toMatch(/^[A-Za-z0-9._~%=&-]+$/)
    expect([...new URLSearchParams(behind)]).toEqual(Object.entries(parameters))
    // As samples of the field read it.
    const byHand = behind.split('&').map((pair) => pair.split('=').map(decodeURIComponent))
    expect(byHand).toEqual(Object.entries(parameters))
  })

  test.each(targets)('RFC 6749 §4.1.2 the query of %s keeps what was there', (target) => {
    const location = locationOf(respond('query', target))
    expect(location.startsWith(target)).toBe(true)
    expect(location).not.toContain('#')
    const query = location.slice(location.indexOf('?') + 1)
    const before = target.includes('?') ? [...new URLSearchParams(target.slice(target.indexOf('?') + 1))] : []
    expect([...new URLSearchParams(query)]).toEqual([...before, ...Object.entries(parameters)])
  })

  test('any text survives any redirecting mode, and cannot begin another header or parameter', () => {
    const text = fc.string({ unit: character })
    fc.assert(
      fc.property(text, text, fc.constantFrom('fragment', 'query'), (state, error_description, mode) => {
        const location = locationOf(respond(mode, 'https://app.example.com/cb?keep=1', { state, error_description }))
        expect(location).toMatch(/^[\x21-\x7e]+$/)
        const uri = new URL(location)
        const read = new URLSearchParams(mode === 'query' ? uri.search : uri.hash.slice(1))
        expect([read.get('state'), read.get('error_description')]).toEqual([state, error_description])
        expect(uri.searchParams.getAll('keep')).toEqual(['1'])
      }),
    )
  })

  test('OAuth 2.0 Form Post Response Mode §2 a form keeps its fields as they are', () => {
    expect(respond('form_post', targets[2] ?? '')).toEqual({
      kind: 'form_post',
      action: targets[2],
      fields: parameters,
    })
  })

  test('web_message goes to the origin of the redirect URI, where the client lists it, and else nowhere', () => {
    const to = (redirect_uri: string, ...web_origins: string[]) => {
      const response = findResponseMode('web_message')?.respond({ redirect_uri, web_origins }, { a: '1' })
      return response?.kind === 'web_message' ? response.target_origin : 'not a message'
    }
    expect(to('https://app.example.com/cb', 'https://app.example.com')).toBe('https://app.example.com')
    expect(to('https://app.example.com:443/cb', 'https://x.example', 'https://app.example.com/')).toBe(
      'https://app.example.com',
    )
    expect(to('https://APP.example.com/cb', 'https://app.example.com')).toBe('https://app.example.com')
    expect(to('https://app.example.com/cb')).toBeUndefined()
    for (const other of [
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://example.com',
      '*',
      'null',
      '',
    ])
      expect([other, to('https://app.example.com/cb', other)]).toEqual([other, undefined])
    expect(to('com.example.app://cb', 'not an origin', 'com.example.app://cb')).toBeUndefined()
    expect(to('https://a.example.com/cb', 'https://*.example.com')).toBeUndefined()
  })

  test('tokens never travel in a query, and no other mode exists', () => {
    expect(responseModes.filter((mode) => !mode.carries_tokens).map((mode) => mode.name)).toEqual([
      'query',
      'query.jwt',
    ])
    for (const name of ['', 'Fragment', 'cookie', 'toString', 'web_message.jwt', 'jwt.jwt'])
      expect(findResponseMode(name)).toBeUndefined()
  })

  test('a client that is gone gets no answer', async () => {
    await expect(
      refuse(world.ctx, request({ client_id: client().name }), new OAuthError('access_denied', 'x')),
    ).rejects.toThrow(/Unknown client/)
  })
})
