import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fixture, openFixture } from './tenant_file_fixture.ts'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture()
  await fixture.store.configuration.ensureTenant(fixture.now)
})
afterAll(() => fixture.db.destroy())

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keys = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
const secretKeys = JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] })
const file = (fields: string) => `clients:\n  - { name: A, client_id: a, ${fields} }`
const secret = 'client_secret: a-secret-of-more-than-32-characters-00'

describe('OpenID Connect Registration §2 keys and request objects of a client', () => {
  test.each([
    `token_endpoint_auth_method: private_key_jwt, jwks: ${keys}`,
    'token_endpoint_auth_method: private_key_jwt, jwks_uri: https://a.example/jwks.json, token_endpoint_auth_signing_alg: PS256',
    `token_endpoint_auth_method: client_secret_jwt, token_endpoint_auth_signing_alg: HS256, ${secret}`,
    `jwks: ${keys}, request_object_signing_alg: EdDSA, require_signed_request_object: true, ${secret}`,
    `request_object_signing_alg: none, request_uris: ['https://a.example/ro#abc'], ${secret}`,
    `request_object_signing_alg: HS256, ${secret}`,
  ])('%s', async (fields) => expect(await fixture.problems(file(fields))).toEqual([]))

  test.each([
    ['token_endpoint_auth_method: private_key_jwt', 'needs the public keys'],
    [`jwks_uri: https://a.example/j, jwks: ${keys}`, 'not in both'],
    [`jwks: ${secretKeys}`, 'only the public part'],
    ["jwks: { keys: [{ kty: oct, k: 'AAAA' }] }", 'only the public part'],
    ['jwks: { keys: [{ kty: XYZ }] }', 'kty RSA, EC or OKP'],
    ['jwks_uri: ftp://a.example/j', 'absolute https URL'],
    ['jwks_uri: https://u:p@a.example/j', 'absolute https URL'],
    ["request_uris: ['/ro']", 'absolute https URL'],
    ['token_endpoint_auth_method: client_secret_jwt, token_endpoint_auth_signing_alg: ES256', 'does not fit'],
    [
      `token_endpoint_auth_method: private_key_jwt, token_endpoint_auth_signing_alg: HS256, jwks: ${keys}`,
      'does not fit',
    ],
    ['token_endpoint_auth_signing_alg: none', 'token_endpoint_auth_signing_alg'],
    ['request_object_signing_alg: none, require_signed_request_object: true', 'cannot send unsigned ones'],
    ['require_signed_request_object: true', 'need the public keys'],
    ['app_type: spa, request_object_signing_alg: HS256', 'no secret'],
    ['token_endpoint_auth_aud: sometimes', 'token_endpoint_auth_aud'],
  ])('%s is refused: %s', async (fields, words) => {
    expect((await fixture.problems(file(`${fields}, ${secret}`))).join('\n')).toContain(words)
  })

  test('an address that only fetch_allow opens is told', async () => {
    const warnings = JSON.stringify(
      (await fixture.plan(file(`jwks_uri: 'http://localhost:3000/jwks.json', ${secret}`))).warnings,
    )
    expect(warnings).toContain('fetch_allow')
  })

  test('a client that begins to sign with its secret needs it once more', async () => {
    const post = `clients:\n  - { name: B, client_id: b, token_endpoint_auth_method: client_secret_post, ${secret} }`
    await fixture.apply(post)
    expect(await fixture.store.configuration.clientSecret('b')).toBeUndefined()
    const jwt = post.replace('client_secret_post', 'client_secret_jwt')
    const without = jwt.replace(`, ${secret}`, '')
    expect(JSON.stringify((await fixture.plan(without)).warnings)).toContain('give the client_secret once more')
    await fixture.apply(jwt)
    expect(await fixture.store.configuration.clientSecret('b')).toBe('a-secret-of-more-than-32-characters-00')
    expect((await fixture.plan(without)).warnings).toEqual([])
    expect((await fixture.plan(jwt)).changes).toEqual([])
  })
})
