/** Reading an authorization request: who asks and where answers go, then everything else, one change at a time. */
import { OAuthError, readParameters } from '@latchkey/oauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDestination, readRequest } from '../src/index.ts'
import { issueIdToken } from '../src/tokens/id_token.ts'
import { api, callback, client, codeOf, connection, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({
    clients: [
      client({ callbacks: [callback, 'https://app.example.com/other'] }),
      client({ client_id: 'one' }),
      client({ client_id: 'wild', callbacks: ['https://*.example.com/cb'] }),
      client({ client_id: 'third', is_first_party: false, callbacks: ['https://*.example.com/cb'] }),
      client({ client_id: 'native', app_type: 'native', callbacks: ['http://127.0.0.1/cb', 'com.example.app://cb'] }),
      client({ client_id: 'none', callbacks: [] }),
      client({ client_id: 'code', grant_types: ['authorization_code'] }),
    ],
    connections: [connection, { ...connection, id: 'c2', name: 'closed', enabled_clients: ['one'] }],
    apis: [api()],
  })
})
afterAll(() => world.close())

type Change = Readonly<Record<string, string | undefined>>
const valid = {
  ...{ client_id: 'spa', redirect_uri: callback, response_type: 'id_token token', scope: 'openid read:a' },
  ...{ state: 's', nonce: 'n' },
}

function parameters(change: Change) {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...valid, ...change })) if (value !== undefined) query.set(name, value)
  return readParameters(query.toString())
}
const destination = (change: Change = {}) => readDestination(world.ctx, parameters(change))
const read = (change: Change = {}) => readRequest(world.ctx, destination(change), parameters(change))
const told = (change: Change) => codeOf(() => read(change))

describe('RFC 6749 §4.2.2.1 RFC 6749 §3.1.2.3 until the client and the redirect URI are trusted, no answer goes anywhere', () => {
  test.each<[string, Change]>([
    ['no client', { client_id: undefined }],
    ['an unknown client', { client_id: 'nobody' }],
    ['a client in other letters', { client_id: 'SPA' }],
    ['another redirect URI', { redirect_uri: 'https://evil.example/' }],
    ['a longer redirect URI', { redirect_uri: `${callback}/x` }],
    ['one of another client', { redirect_uri: 'com.example.app://cb' }],
    ['none, where there are two', { redirect_uri: undefined }],
    ['none, where there is a wildcard', { client_id: 'wild', redirect_uri: undefined }],
    ['none, where there are none', { client_id: 'none', redirect_uri: undefined }],
    ['any, where there are none', { client_id: 'none' }],
    ['a wildcard of a third-party client', { client_id: 'third', redirect_uri: 'https://a.example.com/cb' }],
    ['a port on loopback for a client that is not native', { client_id: 'one', redirect_uri: 'http://127.0.0.1:1/cb' }],
  ])('%s', (_, change) => {
    expect(() => destination(change)).toThrow(OAuthError)
    expect(() => destination(change)).toThrow(/^invalid_request: /)
  })

  test.each<[string, Change, string]>([
    ['a registered one', {}, callback],
    ['the only one there is', { client_id: 'one', redirect_uri: undefined }, callback],
    ['a wildcard', { client_id: 'wild', redirect_uri: 'https://a.example.com/cb' }, 'https://a.example.com/cb'],
    ['any port', { client_id: 'native', redirect_uri: 'http://127.0.0.1:5/cb' }, 'http://127.0.0.1:5/cb'],
    ['a scheme of its own', { client_id: 'native', redirect_uri: 'com.example.app://cb' }, 'com.example.app://cb'],
  ])('%s is where the answer goes', (_, change, redirect_uri) => {
    expect(destination(change).redirect_uri).toBe(redirect_uri)
  })

  test('the developer is told which registered URI is nearest, and where it differs', () => {
    try {
      destination({ redirect_uri: `${callback}/` })
    } catch (error) {
      expect(error).toMatchObject({
        explanation: {
          setting: 'clients[].callbacks',
          nearest: { registered: callback, requested: `${callback}/`, differs_at: callback.length },
        },
      })
    }
    expect.assertions(1)
  })

  test.each<[string, Change, string]>([
    ['tokens go into the fragment', {}, 'fragment'],
    ['also where nothing is known of them', { response_type: 'token device' }, 'fragment'],
    ['a code into the query', { response_type: 'code' }, 'query'],
    ['no response type at all', { response_type: undefined }, 'query'],
    ['the mode asked for', { response_mode: 'form_post' }, 'form_post'],
    ['web_message', { response_mode: 'web_message' }, 'web_message'],
    ['never tokens into the query', { response_mode: 'query' }, 'fragment'],
    ['an unknown mode', { response_mode: 'cookie' }, 'fragment'],
    ['query for a code', { response_type: 'code', response_mode: 'query' }, 'query'],
  ])('where even a refusal goes: %s', (_, change, response_mode) => {
    expect(destination(change)).toMatchObject({ response_mode })
  })
})

describe('OpenID Connect Core §3.2.2.1 the rest of the request', () => {
  test('a good one is read as it was sent', async () => {
    expect(
      await read({ audience: 'https://api.example.com/', max_age: '0', prompt: 'login consent', login_hint: 'a' }),
    ).toEqual({
      ...{ client_id: 'spa', redirect_uri: callback, response_mode: 'fragment', state: 's', nonce: 'n', max_age: 0 },
      ...{ response_type: 'token id_token', scope: ['openid', 'read:a'], prompt: ['login', 'consent'] },
      ...{ audience: 'https://api.example.com/', login_hint: 'a' },
    })
  })

  test('what was not sent is absent', async () => {
    const request = await read({ response_type: 'token', scope: undefined, state: undefined, nonce: undefined })
    expect(Object.keys(request).toSorted()).toEqual([
      'client_id',
      'prompt',
      'redirect_uri',
      'response_mode',
      'response_type',
      'scope',
    ])
    expect(request.scope).toEqual([])
    expect(JSON.parse(JSON.stringify(request))).toEqual(request)
  })

  test.each<[string, Change, string]>([
    ['as it is', {}, 'none'],
    ['the words the other way round', { response_type: 'token id_token' }, 'none'],
    ['token alone needs no nonce', { response_type: 'token', nonce: undefined }, 'none'],
    ['token alone needs no openid', { response_type: 'token', scope: 'read:a' }, 'none'],
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['a code of a client without the grant', { response_type: 'code' }, 'unauthorized_client'],
    ['a hybrid of a client without the grant', { response_type: 'code id_token' }, 'unauthorized_client'],
    ['a word twice is once', { response_type: 'token token' }, 'none'],
    ['a word more', { response_type: 'id_token token x' }, 'unsupported_response_type'],
    ['other letters', { response_type: 'Token' }, 'unsupported_response_type'],
    ['a comma', { response_type: 'token,id_token' }, 'unsupported_response_type'],
    ['a client without the grant', { client_id: 'code' }, 'unauthorized_client'],
    ['tokens in the query', { response_mode: 'query' }, 'invalid_request'],
    ['an unknown mode', { response_mode: 'cookie' }, 'invalid_request'],
    ['form_post', { response_mode: 'form_post' }, 'none'],
    ['web_message', { response_mode: 'web_message' }, 'none'],
    ['id_token without nonce', { nonce: undefined }, 'invalid_request'],
    ['id_token with an empty nonce', { nonce: '' }, 'invalid_request'],
    ['id_token without openid', { scope: 'read:a' }, 'invalid_request'],
    ['id_token without a scope', { scope: undefined }, 'invalid_request'],
    ['a scope with a quote', { scope: 'openid "a"' }, 'invalid_scope'],
    ['a scope with a line end', { scope: 'openid\nread:a' }, 'invalid_scope'],
    ['a scope that no API has', { scope: 'openid unheard:of' }, 'none'],
    ['an unknown prompt', { prompt: 'creates' }, 'invalid_request'],
    ['none and another', { prompt: 'none login' }, 'invalid_request'],
    ['none twice', { prompt: 'none none' }, 'none'],
    ['three prompts', { prompt: 'login consent select_account' }, 'none'],
    ['a negative age', { max_age: '-1' }, 'invalid_request'],
    ['an age in words', { max_age: 'old' }, 'invalid_request'],
    ['a fraction', { max_age: '1.5' }, 'invalid_request'],
    ['an exponent', { max_age: '1e3' }, 'invalid_request'],
    ['a space', { max_age: ' 1' }, 'invalid_request'],
    ['ten digits', { max_age: '9999999999' }, 'none'],
    ['eleven', { max_age: '99999999999' }, 'invalid_request'],
    ['an unknown API', { audience: 'urn:nobody' }, 'access_denied'],
    ['an unknown connection', { connection: 'nobody' }, 'invalid_request'],
    ['a connection of other clients', { connection: 'closed' }, 'invalid_request'],
    ['a connection', { connection: 'db' }, 'none'],
    ['a registration', { registration: '{}' }, 'registration_not_supported'],
    ['a state of 8192', { state: 'x'.repeat(8192) }, 'none'],
    ['a longer state', { state: 'x'.repeat(8193) }, 'invalid_request'],
    ['a longer nonce', { nonce: 'x'.repeat(8193) }, 'invalid_request'],
    ['a hint that is none', { id_token_hint: 'x.y.z' }, 'invalid_request'],
    ['parameters that nobody knows', { auth0Client: 'e30=', device: 'x', owp: 'true', _csrf: 'y' }, 'none'],
  ])('%s', async (_, change, code) => {
    expect(await told(change)).toBe(code)
  })

  test('every description fits the wire', async () => {
    for (const change of [
      { response_type: '"\\\u00e9\n' },
      { response_mode: '"\n' },
      { audience: '"\u202e' },
      { prompt: '"' },
    ]) {
      const error = await read(change).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OAuthError)
      if (error instanceof OAuthError) expect(error.description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    }
  })
})

describe('OpenID Connect Core §3.1.2.1 id_token_hint', () => {
  test('names the person of an ID token of ours, also of one that is over', async () => {
    const { session, user } = await world.signIn()
    const authorization = {
      client: client(),
      user,
      session,
      audience: { grant_audience: 'a' },
      scope: [],
      response_type: ['id_token'],
      tell_auth_time: false,
    }
    const hint = await issueIdToken(world.ctx, authorization, {})
    expect((await read({ id_token_hint: hint })).hinted_user_id).toBe(user.user_id)
    world.advance(10 * 86_400)
    expect((await read({ id_token_hint: hint })).hinted_user_id).toBe(user.user_id)
    const other = await world.reread({ issuer: 'http://localhost:8400/' })
    expect((await readRequest(other, destination(), parameters({ id_token_hint: hint }))).hinted_user_id).toBe(
      user.user_id,
    )
    const stranger = await world.reread({ issuers: ['https://somebody.example/'] })
    expect(await codeOf(() => readRequest(stranger, destination(), parameters({ id_token_hint: hint })))).toBe(
      'invalid_request',
    )
    const forNobody = await issueIdToken(world.ctx, { ...authorization, client: client({ client_id: 'gone' }) }, {})
    expect(await told({ id_token_hint: forNobody })).toBe('invalid_request')
    expect(await told({ id_token_hint: `${hint.slice(0, -2)}AA` })).toBe('invalid_request')
  })

  test('an access token is no hint', async () => {
    const { issueAccessToken } = await import('../src/tokens/access_token.ts')
    const { session, user } = await world.signIn()
    const audience = { api: api(), grant_audience: 'https://api.example.com/' }
    for (const scope of [[], ['openid']]) {
      const authorization = {
        client: client(),
        user,
        session,
        audience,
        scope,
        response_type: ['token'],
        tell_auth_time: false,
      }
      const { access_token } = await issueAccessToken(world.ctx, authorization)
      expect(await told({ id_token_hint: access_token })).toBe('invalid_request')
    }
  })
})
