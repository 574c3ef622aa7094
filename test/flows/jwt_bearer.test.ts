/** Assertions of issuers that the tenant trusts, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  type ClientServer,
  makeKey,
  type SigningKey,
  signJwt,
  signWithSecret,
  startClientServer,
  unsignedJwt,
} from '../support/client_keys.ts'
import { post, requestToken, secret } from '../support/code_flow.ts'
import { type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, blocked, clients, connection, person, tenant } from '../support/tenant.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const partner = 'https://partner.example.net/'
const old = 'https://old.example.net/'
const third = 'ThirdPartyBearer'

let latchkey: Latchkey
let issuer: string
let publisher: ClientServer
let user_id = ''
const keys: { partner: SigningKey; old: SigningKey } = { partner: makeKey('ES256'), old: makeKey('RS256') }
beforeAll(async () => {
  publisher = await startClientServer()
  publisher.publishKeys([keys.old])
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(
    JSON.stringify({
      clients: [
        {
          name: 'B',
          client_id: 'Bearer',
          client_secret: secret,
          app_type: 'non_interactive',
          grant_types: [grant_type],
        },
        {
          name: 'O',
          client_id: 'Other',
          client_secret: secret,
          app_type: 'non_interactive',
          grant_types: [grant_type],
        },
        { name: '3', client_id: third, app_type: 'spa', is_first_party: false, grant_types: [grant_type] },
      ],
      clientGrants: [{ client_id: 'Bearer', audience: apis.messages, scope: [] }],
      tenant: {
        trusted_issuers: [
          {
            issuer: partner,
            jwks: { keys: [keys.partner.jwk] },
            clients: ['Bearer', third],
            subject: { match: 'email', connection },
          },
          { issuer: old, jwks_uri: `${publisher.address}jwks.json`, clients: ['Bearer'], audience: 'any' },
        ],
      },
    }),
  )
  const ada = new Agent()
  await signIn(ada, issuer)
  user_id = (await latchkey.tenant.store.users.findByEmail(connection, person.email))?.user_id ?? ''
})
afterAll(async () => {
  await latchkey.close()
  publisher.close()
})

let count = 0
const now = () => Math.floor(Date.now() / 1000)
const claims = (change: Readonly<Record<string, unknown>> = {}) => ({
  ...{
    iss: partner,
    sub: 'partner|7',
    email: person.email,
    aud: issuer,
    iat: now(),
    exp: now() + 300,
    jti: `j${++count}`,
  },
  ...change,
})
const assertion = (change: Readonly<Record<string, unknown>> = {}, key = keys.partner, header = {}) =>
  signJwt(key, claims(change), header)
const ask = (text: string | undefined, change: Parameters = {}) =>
  requestToken(issuer, {
    ...{ grant_type, client_id: 'Bearer', client_secret: secret, assertion: text },
    ...{ audience: apis.messages, scope: 'read:messages', ...change },
  })

describe('RFC 7523 §2.1 the grant jwt-bearer', () => {
  test('a token for the person that the assertion names', async () => {
    const { status, json } = await ask(assertion())
    expect(status).toBe(200)
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'token_type'])
    expect(claimsOf(json.access_token)).toMatchObject({
      ...{ sub: user_id, azp: 'Bearer', aud: apis.messages, scope: 'read:messages' },
    })
    const caller = { client_id: 'Bearer', client_secret: secret }
    const told = await post(`${issuer}oauth/introspect`, { ...caller, token: json.access_token })
    expect(told.json).toMatchObject({ active: true, sub: user_id })
  })

  test('only the scopes that were asked for and exist', async () => {
    const { json } = await ask(assertion(), { scope: 'read:messages admin openid offline_access' })
    expect(json.scope).toBe('read:messages')
    expect(json).not.toHaveProperty('id_token')
    expect(json).not.toHaveProperty('refresh_token')
  })

  test('keys at an address, people by their id, and an old audience where that is allowed', async () => {
    for (const aud of [issuer, `${issuer}oauth/token`, [issuer]]) {
      const { status, json } = await ask(assertion({ iss: old, sub: user_id, aud }, keys.old))
      expect(status).toBe(200)
      expect(claimsOf(json.access_token).sub).toBe(user_id)
    }
    expect(publisher.asked).toContain('/jwks.json')
  })

  test('one assertion counts once, of fifty at once as well', async () => {
    const text = assertion()
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(text)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ json }) => json.error === 'invalid_grant')).toHaveLength(49)
    expect((await ask(text)).json.error).toBe('invalid_grant')
  })
})

describe('RFC 7523 §3 RFC 7521 §5.2 what is refused', () => {
  const stranger = makeKey('ES256')
  test.each<[string, () => string | undefined, Parameters, string]>([
    ['no assertion', () => undefined, {}, 'invalid_request'],
    ['a text that is none', () => 'x', {}, 'invalid_grant'],
    ['an unsigned one', () => unsignedJwt(claims()), {}, 'invalid_grant'],
    ['one signed with the secret of the client', () => signWithSecret(secret, claims()), {}, 'invalid_grant'],
    ['another key', () => assertion({}, stranger), {}, 'invalid_grant'],
    ['another key of the same name', () => assertion({}, { ...stranger, kid: keys.partner.kid }), {}, 'invalid_grant'],
    ['the key of another issuer', () => assertion({ iss: old, sub: user_id }), {}, 'invalid_grant'],
    ['an unknown issuer', () => assertion({ iss: 'https://evil.example/' }), {}, 'invalid_grant'],
    ['this server as issuer', () => assertion({ iss: issuer }), {}, 'invalid_grant'],
    ['another audience', () => assertion({ aud: 'https://elsewhere.example/' }), {}, 'invalid_grant'],
    ['the token endpoint as audience', () => assertion({ aud: `${issuer}oauth/token` }), {}, 'invalid_grant'],
    ['several audiences', () => assertion({ aud: [issuer, 'https://elsewhere.example/'] }), {}, 'invalid_grant'],
    ['no audience', () => assertion({ aud: undefined }), {}, 'invalid_grant'],
    ['one that is over', () => assertion({ exp: now() - 60 }), {}, 'invalid_grant'],
    ['one without an end', () => assertion({ exp: undefined }), {}, 'invalid_grant'],
    ['one that lasts a year', () => assertion({ exp: now() + 31_536_000 }), {}, 'invalid_grant'],
    ['one of the future', () => assertion({ nbf: now() + 300 }), {}, 'invalid_grant'],
    ['one without jti', () => assertion({ jti: undefined }), {}, 'invalid_grant'],
    ['an access token of theirs', () => assertion({}, keys.partner, { typ: 'at+jwt' }), {}, 'invalid_grant'],
    ['an unknown person', () => assertion({ email: 'nobody@example.com' }), {}, 'invalid_grant'],
    ['an address that they have not confirmed', () => assertion({ email_verified: false }), {}, 'invalid_grant'],
    ['an address that was not confirmed here', () => assertion({ email: blocked.email }), {}, 'invalid_grant'],
    ['no address', () => assertion({ email: undefined }), {}, 'invalid_grant'],
    ['a client that may not bring it', () => assertion(), { client_id: 'Other' }, 'invalid_grant'],
    ['no audience of the token', () => assertion(), { audience: undefined }, 'invalid_request'],
    ['a wrong secret', () => assertion(), { client_secret: 'x' }, 'invalid_client'],
    [
      'a client without the grant',
      () => assertion(),
      { client_id: clients.spa, client_secret: undefined },
      'unauthorized_client',
    ],
  ])('%s', async (_, text, change, error) => {
    expect((await ask(text(), change)).json.error).toBe(error)
  })

  test('somebody else’s application gets what the person allowed before, and nothing else', async () => {
    const asThird = { client_id: third, client_secret: undefined }
    expect((await ask(assertion(), asThird)).json.error).toBe('consent_required')
    await latchkey.tenant.store.grants.allow(
      { grant_id: 'g', user_id, client_id: third, audience: apis.messages, scope: ['read:messages'] },
      Date.now(),
    )
    expect((await ask(assertion(), asThird)).status).toBe(200)
    const more = await ask(assertion(), { ...asThird, scope: 'read:messages write:messages' })
    expect(more.json.error).toBe('consent_required')
  })

  test('a blocked person', async () => {
    await latchkey.tenant.store.users.update(user_id, { blocked: true }, Date.now())
    expect((await ask(assertion())).json.error_description).toBe('user is blocked')
    await latchkey.tenant.store.users.update(user_id, { blocked: false }, Date.now())
  })
})

describe('a tenant file with trusted issuers', () => {
  const file = (change: object) =>
    JSON.stringify({ tenant: { trusted_issuers: [{ issuer: 'x', clients: [], ...change }] } })
  test.each<[string, object, string]>([
    ['no keys', {}, 'keys are needed'],
    ['keys in two places', { jwks: { keys: [keys.old.jwk] }, jwks_uri: 'https://x.example/jwks' }, 'keys are needed'],
    ['plain http', { jwks_uri: 'http://x.example/jwks' }, 'https'],
    ['no connection for addresses', { jwks: { keys: [keys.old.jwk] }, subject: { match: 'email' } }, 'connection'],
  ])('%s', async (_, change, words) => {
    await expect(latchkey.apply(file(change))).rejects.toThrow(words)
  })
})
