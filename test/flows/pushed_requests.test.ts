/** Pushed authorization requests over HTTP: who may push what, for how long a reference is good, and that it is answered once. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { makeKey, signJwt } from '../support/client_keys.ts'
import { pkce, post, requestToken } from '../support/code_flow.ts'
import { isPage, type Parameters } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { clients, person, callback as spaCallback, tenant } from '../support/tenant.ts'

const ids = {
  web: 'WebClient',
  must: 'MustPush',
  keyed: 'KeyedClient',
  lenient: 'LenientClient',
  signs: 'SigningClient',
}
const callback = 'https://web.example.com/callback'
const secret = 'a secret of the client: 32 characters or more'
const key = makeKey('ES256', 'one')

let latchkey: Latchkey
let issuer: string

function clientsTenant(): string {
  const jwks = JSON.stringify({ keys: [key.jwk] })
  const common = (id: string) =>
    `{ name: ${id}, client_id: ${id}, app_type: regular_web, callbacks: ['${callback}', '${callback}?keep=1']`
  const keyed = `token_endpoint_auth_method: private_key_jwt, jwks: ${jwks}`
  return `
clients:
  - ${common(ids.web)}, client_secret: '${secret}' }
  - ${common(ids.must)}, client_secret: '${secret}', require_pushed_authorization_requests: true, require_pkce: true }
  - ${common(ids.keyed)}, ${keyed} }
  - ${common(ids.lenient)}, ${keyed}, token_endpoint_auth_aud: any }
  - ${common(ids.signs)}, ${keyed}, require_signed_request_object: true }
`
}

beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(clientsTenant())
})
afterAll(() => latchkey.close())

let ada: Agent
beforeEach(async () => {
  ada = new Agent()
})

const request = { response_type: 'code', redirect_uri: callback, scope: 'openid', state: 's', nonce: 'n' }
const web = { ...request, client_id: ids.web, client_secret: secret }
const push = (fields: Parameters, headers: HeadersInit = {}) => post(`${issuer}oauth/par`, fields, headers)
const begin = (fields: Parameters, agent = ada) =>
  agent.visit(`${issuer}authorize?${new URLSearchParams(fields as Record<string, string>)}`)

async function pushed(change: Parameters = {}): Promise<string> {
  const { status, json } = await push({ ...web, ...change })
  expect([status, json.error_description]).toEqual([201, undefined])
  return json.request_uri ?? ''
}

async function logIn(page: Answer, agent = ada): Promise<Answer> {
  expect(isPage(page, '/u/login')).toBe(true)
  return agent.submit(page, { username: person.email, password: person.password, action: 'default' })
}

function told(answer: Answer): string {
  if (answer.location === undefined) return `page ${errorPageOf(answer).error}`
  const { parameters } = outcomeOf(answer)
  return parameters.error ?? (parameters.code === undefined ? 'neither' : 'code')
}

let ahead = 0
function claims(client_id: string, change: Readonly<Record<string, unknown>> = {}) {
  const iat = Math.floor(Date.now() / 1000) + ahead
  return { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat, exp: iat + 60, ...change }
}
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const proof = (client_id: string, change: Readonly<Record<string, unknown>> = {}) => ({
  client_assertion_type: type,
  client_assertion: signJwt(key, claims(client_id, change)),
})

describe('RFC 9126 §2 RFC 9126 §2.2 the pushed request', () => {
  test('gets 201 with a reference of its own that lasts a minute and a half', async () => {
    const { status, headers, json } = await push(web)
    expect(status).toBe(201)
    expect(headers.get('content-type')).toContain('application/json')
    expect(headers.get('cache-control')).toContain('no-store')
    expect(Object.keys(json).toSorted()).toEqual(['expires_in', 'request_uri'])
    expect(json.request_uri).toMatch(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/)
    expect(json.expires_in).toBe(90)
    expect((await push(web)).json.request_uri).not.toBe(json.request_uri)
  })

  test('becomes a code, which becomes tokens', async () => {
    const { code_verifier, request: challenge } = pkce()
    const request_uri = await pushed(challenge)
    const { target, parameters } = outcomeOf(await logIn(await begin({ client_id: ids.web, request_uri })))
    expect([target, parameters.state, parameters.iss]).toEqual([callback, 's', issuer])
    const exchange = {
      grant_type: 'authorization_code',
      client_id: ids.web,
      client_secret: secret,
      redirect_uri: callback,
    }
    const { code } = parameters
    expect((await requestToken(issuer, { ...exchange, code, code_verifier })).json.id_token).toBeDefined()
  })

  test('by JSON, by the Authorization header, and by a public client', async () => {
    const json = await fetch(`${issuer}oauth/par`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(web),
    })
    expect(json.status).toBe(201)
    const basic = { authorization: `Basic ${Buffer.from(`${ids.web}:${secret}`).toString('base64')}` }
    const { json: answer } = await push(request, basic)
    expect(told(await logIn(await begin({ client_id: ids.web, request_uri: answer.request_uri })))).toBe('code')
    const open = { ...request, client_id: clients.spa, redirect_uri: spaCallback, ...pkce().request }
    expect((await push(open)).status).toBe(201)
  })

  test('other methods and addresses are refused', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect((await fetch(`${issuer}oauth/par`, { method })).status).toBe(405)
    const inAddress = await fetch(`${issuer}oauth/par?${new URLSearchParams(web)}`, { method: 'POST' })
    expect(inAddress.status).toBe(400)
  })
})

describe('RFC 9126 §2.1 what is pushed is judged at once', () => {
  test.each<[string, Parameters, number, string]>([
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['no secret', { client_secret: undefined }, 401, 'invalid_client'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['no client', { client_id: undefined }, 400, 'invalid_request'],
    ['a request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 400, 'invalid_request'],
    ['an https request_uri', { request_uri: 'https://web.example.com/ro' }, 400, 'invalid_request'],
    ['another redirect_uri', { redirect_uri: 'https://evil.example/' }, 400, 'invalid_request'],
    ['no redirect_uri where there are two', { redirect_uri: undefined }, 400, 'invalid_request'],
    ['an unknown response_type', { response_type: 'magic' }, 400, 'unsupported_response_type'],
    ['no response_type', { response_type: undefined }, 400, 'invalid_request'],
    ['a response_type the client may not use', { response_type: 'token' }, 400, 'unauthorized_client'],
    ['an unknown prompt', { prompt: 'maybe' }, 400, 'invalid_request'],
    ['plain PKCE', { code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['a bad scope', { scope: 'open"id' }, 400, 'invalid_scope'],
    ['an unknown audience', { audience: 'https://nowhere.example/' }, 400, 'access_denied'],
    ['a request object that is none', { request: 'x' }, 400, 'invalid_request_object'],
  ])('%s', async (_name, change, status, error) => {
    const answer = await push({ ...web, ...change })
    expect(answer.json.error).toBe(error)
    if (error !== 'access_denied') expect(answer.status).toBe(status)
    expect(answer.json.request_uri).toBeUndefined()
  })

  test('PKCE, where the client must use it', async () => {
    const must = { ...request, client_id: ids.must, client_secret: secret }
    expect((await push(must)).json.error).toBe('invalid_request')
    const { request: challenge, code_verifier } = pkce()
    const { json } = await push({ ...must, ...challenge })
    const { parameters } = outcomeOf(await logIn(await begin({ client_id: ids.must, request_uri: json.request_uri })))
    const exchange = {
      grant_type: 'authorization_code',
      client_id: ids.must,
      client_secret: secret,
      redirect_uri: callback,
    }
    const { code } = parameters
    expect((await requestToken(issuer, { ...exchange, code })).json.error).toBe('invalid_grant')
    expect((await requestToken(issuer, { ...exchange, code, code_verifier: 'x'.repeat(43) })).json.error).toBe(
      'invalid_grant',
    )
    expect((await requestToken(issuer, { ...exchange, code, code_verifier })).status).toBe(200)
  })
})

describe('RFC 9126 §2 client assertions at the endpoint', () => {
  const keyed = (id: string, change: Readonly<Record<string, unknown>> = {}) =>
    push({ ...request, client_id: id, ...proof(id, change) })

  test('the audience is the issuer; the endpoint and lists only where the switch allows it', async () => {
    const audiences: [unknown, number, number][] = [
      [issuer, 201, 201],
      [`${issuer}oauth/par`, 401, 201],
      [`${issuer}oauth/token`, 401, 201],
      [[issuer, `${issuer}oauth/par`], 401, 201],
      ['https://other.example/', 401, 401],
    ]
    for (const [aud, strict, lenient] of audiences) {
      const said = [(await keyed(ids.keyed, { aud })).status, (await keyed(ids.lenient, { aud })).status]
      expect(said, JSON.stringify(aud)).toEqual([strict, lenient])
    }
  })

  test.each([
    ['iss', { iss: 'other' }],
    ['sub', { sub: 'other' }],
    ['exp', { exp: 1 }],
    ['nbf', { nbf: 99_999_999_999 }],
  ])('a wrong %s is refused', async (_name, change) => {
    const { status, json } = await keyed(ids.keyed, change)
    expect([status >= 400, json.request_uri]).toEqual([true, undefined])
  })

  test('client_id may be left to the assertion', async () => {
    const { status, json } = await push({ ...request, ...proof(ids.keyed) })
    expect(status).toBe(201)
    expect(told(await logIn(await begin({ client_id: ids.keyed, request_uri: json.request_uri })))).toBe('code')
  })
})

describe('RFC 9126 §3 a request object may be pushed', () => {
  const object = (change: Readonly<Record<string, unknown>> = {}) => {
    const { sub: _, jti: __, ...times } = claims(ids.signs)
    return signJwt(key, { ...times, nbf: times.iat, ...request, client_id: ids.signs, ...pkce().request, ...change })
  }
  const send = (fields: Parameters) => push({ client_id: ids.signs, ...proof(ids.signs), ...fields })

  test('signed, and the browser then carries the reference alone', async () => {
    const { status, json } = await send({ request: object() })
    expect(status).toBe(201)
    expect(told(await logIn(await begin({ client_id: ids.signs, request_uri: json.request_uri })))).toBe('code')
  })

  test('what is not signed is refused for a client whose requests are', async () => {
    expect((await send(request)).json.error).toBe('invalid_request')
    expect((await send({ request: object({ aud: 'https://other.example/' }) })).json.error).toBe(
      'invalid_request_object',
    )
    expect((await send({ request: object({ client_id: ids.web }) })).json.error).toBe('invalid_request_object')
    expect((await send({ request: object({ redirect_uri: 'https://evil.example/' }) })).json.error).toBe(
      'invalid_request',
    )
  })
})

describe('RFC 9126 §4 RFC 9126 §7.3 the reference', () => {
  test('is good for ninety seconds, in which the person may begin to sign in', async () => {
    const request_uri = await pushed()
    latchkey.advance(89)
    ahead += 89
    const page = await begin({ client_id: ids.web, request_uri })
    latchkey.advance(1200)
    ahead += 1200
    expect(told(await begin({ client_id: ids.web, request_uri }, new Agent()))).toBe('page invalid_request_uri')
    expect(told(await logIn(page))).toBe('code')
  })

  test('may be opened again until it is answered, and then no more', async () => {
    const request_uri = await pushed()
    const other = new Agent()
    const first = await begin({ client_id: ids.web, request_uri })
    const second = await begin({ client_id: ids.web, request_uri })
    const third = await begin({ client_id: ids.web, request_uri }, other)
    expect(told(await logIn(second))).toBe('code')
    expect(told(await begin({ client_id: ids.web, request_uri }))).toBe('page invalid_request_uri')
    expect(told(await logIn(third, other))).toBe('invalid_request_uri')
    expect(told(await logIn(first))).toBe('invalid_request_uri')
  })

  test('a hundred at once: one is answered with a code', async () => {
    await logIn(await begin({ client_id: ids.web, request_uri: await pushed() }))
    const request_uri = await pushed({ prompt: 'none' })
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => told(await begin({ client_id: ids.web, request_uri }))),
    )
    expect(answers.filter((one) => one === 'code')).toHaveLength(1)
    expect(answers.filter((one) => one === 'code' || one.endsWith('invalid_request_uri'))).toHaveLength(100)
  })

  test('is another client’s for nobody else', async () => {
    const request_uri = await pushed()
    expect(told(await begin({ client_id: ids.keyed, request_uri }))).toBe('page invalid_request_uri')
    expect(told(await begin({ request_uri }))).toBe('page invalid_request')
    expect(told(await logIn(await begin({ client_id: ids.web, request_uri })))).toBe('code')
  })

  test.each(['x', '', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '../etc', '%00'])('%s is none', async (end) => {
    const request_uri = `urn:ietf:params:oauth:request_uri:${end}`
    expect(told(await begin({ client_id: ids.web, request_uri }))).toBe('page invalid_request_uri')
  })

  test('what stands beside it does not count', async () => {
    const request_uri = await pushed()
    const beside = { redirect_uri: 'https://evil.example/', state: 'other', response_type: 'token', scope: 'email' }
    const { target, parameters } = outcomeOf(await logIn(await begin({ client_id: ids.web, request_uri, ...beside })))
    expect([target, parameters.state, 'code' in parameters]).toEqual([callback, 's', true])
  })

  test('an answer without a code ends it as well', async () => {
    const request_uri = await pushed({ prompt: 'none' })
    expect(told(await begin({ client_id: ids.web, request_uri }))).toBe('login_required')
    expect(told(await begin({ client_id: ids.web, request_uri }))).toBe('page invalid_request_uri')
  })

  test('a callback taken off the list meanwhile gets no answer', async () => {
    const request_uri = await pushed({ redirect_uri: `${callback}?keep=1` })
    const without = clientsTenant().replace(
      `callbacks: ['${callback}', '${callback}?keep=1']`,
      `callbacks: ['${callback}']`,
    )
    await latchkey.apply(without)
    expect(told(await begin({ client_id: ids.web, request_uri }))).toBe('page invalid_request')
    await latchkey.apply(clientsTenant())
  })
})

describe('RFC 9126 §5 RFC 9126 §6 who must push', () => {
  test('a client that promised it is refused otherwise, whatever it sends', async () => {
    const plain = { ...request, client_id: ids.must, ...pkce().request }
    expect(told(await begin(plain))).toBe('invalid_request')
    expect(told(await begin({ ...plain, request: signJwt(key, { ...request }) }))).toBe('invalid_request_object')
  })

  test('it is announced', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as object
    expect(document).toMatchObject({
      pushed_authorization_request_endpoint: `${issuer}oauth/par`,
      require_pushed_authorization_requests: false,
    })
  })
})

describe('RFC 9449 §10.1 DPoP and pushed requests', () => {
  test('dpop_jkt is kept with the request', async () => {
    const request_uri = await pushed({ dpop_jkt: pkce().request.code_challenge })
    const { parameters } = outcomeOf(await logIn(await begin({ client_id: ids.web, request_uri })))
    const exchange = {
      grant_type: 'authorization_code',
      client_id: ids.web,
      client_secret: secret,
      redirect_uri: callback,
    }
    const { json } = await requestToken(issuer, { ...exchange, code: parameters.code })
    expect(json.error).toBe('invalid_grant')
  })
})
