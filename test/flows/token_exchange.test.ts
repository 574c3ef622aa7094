/** Token exchange over HTTP: what a service gets for the token that it was called with, and what it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { makeKey, signJwt } from '../support/client_keys.ts'
import { codeClients, codeOf, codeTenant, post, requestToken, secret } from '../support/code_flow.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { verified } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, clients, connection, person, tenant } from '../support/tenant.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const backend = 'https://backend.example.com/'
const ledger = 'https://ledger.example.com/'
const services = { messages: 'MessagesService', backend: 'BackendService', actor: 'DelegatingService' } as const

const service = (id: string, more: string) => `
  - name: ${id}
    client_id: ${id}
    client_secret: '${secret}'
    app_type: non_interactive
    grant_types: ['${grant_type}', client_credentials, authorization_code]
    callbacks: ['https://${id.toLowerCase()}.example.com/callback']
${more}`

const partner = 'https://partner.example.net/'
const partnerKey = makeKey('ES256')

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await latchkey.apply(`
clients:${service(
    services.messages,
    `    resource_server_identifier: ${apis.messages}
    token_exchange: { allowed: [impersonation], audiences: ['${backend}', '${ledger}'], scope: ['audit:ledger'] }`,
  )}${service(
    services.backend,
    `    resource_server_identifier: ${backend}
    token_exchange: { allowed: [impersonation], audiences: ['${backend}', '${ledger}'] }`,
  )}${service(
    services.actor,
    `    token_exchange: { allowed: [delegation], audiences: ['${backend}'], subject_clients: [${clients.spa}, ${services.messages}] }`,
  )}${service('Nothing', '')}
resourceServers:
  - name: Backend
    identifier: ${backend}
    signing_alg: ES256
    token_lifetime: 600
    token_lifetime_for_web: 600
    scopes: [{ value: 'read:messages' }, { value: 'delete:everything' }]
  - name: Ledger
    identifier: ${ledger}
    scopes: [{ value: 'read:messages' }, { value: 'audit:ledger' }]
clientGrants:
  - { client_id: ${services.actor}, audience: '${backend}', scope: [] }
  - { client_id: ${services.messages}, audience: '${backend}', scope: [] }
  - { client_id: ${codeClients.web}, audience: '${backend}', scope: [] }
  - { client_id: ${codeClients.web}, audience: '${ledger}', scope: [] }
`)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const tokens = async (change: Parameters = {}) =>
  (await requestToken(issuer, { ...(await codeOf(ada, issuer, change)) })).json
const exchange = (subject_token: string | undefined, change: Parameters = {}) =>
  requestToken(issuer, {
    ...{ grant_type, client_id: services.messages, client_secret: secret, subject_token },
    ...{ subject_token_type: type('access_token'), audience: backend, ...change },
  })
const machineToken = async (client_id: string, audience: string) =>
  (await requestToken(issuer, { grant_type: 'client_credentials', client_id, client_secret: secret, audience })).json
    .access_token
const look = async (token: string | undefined) => {
  const caller = { client_id: codeClients.web, client_secret: secret }
  return (await post(`${issuer}oauth/introspect`, { ...caller, token })).json as Readonly<Record<string, unknown>>
}

describe('RFC 8693 §2.2.1 token exchange response', () => {
  test('impersonation: the same person, for the next API, with no more scope and no longer life', async () => {
    const { access_token } = await tokens()
    const { status, headers, json } = await exchange(access_token)
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(json).toEqual({
      ...{ access_token: expect.any(String), token_type: 'Bearer', expires_in: 600, scope: 'read:messages' },
      issued_token_type: type('access_token'),
    })
    const { header, claims } = await verified(issuer, json.access_token)
    expect(header.alg).toBe('ES256')
    expect(claims).toMatchObject({
      ...{ sub: claimsOf(access_token).sub, aud: backend, azp: services.messages, scope: 'read:messages' },
    })
    for (const absent of ['act', 'gty', 'nonce', 'sid']) expect(claims).not.toHaveProperty(absent)
  })

  test('RFC 8693 §4.1 delegation tells who acts, and who acted before', async () => {
    const { access_token } = await tokens()
    const actor_token = await machineToken(services.actor, backend)
    const delegate = { client_id: services.actor, actor_token, actor_token_type: type('access_token') }
    const first = (await exchange(access_token, delegate)).json
    const actor = { sub: `${services.actor}@clients` }
    const { sub } = claimsOf(access_token)
    expect(claimsOf(first.access_token)).toMatchObject({ sub, act: actor })
    expect(await look(first.access_token)).toMatchObject({ active: true, sub, act: actor })
    // The next service impersonates: who acted stays told.
    const next = (await exchange(first.access_token, { client_id: services.backend, audience: ledger })).json
    expect(claimsOf(next.access_token)).toMatchObject({ sub, act: actor, aud: ledger })
    // And a second delegation puts the new actor around the one before.
    const again = (await exchange(first.access_token, { ...delegate })).json
    expect(claimsOf(again.access_token).act).toEqual({ ...actor, act: actor })
  })

  test('a token of a machine is exchanged with the machine as its subject', async () => {
    const subject = await machineToken(codeClients.machine, apis.messages)
    const { json } = await exchange(subject)
    expect(claimsOf(json.access_token)).toMatchObject({
      ...{ sub: `${codeClients.machine}@clients`, azp: services.messages, scope: 'read:messages' },
    })
    expect(await look(json.access_token)).toMatchObject({ active: true })
  })

  test('an ID token shows who is there, and gives no scope', async () => {
    const { id_token } = await tokens()
    const actor_token = await machineToken(services.actor, backend)
    const delegate = { client_id: services.actor, actor_token, actor_token_type: type('access_token') }
    const { status, json } = await exchange(id_token, { ...delegate, subject_token_type: type('id_token') })
    expect(status).toBe(200)
    expect(claimsOf(json.access_token)).not.toHaveProperty('scope')
    expect(claimsOf(json.access_token).sub).toBe(claimsOf(id_token).sub)
    // It is no access token, whatever it is called.
    expect((await exchange(id_token, delegate)).json.error).toBe('invalid_request')
  })

  test('the lifetime ends with that of the subject’s token', async () => {
    const { access_token } = await tokens()
    latchkey.advance(86_400 - 60)
    const { json } = await exchange(access_token)
    expect(json.expires_in).toBeGreaterThan(40)
    expect(json.expires_in).toBeLessThanOrEqual(60)
    expect(claimsOf(json.access_token).exp).toBe(claimsOf(access_token).exp)
    await signIn(ada, issuer)
  })
})

describe('RFC 8693 §2.1 RFC 8693 §3 RFC 8693 §2.2.2 what is refused', () => {
  test.each<[string, Parameters, number, string]>([
    ['no subject token', { subject_token: undefined }, 400, 'invalid_request'],
    ['no type of it', { subject_token_type: undefined }, 400, 'invalid_request'],
    ['an unknown type', { subject_token_type: type('saml2') }, 400, 'invalid_request'],
    ['a name of every object', { subject_token_type: 'toString' }, 400, 'invalid_request'],
    ['an invented token', { subject_token: 'x.y.z' }, 400, 'invalid_request'],
    ['another kind of token asked for', { requested_token_type: type('refresh_token') }, 400, 'invalid_request'],
    ['no audience', { audience: undefined }, 400, 'invalid_request'],
    ['an API that is not on the list', { audience: apis.contacts }, 400, 'invalid_target'],
    ['an API that does not exist', { audience: 'https://nobody.example.com/' }, 400, 'invalid_target'],
    ['two APIs', { resource: ledger }, 400, 'invalid_target'],
    ['more scope than the token has', { scope: 'delete:everything' }, 400, 'invalid_scope'],
    ['scope that the API does not define', { scope: 'write:messages' }, 400, 'invalid_scope'],
    ['openid', { scope: 'openid read:messages' }, 400, 'invalid_scope'],
    ['an actor token that is none', { actor_token: 'me', actor_token_type: type('jwt') }, 400, 'invalid_request'],
    ['an actor token without its type', { actor_token: 'me' }, 400, 'invalid_request'],
    ['the type of an actor without one', { actor_token_type: type('access_token') }, 400, 'invalid_request'],
    ['a client without a policy', { client_id: 'Nothing' }, 400, 'unauthorized_client'],
    ['a client that is neither its holder nor its API', { client_id: services.backend }, 400, 'invalid_request'],
    ['a public client', { client_id: clients.spa, client_secret: undefined }, 400, 'unauthorized_client'],
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client'],
  ])('%s', async (_, change, status, error) => {
    const { access_token } = await tokens()
    const answer = await exchange(access_token, change)
    expect([answer.status, answer.json.error]).toEqual([status, error])
  })

  test('impersonation where delegation alone is allowed, and the other way round', async () => {
    const { access_token } = await tokens()
    const actor_token = await machineToken(services.messages, backend)
    const delegate = { actor_token, actor_token_type: type('access_token') }
    expect((await exchange(access_token, delegate)).json.error).toBe('unauthorized_client')
    expect((await exchange(access_token, { client_id: services.actor })).json.error).toBe('unauthorized_client')
  })

  test('an actor token that is not the client’s own, or that is borrowed', async () => {
    const { access_token } = await tokens()
    const delegate = { client_id: services.actor, actor_token_type: type('access_token') }
    expect((await exchange(access_token, { ...delegate, actor_token: access_token })).json.error).toBe(
      'invalid_request',
    )
    const own = await machineToken(services.actor, backend)
    const borrowed = (await exchange(access_token, { ...delegate, actor_token: own })).json.access_token
    expect((await exchange(access_token, { ...delegate, actor_token: borrowed })).json.error).toBe('invalid_request')
  })

  test('a subject that was blocked, or whose session has ended, or whose token is over', async () => {
    const { access_token } = await tokens()
    const user_id = String(claimsOf(access_token).sub)
    await latchkey.tenant.store.users.update(user_id, { blocked: true }, Date.now())
    expect((await exchange(access_token)).json.error).toBe('invalid_request')
    await latchkey.tenant.store.users.update(user_id, { blocked: false }, Date.now())
    const grace = new Agent()
    const { id_token } = (await requestToken(issuer, { ...(await codeOf(grace, issuer)) })).json
    await grace.request(`${issuer}v2/logout`)
    const actor_token = await machineToken(services.actor, backend)
    const delegate = { client_id: services.actor, actor_token, actor_token_type: type('access_token') }
    expect((await exchange(id_token, { ...delegate, subject_token_type: type('id_token') })).json.error).toBe(
      'invalid_request',
    )
    latchkey.advance(86_401)
    expect((await exchange(access_token)).json.error).toBe('invalid_request')
    await signIn(ada, issuer)
  })

  test('a policy may add scope, where it is asked for', async () => {
    const { access_token } = await tokens()
    const usual = await exchange(access_token, { audience: ledger })
    expect(usual.json.scope).toBe('read:messages')
    const { json } = await exchange(access_token, { audience: ledger, scope: 'audit:ledger' })
    expect(claimsOf(json.access_token).scope).toBe('audit:ledger')
  })
})

describe('RFC 8693 §4.4 the word of an issuer that is trusted', () => {
  const now = () => Math.floor(Date.now() / 1000)
  let count = 0
  const assertion = (change: Readonly<Record<string, unknown>> = {}) =>
    signJwt(partnerKey, {
      ...{ iss: partner, sub: user_id, aud: one.issuer, iat: now(), exp: now() + 300, jti: `x${++count}` },
      ...change,
    })
  const asked = { client_id: 'Fresh', subject_token_type: type('jwt'), scope: 'delete:everything' }
  let one: Latchkey
  let user_id = ''
  const exchangeThere = (subject_token: string, change: Parameters = {}) =>
    requestToken(one.issuer, {
      ...{ grant_type, client_secret: secret, subject_token, audience: backend, ...asked, ...change },
    })
  beforeAll(async () => {
    // Another server, whose clock nobody has moved.
    one = await startLatchkey({ tenant })
    await one.apply(`
clients:${service('Fresh', `    token_exchange: { allowed: [impersonation], audiences: ['${backend}'], scope: ['delete:everything'] }`)}
resourceServers: [{ name: B, identifier: '${backend}', scopes: [{ value: 'delete:everything' }] }]
tenant: { trusted_issuers: [{ issuer: '${partner}', clients: [Fresh], jwks: ${JSON.stringify({ keys: [partnerKey.jwk] })} }] }
`)
    user_id = (await one.tenant.store.users.findByEmail(connection, person.email))?.user_id ?? ''
  })
  afterAll(() => one.close())

  test('counts once, for the person that it names', async () => {
    const text = assertion()
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchangeThere(text)))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    expect(claimsOf(won[0]?.json.access_token)).toMatchObject({ sub: user_id, scope: 'delete:everything' })
    expect((await exchangeThere(assertion({ iss: 'https://evil.example/' }))).json.error).toBe('invalid_request')
    expect((await exchangeThere(assertion({ aud: 'https://evil.example/' }))).json.error).toBe('invalid_request')
  })

  test.each<[string, () => object, number]>([
    ['the client', () => ({ client_id: 'Fresh' }), 200],
    ['the client, and whose name that is', () => ({ sub: 'Fresh@clients', iss: one.issuer }), 200],
    ['a name that may be another’s', () => ({ sub: 'Fresh@clients' }), 400],
    ['somebody else', () => ({ client_id: 'Other' }), 400],
    ['more than we can judge', () => ({ client_id: 'Fresh', email: 'a@example.com' }), 400],
    ['nobody', () => ({}), 400],
  ])('may_act that names %s', async (_, may_act, status) => {
    expect((await exchangeThere(assertion({ may_act: may_act() }))).status).toBe(status)
  })
})

describe('RFC 7009 §2.1 revoking reaches what was exchanged', () => {
  const revoke = (token: string | undefined, client_id: string, more: Parameters = {}) =>
    post(`${issuer}oauth/revoke`, { client_id, token, ...more })

  test('the subject’s token, through two exchanges', async () => {
    const { access_token } = await tokens()
    const first = (await exchange(access_token)).json.access_token
    const second = (await exchange(first, { client_id: services.backend, audience: ledger })).json.access_token
    for (const token of [first, second]) expect(await look(token)).toMatchObject({ active: true })
    const chain = { client_id: services.backend, audience: ledger }
    await revoke(access_token, clients.spa)
    for (const token of [first, second]) expect(await look(token)).toEqual({ active: false })
    expect((await exchange(first, chain)).json.error).toBe('invalid_request')
  })

  test('a token in the middle takes what came after it, and not what came before', async () => {
    const { access_token } = await tokens()
    const first = (await exchange(access_token)).json.access_token
    const second = (await exchange(first, { client_id: services.backend, audience: ledger })).json.access_token
    await revoke(first, services.messages, { client_secret: secret })
    expect(await look(second)).toEqual({ active: false })
    expect((await exchange(access_token)).status).toBe(200)
  })

  test('the second use of the code', async () => {
    const code = await codeOf(ada, issuer)
    const { access_token } = (await requestToken(issuer, { ...code })).json
    const exchanged = (await exchange(access_token)).json.access_token
    await requestToken(issuer, { ...code })
    expect(await look(exchanged)).toEqual({ active: false })
  })

  test('an exchanged token alone leaves the subject’s alive', async () => {
    const { access_token } = await tokens()
    const exchanged = (await exchange(access_token)).json.access_token
    await revoke(exchanged, services.messages, { client_secret: secret })
    expect(await look(exchanged)).toEqual({ active: false })
    expect((await exchange(access_token)).status).toBe(200)
  })

  test('an exchange can be repeated five times in a row and no more', async () => {
    let token = (await tokens()).access_token
    token = (await exchange(token)).json.access_token
    const answers: number[] = []
    for (let count = 0; count < 5; count++) {
      const { status, json } = await exchange(token, { client_id: services.backend, audience: backend })
      answers.push(status)
      token = json.access_token ?? token
    }
    expect(answers).toEqual([200, 200, 200, 200, 400])
  })
})

test('a file that lets a public client exchange is refused', async () => {
  const file = `clients: [{ name: P, client_id: P, app_type: spa, token_exchange: { allowed: [impersonation] } }]`
  await expect(latchkey.apply(file)).rejects.toThrow('public client')
})
