import { createServer } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { protect as protectExpress } from '../src/express.ts'
import { protect as protectFastify } from '../src/fastify.ts'
import { protect as protectHono } from '../src/hono.ts'
import { createVerifier } from '../src/index.ts'
import { type Api, apis } from './support/apis.ts'
import { audience, type Issuer, makeKey, startIssuer, subject } from './support/issuer.ts'
import { addressOf, close } from './support/listen.ts'
import { type RawRequest, send } from './support/raw_request.ts'

const key = makeKey('current')
const stranger = makeKey('current')
const form = 'Content-Type: application/x-www-form-urlencoded'
let issuer: Issuer
let token: string

beforeAll(async () => {
  issuer = await startIssuer(key)
  token = issuer.token(key)
})
afterAll(() => issuer.close())

interface Expected {
  readonly status: number
  /** The whole challenge; undefined where there is none. */
  readonly challenge?: string
}

const refused = (status: number, error: string, description: string, scope = ''): Expected => ({
  status,
  challenge: `Bearer realm="api", error="${error}", error_description="${description}"${scope}`,
})
const none: Expected = { status: 401, challenge: 'Bearer realm="api"' }
const twice = refused(400, 'invalid_request', 'The request carries an access token in more than one place.')
const repeated = refused(400, 'invalid_request', 'The request carries more than one Authorization header.')
const malformedHeader = refused(
  400,
  'invalid_request',
  'The Authorization header is not the word Bearer followed by one token.',
)
const malformed = refused(401, 'invalid_token', 'The access token is not a well-formed signed JWT.')
const scopes = refused(
  403,
  'insufficient_scope',
  'The access token does not carry the scope that this request needs.',
  ', scope="read:messages write:messages"',
)
const eitherScope = refused(
  403,
  'insufficient_scope',
  'The access token carries none of the scopes of which this request needs one.',
  ', scope="read:messages admin"',
)

const bearer = (value = token) => `Authorization: Bearer ${value}`
const post = (body: string, ...headers: string[]): RawRequest => ({ method: 'POST', target: '/any', headers, body })

/** One table for all adapters. */
const table: Record<string, readonly [() => RawRequest, Expected]> = {
  'a good token': [() => ({ target: '/any', headers: [bearer()] }), { status: 200 }],
  'the scheme in small letters': [
    () => ({ target: '/any', headers: [`authorization: bearer ${token}`] }),
    { status: 200 },
  ],
  'the scheme in capitals': [() => ({ target: '/any', headers: [`AUTHORIZATION: BEARER ${token}`] }), { status: 200 }],
  'several spaces': [() => ({ target: '/any', headers: [`Authorization:   Bearer   ${token}  `] }), { status: 200 }],
  'another query': [() => ({ target: '/any?page=2&token=x', headers: [bearer()] }), { status: 200 }],
  'all scopes': [() => ({ target: '/all', headers: [bearer()] }), { status: 200 }],
  'one of the scopes': [() => ({ target: '/either', headers: [bearer()] }), { status: 200 }],
  'a JSON body that speaks of access_token': [
    () => post('{"access_token":"x"}', bearer(), 'Content-Type: application/json'),
    { status: 200 },
  ],

  'no credentials': [() => ({ target: '/any' }), none],
  'no credentials where a scope is needed': [() => ({ target: '/all' }), none],
  'no credentials in a POST': [() => post('a=1', form), none],
  'an empty header': [() => ({ target: '/any', headers: ['Authorization:'] }), none],
  'another scheme': [() => ({ target: '/any', headers: ['Authorization: Basic YTpi'] }), none],
  'another scheme with parameters': [
    () => ({ target: '/any', headers: ['Authorization: Digest username="a", realm="b", nonce="c"'] }),
    none,
  ],
  'a scheme that only begins like Bearer': [
    () => ({ target: '/any', headers: [`Authorization: BearerX ${token}`] }),
    none,
  ],
  'the token without scheme': [() => ({ target: '/any', headers: [`Authorization: ${token}`] }), none],
  'the token in the query': [() => ({ target: `/any?access_token=${token}` }), none],
  'the token in the body': [() => post(`access_token=${token}`, form), none],
  'the token in a cookie': [() => ({ target: '/any', headers: [`Cookie: access_token=${token}`] }), none],
  'the token in X-Authorization': [() => ({ target: '/any', headers: [`X-Authorization: Bearer ${token}`] }), none],

  'Bearer and nothing': [() => ({ target: '/any', headers: ['Authorization: Bearer'] }), malformedHeader],
  'two words after Bearer': [() => ({ target: '/any', headers: [bearer(`${token} x`)] }), malformedHeader],
  'a tab after Bearer': [() => ({ target: '/any', headers: [`Authorization: Bearer\t${token}`] }), malformedHeader],
  'header and query': [() => ({ target: `/any?access_token=${token}`, headers: [bearer()] }), twice],
  'header and query, name encoded': [() => ({ target: '/any?a=1&access%5Ftoken=x', headers: [bearer()] }), twice],
  'header and query, empty value': [() => ({ target: '/any?access_token', headers: [bearer()] }), twice],
  'header and body': [() => post(`a=1&access_token=${token}`, form, bearer()), twice],
  'header and body, with a charset': [() => post('access_token=x', `${form};charset=UTF-8`, bearer()), twice],
  'two headers': [() => ({ target: '/any', headers: [bearer(), bearer()] }), repeated],
  'two headers, the second bad': [() => ({ target: '/any', headers: [bearer(), bearer('x')] }), repeated],
  'two headers of two schemes': [
    () => ({ target: '/any', headers: ['Authorization: Basic YTpi', bearer()] }),
    repeated,
  ],
  'two headers, joined on the way': [
    () => ({ target: '/any', headers: [bearer(`${token}, Bearer ${token}`)] }),
    repeated,
  ],

  'an opaque token': [() => ({ target: '/any', headers: [bearer('Zm9vYmFyYmF6')] }), malformed],
  'bytes outside ASCII': [() => ({ target: '/any', headers: [bearer(`${token}\xe9`)] }), malformed],
  'a quoted token': [() => ({ target: '/any', headers: [bearer(`"${token}"`)] }), malformed],
  'alg none': [
    () => ({ target: '/any', headers: [bearer(`${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`)] }),
    refused(401, 'invalid_token', 'The access token is signed with an algorithm that this API does not accept.'),
  ],
  'a forged signature': [
    () => ({ target: '/any', headers: [bearer(issuer.token(stranger))] }),
    refused(401, 'invalid_token', 'The signature of the access token does not match.'),
  ],
  'an expired token': [
    () => ({ target: '/any', headers: [bearer(issuer.token(key, { exp: 1 }))] }),
    refused(401, 'invalid_token', 'The access token has expired.'),
  ],
  'another audience': [
    () => ({ target: '/any', headers: [bearer(issuer.token(key, { aud: 'https://other.example/' }))] }),
    refused(401, 'invalid_token', 'The access token is meant for another audience.'),
  ],
  'an ID token': [
    () => ({ target: '/any', headers: [bearer(issuer.token(key, { nonce: 'n' }))] }),
    refused(401, 'invalid_token', 'The token is an ID token, which is for the app alone.'),
  ],
  'one scope of two': [
    () => ({ target: '/all', headers: [bearer(issuer.token(key, { scope: 'read:messages' }))] }),
    scopes,
  ],
  'no scope': [() => ({ target: '/all', headers: [bearer(issuer.token(key, { scope: undefined }))] }), scopes],
  'none of the scopes': [
    () => ({ target: '/either', headers: [bearer(issuer.token(key, { scope: 'write:messages' }))] }),
    eitherScope,
  ],
  'an expired token without the scope': [
    () => ({ target: '/all', headers: [bearer(issuer.token(key, { scope: '', exp: 1 }))] }),
    refused(401, 'invalid_token', 'The access token has expired.'),
  ],
  'a HEAD request': [() => ({ method: 'HEAD', target: '/any' }), none],
}

describe.each(Object.keys(apis))('RFC 6750 §2.1, §3 %s', (name) => {
  let api: Api

  beforeAll(async () => {
    const start = apis[name]
    if (start === undefined) throw new Error(name)
    api = await start(createVerifier({ issuer: issuer.issuer, audience }))
  })
  afterAll(() => api.close())

  test.each(Object.entries(table))('%s', async (_, [make, expected]) => {
    const request = make()
    const before = api.handled()
    const { status, headers, body } = await send(api.origin, request)
    expect({ status, challenge: headers.get('www-authenticate') }).toEqual({ challenge: undefined, ...expected })
    expect(api.handled() - before, 'handlers that ran').toBe(status === 200 ? 1 : 0)
    if (status === 200) expect(JSON.parse(body)).toEqual({ sub: subject, body: request.body ?? '' })
    else {
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      if (request.method !== 'HEAD') {
        const [error = expected.challenge?.includes('error') ? '' : 'invalid_request'] =
          expected.challenge?.match(/(?<=error=")\w+/) ?? []
        expect(JSON.parse(body)).toEqual({ error, error_description: expect.stringMatching(/^[\x20-\x7e]+$/) })
      }
    }
  })

  test('the handler can still read a form that was searched for a token', async () => {
    const body = 'text=hello&to=bob'
    const answer = await send(api.origin, post(body, form, bearer()))
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({ sub: subject, body })
  })

  test('a long form reaches the handler whole', async () => {
    for (const size of [16_000, 16_384, 200_000]) {
      const body = `text=${'x'.repeat(size - 5)}`
      const answer = await send(api.origin, post(body, form, bearer()))
      expect(JSON.parse(answer.body)).toEqual({ sub: subject, body })
    }
  })

  test('a scope asked for without protect fails closed', async () => {
    const before = api.handled()
    const { status } = await send(api.origin, { target: '/unguarded', headers: [bearer()] })
    expect(status).toBe(500)
    expect(api.handled()).toBe(before)
  })

  test('two requests at once keep their claims apart', async () => {
    const subjects = Array.from({ length: 40 }, (_, index) => `auth0|${index}`)
    const answers = await Promise.all(
      subjects.map((sub) => send(api.origin, { target: '/any', headers: [bearer(issuer.token(key, { sub }))] })),
    )
    expect(answers.map(({ body }) => JSON.parse(body).sub)).toEqual(subjects)
  })
})

describe.each(Object.keys(apis))('RFC 6750 %s, while the issuer is down', (name) => {
  let api: Api | undefined
  afterEach(() => api?.close())

  test('the answer is 503, and the handler does not run', async () => {
    api = await apis[name]?.(createVerifier({ issuer: issuer.issuer, audience, jwks_uri: 'http://127.0.0.1:9/keys' }))
    const { status, headers, body } = await send(api?.origin ?? '', { target: '/any', headers: [bearer()] })
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('1')
    expect(headers.get('www-authenticate')).toBeUndefined()
    expect(JSON.parse(body).error).toBe('temporarily_unavailable')
    expect(api?.handled()).toBe(0)
  })
})

describe('where a body has been read before the check', () => {
  test('Express with a form parser in front: a second token is found, and nothing hangs', async () => {
    const app = express()
    app.use(
      express.urlencoded({ extended: false }),
      protectExpress(createVerifier({ issuer: issuer.issuer, audience })),
    )
    app.post('/any', (request, response) => void response.json(request.body))
    const server = createServer(app)
    const origin = await addressOf(server)
    try {
      expect((await send(origin, post('access_token=x', form, bearer()))).status).toBe(400)
      const answer = await send(origin, post('text=hello', form, bearer()))
      expect(JSON.parse(answer.body)).toEqual({ text: 'hello' })
    } finally {
      await close(server)
    }
  })

  test("Fastify's inject, which is no real connection", async () => {
    const app = fastify()
    app.addHook('onRequest', protectFastify(createVerifier({ issuer: issuer.issuer, audience })))
    app.get('/any', async (request) => ({ sub: request.auth?.sub }))
    expect((await app.inject({ url: '/any', headers: { authorization: `Bearer ${token}` } })).json()).toEqual({
      sub: subject,
    })
    expect((await app.inject('/any')).statusCode).toBe(401)
    expect((await app.inject('/nowhere')).statusCode).toBe(401)
    await app.close()
  })

  test("Hono's request, which is no real connection", async () => {
    const app = new Hono()
    app.use(protectHono(createVerifier({ issuer: issuer.issuer, audience })))
    app.get('/any', (c) => c.json({ sub: c.get('auth').sub }))
    const answer = await app.request('/any', { headers: { authorization: `Bearer ${token}` } })
    expect(await answer.json()).toEqual({ sub: subject })
    expect((await app.request('/any')).status).toBe(401)
  })
})
