/** Tests the judgement of ID tokens: real keys, real signatures, keys fetched over HTTP. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Expected, verifyIdToken } from '../src/id_token.ts'
import { openKeys } from '../src/jwks.ts'
import { type ScriptedServer, startAuthorizationServer } from './support/authorization_server.ts'
import { type Alg, atHash, encode, makeKey, signToken, type TestKey } from './support/signing.ts'

const now = 1_800_000_000
const access_token = 'eyJ0.access.token'
const keys: Record<Alg, TestKey> = {
  RS256: makeKey('RS256', 'rsa'),
  PS256: makeKey('PS256', 'pss'),
  ES256: makeKey('ES256', 'ec'),
  EdDSA: makeKey('EdDSA', 'ed'),
}
const stranger = makeKey('RS256', 'rsa')

let server: ScriptedServer
beforeAll(async () => {
  server = await startAuthorizationServer()
  server.keys = Object.values(keys)
})
afterAll(() => server.close())

const claims = (changes: object = {}) => ({
  iss: server.issuer,
  sub: 'auth0|1',
  aud: 'client',
  iat: now - 5,
  exp: now + 600,
  nonce: 'n-1',
  at_hash: atHash(access_token),
  ...changes,
})

const expected = (changes: Partial<Expected> = {}): Expected => ({
  issuer: server.issuer,
  client_id: 'client',
  nonce: 'n-1',
  alg: 'RS256',
  leeway: 60,
  now,
  access_token,
  ...changes,
})

const verify = (token: string, changes: Partial<Expected> = {}) =>
  verifyIdToken(token, expected(changes), openKeys(server.issuer))

describe('OpenID Connect Core §3.2.2.9, §3.2.2.11 ID token validation', () => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const)
    test(`a good ${alg} token is accepted where ${alg} is configured`, async () => {
      const token = signToken(keys[alg], claims({ at_hash: atHash(access_token, alg) }))
      expect((await verify(token, { alg })).sub).toBe('auth0|1')
    })

  for (const [name, change, code] of [
    ['another issuer', { iss: 'https://evil.example/' }, 'id_token_iss'],
    ['an issuer without its last slash', { iss: 'SLASHLESS' }, 'id_token_iss'],
    ['no issuer', { iss: undefined }, 'id_token_iss'],
    ['another audience', { aud: 'other' }, 'id_token_aud'],
    ['no audience', { aud: undefined }, 'id_token_aud'],
    ['a list of other audiences', { aud: ['other', 'third'], azp: 'client' }, 'id_token_aud'],
    ['two audiences without azp', { aud: ['client', 'other'] }, 'id_token_azp'],
    ['two audiences and another azp', { aud: ['client', 'other'], azp: 'other' }, 'id_token_azp'],
    ['one audience and another azp', { azp: 'other' }, 'id_token_azp'],
    ['an end that is past the leeway', { exp: now - 60 }, 'id_token_exp'],
    ['no end', { exp: undefined }, 'id_token_exp'],
    ['an end that is text', { exp: String(now + 600) }, 'id_token_exp'],
    ['a start in the future', { iat: now + 61 }, 'id_token_iat'],
    ['no start', { iat: undefined }, 'id_token_iat'],
    ['a not-before in the future', { nbf: now + 61 }, 'id_token_iat'],
    ['another nonce', { nonce: 'n-2' }, 'id_token_nonce'],
    ['no nonce', { nonce: undefined }, 'id_token_nonce'],
    ['another at_hash', { at_hash: atHash('other') }, 'id_token_at_hash'],
    ['no at_hash beside an access token', { at_hash: undefined }, 'id_token_at_hash'],
    ['no sub', { sub: undefined }, 'id_token_malformed'],
    ['an empty sub', { sub: '' }, 'id_token_malformed'],
  ] as const)
    test(`${name} is ${code}`, async () => {
      const fixed = 'iss' in change && change.iss === 'SLASHLESS' ? { iss: server.origin } : change
      await expect(verify(signToken(keys.RS256, claims(fixed)))).rejects.toMatchObject({ code })
    })

  for (const [name, change] of [
    ['an end just inside the leeway', { exp: now - 59 }],
    ['a start just inside the leeway', { iat: now + 60 }],
    ['two audiences with our azp', { aud: ['client', 'other'], azp: 'client' }],
    ['a list of one audience', { aud: ['client'] }],
  ] as const)
    test(`${name} is accepted`, async () => {
      await expect(verify(signToken(keys.RS256, claims(change)))).resolves.toMatchObject({ sub: 'auth0|1' })
    })

  test('at_hash is not asked for where no access token came along', async () => {
    const token = signToken(keys.RS256, claims({ at_hash: undefined }))
    await expect(verify(token, { access_token: undefined })).resolves.toBeDefined()
  })

  for (const [name, change, code] of [
    ['no auth_time where max_age was asked', {}, 'id_token_auth_time'],
    ['an auth_time longer ago than max_age', { auth_time: now - 161 }, 'id_token_auth_time'],
    ['an auth_time within max_age', { auth_time: now - 160 }, undefined],
  ] as const)
    test(`${name} is ${code ?? 'accepted'}`, async () => {
      const judged = verify(signToken(keys.RS256, claims(change)), { max_age: 100 })
      if (code) await expect(judged).rejects.toMatchObject({ code })
      else await expect(judged).resolves.toBeDefined()
    })

  test('another person at a renewal is id_token_sub', async () => {
    await expect(verify(signToken(keys.RS256, claims()), { sub: 'auth0|2' })).rejects.toMatchObject({
      code: 'id_token_sub',
    })
  })
})

describe('RFC 8725 §3.1 the algorithm comes from configuration', () => {
  const unsigned = (header: object) => `${encode(header)}.${encode(claims())}.`
  for (const [name, make, code] of [
    ['ES256 where RS256 is configured', () => signToken(keys.ES256, claims()), 'id_token_alg'],
    ['PS256 where RS256 is configured', () => signToken(keys.PS256, claims()), 'id_token_alg'],
    ['HS256', () => signToken(keys.RS256, claims(), { alg: 'HS256' }), 'id_token_alg'],
    ['none with a signature', () => signToken(keys.RS256, claims(), { alg: 'none' }), 'id_token_alg'],
    ['none without a signature', () => unsigned({ alg: 'none' }), 'id_token_malformed'],
    ['a header that lies about the algorithm', () => signToken(keys.ES256, claims(), { alg: 'RS256' }), 'id_token_key'],
    ["a stranger's key under our kid", () => signToken(stranger, claims()), 'id_token_signature'],
    ['an unknown kid', () => signToken(keys.RS256, claims(), { kid: 'nobody' }), 'id_token_key'],
    ['its own key in the header', () => signToken(stranger, claims(), { jwk: stranger.jwk }), 'id_token_signature'],
    ['changed claims', () => changePart(1, encode(claims({ sub: 'auth0|9' }))), 'id_token_signature'],
    ['a changed signature', () => changePart(2, encode('x'.repeat(254))), 'id_token_signature'],
    ['a critical extension', () => signToken(keys.RS256, claims(), { crit: ['b64'] }), 'id_token_malformed'],
    ['two parts', () => 'a.b', 'id_token_malformed'],
    ['four parts', () => `${signToken(keys.RS256, claims())}.x`, 'id_token_malformed'],
    ['standard base64', () => `${encode({ alg: 'RS256' })}=.${encode({})}.eA`, 'id_token_malformed'],
    ['a header that is no object', () => `${encode([])}.${encode({})}.eA`, 'id_token_malformed'],
    ['claims that are null', () => `${encode({ alg: 'RS256' })}.${encode(null)}.eA`, 'id_token_malformed'],
    ['bytes that are not UTF-8', () => `${Buffer.from([255]).toString('base64url')}.e30.eA`, 'id_token_malformed'],
    ['nothing', () => '', 'id_token_malformed'],
  ] as const)
    test(`${name} is ${code}`, async () => {
      await expect(verify(make())).rejects.toMatchObject({ code, name: 'LatchkeyError' })
    })

  function changePart(index: number, part: string): string {
    return signToken(keys.RS256, claims())
      .split('.')
      .map((old, at) => (at === index ? part : old))
      .join('.')
  }
})
