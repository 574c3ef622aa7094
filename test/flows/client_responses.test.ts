/** What is signed and encrypted for one client, as it registered: ID tokens, /userinfo, introspection. */
import { createHash, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { compactDecrypt, compactVerify, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeOf, post, requestToken, secret } from '../support/code_flow.ts'
import { type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, tenant } from '../support/tenant.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const okp = generateKeyPairSync('x25519')
const jwk = (key: KeyObject, kid: string, use?: string) => ({
  ...key.export({ format: 'jwk' }),
  kid,
  ...(use === undefined ? {} : { use }),
})
/** The signing key comes first: it must not be taken. */
const rsaKeys = [
  jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey, 'sig', 'sig'),
  jwk(rsa.publicKey, 'r', 'enc'),
]
const callback = 'https://own.example.net/callback'

const registered = {
  PS256: { id_token_signed_response_alg: 'PS256' },
  ES256: {
    jwt_configuration: { alg: 'ES256' },
    userinfo_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
  },
  EdDSA: { id_token_signed_response_alg: 'EdDSA', userinfo_signed_response_alg: 'EdDSA' },
  HS256: { id_token_signed_response_alg: 'HS256', userinfo_signed_response_alg: 'HS256' },
  Plain: {},
  Rsa: {
    jwks: { keys: rsaKeys },
    ...{ id_token_encrypted_response_alg: 'RSA-OAEP-256', userinfo_signed_response_alg: 'RS256' },
    ...{ userinfo_encrypted_response_alg: 'RSA-OAEP-256', userinfo_encrypted_response_enc: 'A256GCM' },
    introspection_encrypted_response_alg: 'RSA-OAEP-256',
  },
  Ec: {
    jwks: { keys: [jwk(ec.publicKey, 'e')] },
    id_token_encrypted_response_alg: 'ECDH-ES',
    id_token_encrypted_response_enc: 'A256GCM',
  },
  EcWrapped: {
    jwks: { keys: [jwk(ec.publicKey, 'e')] },
    ...{ id_token_encrypted_response_alg: 'ECDH-ES+A256KW', userinfo_encrypted_response_alg: 'ECDH-ES+A128KW' },
  },
  Okp: { jwks: { keys: [jwk(okp.publicKey, 'x')] }, id_token_encrypted_response_alg: 'ECDH-ES' },
  Direct: { id_token_encrypted_response_alg: 'dir', id_token_encrypted_response_enc: 'A256CBC-HS512' },
  Wrapped: { id_token_encrypted_response_alg: 'A128KW', userinfo_encrypted_response_alg: 'A256KW' },
  NoKey: { jwks: { keys: [rsaKeys[0]] }, id_token_encrypted_response_alg: 'RSA-OAEP-256' },
} as const
type Name = keyof typeof registered

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  const common = {
    client_secret: secret,
    app_type: 'regular_web',
    callbacks: [callback],
    grant_types: ['authorization_code', 'implicit'],
  }
  await latchkey.apply(
    JSON.stringify({
      clients: Object.entries(registered).map(([name, more]) => ({ name, client_id: name, ...common, ...more })),
      clientGrants: ['ES256', 'Rsa'].map((client_id) => ({ client_id, audience: apis.messages, scope: [] })),
    }),
  )
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const request = (client_id: string, change: Parameters = {}) => ({ client_id, redirect_uri: callback, ...change })
const tokensOf = async (client_id: Name, change: Parameters = {}) => {
  const code = await codeOf(ada, issuer, { ...request(client_id), ...change })
  return (await requestToken(issuer, { ...code, client_secret: secret })).json
}
const keys = () => createRemoteJWKSet(new URL(`${issuer}.well-known/jwks.json`))
const claimsFor = async (jwt: string | undefined, audience: string, alg: string) =>
  (await jwtVerify(jwt ?? '', keys(), { issuer, audience, algorithms: [alg] })).payload
const ask = async (access_token: string | undefined) => {
  const response = await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
  return { type: response.headers.get('content-type'), status: response.status, text: await response.text() }
}
const derived = (bits: number, hash = 'sha256') =>
  createSecretKey(
    createHash(hash)
      .update(secret)
      .digest()
      .subarray(0, bits / 8),
  )

describe('OpenID Connect Core §10.1 signing for a client', () => {
  test.each(['PS256', 'ES256', 'EdDSA'] as const)('ID tokens with %s', async (alg) => {
    const { id_token, access_token } = await tokensOf(alg)
    const claims = await claimsFor(id_token, alg, alg)
    const digest = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
      .update(access_token ?? '')
      .digest()
    expect(claims.at_hash).toBe(digest.subarray(0, digest.length / 2).toString('base64url'))
  })

  test('HS256 by the secret of the client, without a kid, and no key of ours', async () => {
    const { id_token = '', access_token } = await tokensOf('HS256')
    expect(decodeProtectedHeader(id_token)).toEqual({ alg: 'HS256', typ: 'JWT' })
    const key = createSecretKey(secret, 'utf8')
    const { payload } = await jwtVerify(id_token, key, { issuer, audience: 'HS256', algorithms: ['HS256'] })
    expect(payload.nonce).toBe('n-0S6_WzA2Mj')
    const told = await ask(access_token)
    expect((await jwtVerify(told.text, key, { issuer, audience: 'HS256' })).payload.sub).toBe(payload.sub)
  })

  test('OpenID Connect Core §3.1.2.1 such an ID token is a hint as good as others, for its own client alone', async () => {
    const { id_token } = await tokensOf('HS256')
    const hinted = await silently(ada, issuer, request('HS256', { id_token_hint: id_token }))
    expect(outcomeOf(hinted).parameters).toHaveProperty('id_token')
    const foreign = await silently(ada, issuer, request('PS256', { id_token_hint: id_token }))
    expect(outcomeOf(foreign).parameters.error).toBe('invalid_request')
    const forged = await silently(ada, issuer, request('HS256', { id_token_hint: `${id_token?.slice(0, -6)}AAAAAA` }))
    expect(outcomeOf(forged).parameters.error).toBe('invalid_request')
  })

  test('it opens neither /userinfo nor introspection', async () => {
    const { id_token } = await tokensOf('HS256')
    expect((await ask(id_token)).status).toBe(401)
  })
})

describe('OpenID Connect Core §5.3.2 /userinfo as a JWT', () => {
  test.each(['ES256', 'EdDSA'] as const)('signed with %s: iss and aud, and nothing of a token', async (alg) => {
    const { id_token, access_token } = await tokensOf(alg)
    const { type, status, text } = await ask(access_token)
    expect([status, type]).toEqual([200, 'application/jwt'])
    const claims = await claimsFor(text, alg, alg)
    expect(claims).toMatchObject({ sub: claimsOf(id_token).sub, name: 'Ada Lovelace' })
    for (const absent of ['nonce', 'exp', 'sid', 'at_hash']) expect(claims).not.toHaveProperty(absent)
    // It is no ID token.
    const hinted = await silently(ada, issuer, request(alg, { id_token_hint: text }))
    expect(outcomeOf(hinted).parameters.error).toBe('invalid_request')
  })

  test('plain JSON for who registered nothing', async () => {
    const { type, text } = await ask((await tokensOf('Plain')).access_token)
    expect(type).toContain('application/json')
    expect(JSON.parse(text)).toHaveProperty('sub')
  })

  test('signed and encrypted, or encrypted alone', async () => {
    const both = await ask((await tokensOf('Rsa')).access_token)
    expect(both.type).toBe('application/jwt')
    const { plaintext, protectedHeader } = await compactDecrypt(both.text, rsa.privateKey)
    expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: 'r' })
    await claimsFor(Buffer.from(plaintext).toString(), 'Rsa', 'RS256')
    for (const [name, key] of [
      ['EcWrapped', ec.privateKey],
      ['Wrapped', derived(256)],
    ] as const) {
      const alone = await ask((await tokensOf(name)).access_token)
      const opened = await compactDecrypt(alone.text, key)
      expect(opened.protectedHeader).not.toHaveProperty('cty')
      expect(JSON.parse(Buffer.from(opened.plaintext).toString())).toMatchObject({ name: 'Ada Lovelace' })
    }
  })
})

describe('OpenID Connect Core §10.2 RFC 7516 §5.1 RFC 7518 §5.1 encryption for a client', () => {
  test.each<[Name, KeyObject, object]>([
    ['Rsa', rsa.privateKey, { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', kid: 'r' }],
    ['Ec', ec.privateKey, { alg: 'ECDH-ES', enc: 'A256GCM', kid: 'e' }],
    ['EcWrapped', ec.privateKey, { alg: 'ECDH-ES+A256KW', enc: 'A128CBC-HS256', kid: 'e' }],
    ['Okp', okp.privateKey, { alg: 'ECDH-ES', enc: 'A128CBC-HS256', kid: 'x' }],
    ['Direct', derived(512, 'sha512'), { alg: 'dir', enc: 'A256CBC-HS512' }],
    ['Wrapped', derived(128), { alg: 'A128KW', enc: 'A128CBC-HS256' }],
  ])('an ID token for %s', async (name, key, header) => {
    const front = outcomeOf(await signIn(ada, issuer, request(name))).parameters
    const { id_token } = await tokensOf(name)
    for (const token of [id_token, front.id_token]) {
      const { plaintext, protectedHeader } = await compactDecrypt(token ?? '', key)
      expect(protectedHeader).toMatchObject({ ...header, cty: 'JWT' })
      expect(protectedHeader).not.toHaveProperty('zip')
      const claims = await claimsFor(Buffer.from(plaintext).toString(), name, 'RS256')
      expect(claims.nonce).toBe('n-0S6_WzA2Mj')
    }
  })

  test('a client whose keys do not fit is told so, in both places', async () => {
    const { parameters } = outcomeOf(await signIn(ada, issuer, request('NoKey')))
    expect(parameters.error).toBe('unauthorized_client')
    const code = await codeOf(ada, issuer, request('NoKey'))
    const { status, json } = await requestToken(issuer, { ...code, client_secret: secret })
    expect([status, json.error]).toEqual([400, 'unauthorized_client'])
  })
})

describe('RFC 9701 §6 introspection signed and encrypted', () => {
  const look = async (client_id: string) => {
    const token = (await tokensOf('Plain')).access_token ?? ''
    const response = await fetch(`${issuer}oauth/introspect`, {
      method: 'POST',
      headers: { accept: 'application/token-introspection+jwt' },
      body: new URLSearchParams({ client_id, client_secret: secret, token }),
    })
    return response.text()
  }

  test('as the caller registered', async () => {
    const claims = await claimsFor(await look('ES256'), 'ES256', 'ES256')
    expect(claims.token_introspection).toMatchObject({ active: true, client_id: 'Plain' })
    const { plaintext } = await compactDecrypt(await look('Rsa'), rsa.privateKey)
    const inner = await compactVerify(plaintext, keys())
    expect(inner.protectedHeader.typ).toBe('token-introspection+jwt')
  })
})

describe('OpenID Connect Registration §2 what a client may register', () => {
  const file = (change: object) =>
    JSON.stringify({ clients: [{ name: 'X', app_type: 'spa', callbacks: [callback], ...change }] })
  test.each<[string, object, string]>([
    ['HS256 of a public client', { id_token_signed_response_alg: 'HS256' }, 'no secret'],
    ['HS256 of a public client at /userinfo', { userinfo_signed_response_alg: 'HS256' }, 'no secret'],
    ['encryption without keys', { id_token_encrypted_response_alg: 'RSA-OAEP-256' }, 'jwks'],
    ['encryption with the secret of a public client', { id_token_encrypted_response_alg: 'dir' }, 'no secret'],
    ['half of it', { id_token_encrypted_response_enc: 'A256GCM' }, 'id_token_encrypted_response_alg'],
    ['two algorithms', { id_token_signed_response_alg: 'ES256', jwt_configuration: { alg: 'PS256' } }, 'the same'],
    ['an unknown algorithm', { id_token_signed_response_alg: 'RS512' }, 'id_token_signed_response_alg'],
    ['RSA with PKCS 1.5', { id_token_encrypted_response_alg: 'RSA1_5' }, 'id_token_encrypted_response_alg'],
  ])('%s is refused', async (_, change, words) => {
    await expect(latchkey.apply(file(change))).rejects.toThrow(words)
  })

  test('OpenID Connect Discovery §3 what is on is told', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >
    expect(document.id_token_signing_alg_values_supported).toEqual(
      expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256']),
    )
    expect(document.userinfo_signing_alg_values_supported).toContain('RS256')
    expect(document.id_token_encryption_alg_values_supported).toContain('ECDH-ES')
    expect(document.userinfo_encryption_enc_values_supported).toContain('A256GCM')
    expect(document.introspection_encryption_alg_values_supported).toContain('dir')
  })

  test('oidcc-userinfo-rs256 by somebody who registers himself', async () => {
    const one = await startLatchkey({
      tenant: tenant.replace(
        'friendly_name: Example',
        'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
      ),
    })
    const answer = await fetch(`${one.issuer}oidc/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [callback],
        userinfo_signed_response_alg: 'RS256',
        id_token_signed_response_alg: 'HS256',
      }),
    })
    const json = (await answer.json()) as Record<string, string>
    expect([answer.status, json.userinfo_signed_response_alg]).toEqual([201, 'RS256'])
    const code = await codeOf(new Agent(), one.issuer, {
      ...request(json.client_id ?? ''),
      audience: undefined,
      scope: 'openid',
    })
    const own = { client_id: json.client_id, client_secret: json.client_secret }
    const tokens = (await requestToken(one.issuer, { ...code, ...own }, {})).json
    const key = createSecretKey(json.client_secret ?? '', 'utf8')
    expect((await jwtVerify(tokens.id_token ?? '', key)).payload.aud).toBe(json.client_id)
    const told = await fetch(`${one.issuer}userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    expect(decodeProtectedHeader(await told.text()).alg).toBe('RS256')
    await one.close()
  })
})

test('RFC 7662 §2.2 is not disturbed by any of it', async () => {
  const { access_token } = await tokensOf('Plain')
  const { json } = await post(`${issuer}oauth/introspect`, {
    client_id: 'ES256',
    client_secret: secret,
    token: access_token,
  })
  expect(json).toMatchObject({ active: true })
})
