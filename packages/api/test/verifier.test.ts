import { CompactEncrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, TokenError, type Verifier } from '../src/index.ts'
import {
  audience,
  encode,
  hmacToken,
  type Issuer,
  makeKey,
  pem,
  publicJwk,
  seconds,
  signToken,
  startIssuer,
  subject,
} from './support/issuer.ts'

const key = makeKey('current')
const stranger = makeKey('current')
const es256 = makeKey('es', 'ES256')
const secret = 'a signing secret of an HS256 API, long enough'
let issuer: Issuer
let verifier: Verifier

beforeAll(async () => {
  issuer = await startIssuer(key, es256)
  verifier = createVerifier({ issuer: issuer.issuer, audience })
})
afterAll(() => issuer.close())

/** The code of the refusal, or `accepted`. */
async function outcome(token: unknown, checker: Verifier = verifier): Promise<string> {
  try {
    await checker.verify(String(token))
    return 'accepted'
  } catch (error) {
    if (error instanceof TokenError) return error.code
    throw error
  }
}

const goodHeader = { alg: 'RS256', typ: 'JWT', kid: 'current' }
const withHeader = (header: Record<string, unknown> | string) => () => signToken(key, header, issuer.claims())
const withClaims = (change: Record<string, unknown>) => () => issuer.token(key, change)

describe('RFC 9068 §4 validating access tokens: what is accepted', () => {
  const good: Record<string, () => string> = {
    'a token as it was issued': () => issuer.token(key),
    'aud as a list that contains the API': withClaims({ aud: [audience, 'https://login.example.com/userinfo'] }),
    'typ at+jwt with client_id': () =>
      issuer.token(key, { azp: undefined, client_id: 'abc', jti: '1' }, { typ: 'at+jwt' }),
    'typ application/at+jwt in capitals': () => issuer.token(key, {}, { typ: 'Application/AT+JWT' }),
    'no typ': () => issuer.token(key, {}, { typ: undefined }),
    'no scope': withClaims({ scope: undefined }),
    'a not-before in the past': withClaims({ nbf: seconds(-60) }),
    'no iat': withClaims({ iat: undefined }),
    'an iat ahead by less than the tolerance': withClaims({ iat: seconds(3) }),
    'a subject outside ASCII': withClaims({ sub: 'auth0|žluťoučký' }),
    'jku, jwk, x5u and x5c that lead elsewhere are not looked at': () =>
      issuer.token(
        key,
        {},
        {
          jku: 'http://127.0.0.1:1/keys',
          x5u: 'http://127.0.0.1:1/cert',
          x5c: ['AAAA'],
          jwk: publicJwk(stranger),
        },
      ),
  }
  test.each(Object.entries(good))('%s', async (_, make) => expect(await outcome(make())).toBe('accepted'))

  test('the claims are returned as they were signed', async () => {
    const claims = issuer.claims({ 'https://example.com/roles': ['editor'], permissions: ['read:messages'] })
    expect(await verifier.verify(signToken(key, goodHeader, claims))).toEqual(claims)
  })
})

describe('RFC 9068 §4, RFC 7515 §4, RFC 7519 §4, RFC 8725 §3.11 validating access tokens: what is refused', () => {
  const bad: Record<string, readonly [() => unknown, string]> = {
    'an empty text': [() => '', 'missing_token'],
    'an opaque token': [() => 'Zm9vYmFyYmF6', 'malformed'],
    'two parts': [() => issuer.token(key).split('.').slice(0, 2).join('.'), 'malformed'],
    'four parts': [() => `${issuer.token(key)}.AAAA`, 'malformed'],
    'a cut signature': [() => issuer.token(key).slice(0, -10), 'bad_signature'],
    'a signature cut inside its last group': [() => issuer.token(key).slice(0, -1), 'malformed'],
    'no signature': [() => `${issuer.token(key).split('.').slice(0, 2).join('.')}.`, 'malformed'],
    'a padded part': [() => `${issuer.token(key)}=`, 'malformed'],
    'a space at the end': [() => `${issuer.token(key)} `, 'malformed'],
    'a line feed at the end': [() => `${issuer.token(key)}\n`, 'malformed'],
    'a letter outside ASCII': [() => issuer.token(key).replace('e', 'е'), 'malformed'],
    'base64 instead of base64url': [() => issuer.token(key).replace(/[\w-](?=\.)/, '+'), 'malformed'],
    'more than 16 kB': [withClaims({ filler: 'x'.repeat(20_000) }), 'token_too_large'],
    'a header that is not JSON': [withHeader('{alg:RS256}'), 'malformed'],
    'a header that is a list': [withHeader('["RS256"]'), 'malformed'],
    'a header that is not UTF-8': [
      () =>
        `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${issuer.token(key).split('.').slice(1).join('.')}`,
      'malformed',
    ],
    'a header parameter twice': [withHeader('{"alg":"RS256","kid":"old","kid":"current"}'), 'malformed'],
    'a header parameter twice, once escaped': [
      withHeader('{"alg":"none","\\u0061lg":"RS256","kid":"current"}'),
      'malformed',
    ],
    'a claim twice': [
      () => signToken(key, goodHeader, `{"aud":"https://other.example/",${JSON.stringify(issuer.claims()).slice(1)}`),
      'malformed',
    ],
    'claims that are a list': [() => signToken(key, goodHeader, '[]'), 'malformed'],
    'a JWE': [
      () =>
        new CompactEncrypt(new TextEncoder().encode(JSON.stringify(issuer.claims())))
          .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
          .encrypt(key.publicKey),
      'encrypted',
    ],
    'alg none without signature': [
      () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(issuer.claims())}.`,
      'algorithm_refused',
    ],
    'alg none with the signature kept': [withHeader({ ...goodHeader, alg: 'none' }), 'algorithm_refused'],
    'alg None': [withHeader({ ...goodHeader, alg: 'None' }), 'algorithm_refused'],
    'no alg': [withHeader({ kid: 'current' }), 'algorithm_refused'],
    'alg as a list': [withHeader({ ...goodHeader, alg: ['RS256'] }), 'algorithm_refused'],
    'HS256 with the PEM of the RSA key as secret': [
      () => hmacToken(pem(key), { ...goodHeader, alg: 'HS256' }, issuer.claims()),
      'algorithm_refused',
    ],
    'HS256 with the JWK of the RSA key as secret': [
      () => hmacToken(JSON.stringify(publicJwk(key)), { ...goodHeader, alg: 'HS256' }, issuer.claims()),
      'algorithm_refused',
    ],
    'an algorithm that is published but not configured': [() => issuer.token(es256), 'algorithm_refused'],
    'RS256 with the kid of an ES256 key': [withHeader({ ...goodHeader, kid: 'es' }), 'unknown_key'],
    crit: [withHeader({ ...goodHeader, crit: ['exp'], exp: 1 }), 'critical_header'],
    'crit with b64': [withHeader({ ...goodHeader, crit: ['b64'], b64: true }), 'critical_header'],
    'an empty crit': [withHeader({ ...goodHeader, crit: [] }), 'critical_header'],
    'typ of a logout token': [withHeader({ ...goodHeader, typ: 'logout+jwt' }), 'wrong_type'],
    'typ of a DPoP proof': [withHeader({ ...goodHeader, typ: 'dpop+jwt' }), 'wrong_type'],
    'typ that is a number': [withHeader({ ...goodHeader, typ: 1 }), 'wrong_type'],
    'no kid': [withHeader({ alg: 'RS256', typ: 'JWT' }), 'unknown_key'],
    'an unknown kid': [withHeader({ ...goodHeader, kid: 'nobody' }), 'unknown_key'],
    'a kid with a path': [withHeader({ ...goodHeader, kid: '../../dev/null' }), 'unknown_key'],
    'kid __proto__': [withHeader({ ...goodHeader, kid: '__proto__' }), 'unknown_key'],
    'a kid that is a number': [withHeader({ ...goodHeader, kid: 1 }), 'malformed'],
    'the signature of another key': [() => issuer.token(stranger), 'bad_signature'],
    'the key of the token itself (jwk)': [
      () => issuer.token(stranger, {}, { jwk: publicJwk(stranger) }),
      'bad_signature',
    ],
    'the claims of another token': [
      () => {
        const [header, , signature] = issuer.token(key).split('.')
        return `${header}.${encode(issuer.claims({ sub: 'auth0|admin' }))}.${signature}`
      },
      'bad_signature',
    ],
    expired: [withClaims({ exp: seconds(-60) }), 'expired'],
    'expired just past the tolerance': [withClaims({ exp: seconds(-6) }), 'expired'],
    'no exp': [withClaims({ exp: undefined }), 'missing_claim'],
    'exp as text': [withClaims({ exp: String(seconds(600)) }), 'invalid_claim'],
    'exp beyond any number': [
      () => signToken(key, goodHeader, JSON.stringify(issuer.claims()).replace(/"exp":\d+/, '"exp":1e999')),
      'invalid_claim',
    ],
    'exp null': [withClaims({ exp: null }), 'invalid_claim'],
    'a not-before in the future': [withClaims({ nbf: seconds(60) }), 'not_yet_valid'],
    'a not-before as text': [withClaims({ nbf: '0' }), 'invalid_claim'],
    'issued in the future': [withClaims({ iat: seconds(60) }), 'not_yet_valid'],
    'iat as text': [withClaims({ iat: 'now' }), 'invalid_claim'],
    'an issuer without its slash': [() => issuer.token(key, { iss: issuer.issuer.slice(0, -1) }), 'wrong_issuer'],
    'an issuer with a path': [() => issuer.token(key, { iss: `${issuer.issuer}x` }), 'wrong_issuer'],
    'an issuer in capitals': [() => issuer.token(key, { iss: issuer.issuer.toUpperCase() }), 'wrong_issuer'],
    'an issuer as a list': [() => issuer.token(key, { iss: [issuer.issuer] }), 'wrong_issuer'],
    'no issuer': [withClaims({ iss: undefined }), 'missing_claim'],
    'another audience': [withClaims({ aud: 'https://other.example/' }), 'wrong_audience'],
    'an audience without its slash': [withClaims({ aud: audience.slice(0, -1) }), 'wrong_audience'],
    'a list of other audiences': [withClaims({ aud: ['https://other.example/', `${audience}x`] }), 'wrong_audience'],
    'an empty list of audiences': [withClaims({ aud: [] }), 'wrong_audience'],
    'a list with something that is no text': [withClaims({ aud: [audience, 1] }), 'invalid_claim'],
    'an audience as an object': [withClaims({ aud: { [audience]: true } }), 'wrong_audience'],
    'no audience': [withClaims({ aud: undefined }), 'missing_claim'],
    'no subject': [withClaims({ sub: undefined }), 'missing_claim'],
    'an empty subject': [withClaims({ sub: '' }), 'invalid_claim'],
    'a subject that is a number': [withClaims({ sub: 1 }), 'invalid_claim'],
    'a scope as a list': [withClaims({ scope: ['read:messages'] }), 'invalid_claim'],
    'permissions as text': [withClaims({ permissions: 'read:messages' }), 'invalid_claim'],
    'neither azp nor client_id': [withClaims({ azp: undefined }), 'missing_claim'],
    'azp that is a number': [withClaims({ azp: 1 }), 'invalid_claim'],
    'bound to a key (cnf)': [withClaims({ cnf: { jkt: 'x' } }), 'proof_required'],
  }
  test.each(Object.entries(bad))('%s', async (_, [make, code]) => expect(await outcome(await make())).toBe(code))

  test('a value that is no text', async () => {
    // @ts-expect-error a caller without types
    await expect(verifier.verify(undefined)).rejects.toMatchObject({ code: 'missing_token', status: 401 })
    // @ts-expect-error a caller without types
    await expect(verifier.verify({ length: 3, split: () => [] })).rejects.toMatchObject({ code: 'missing_token' })
  })
})

describe('OpenID Connect Core §2 an ID token is for the app alone', () => {
  const bad: Record<string, readonly [Record<string, unknown>, string]> = {
    'as the server issues it: aud is the client': [
      { aud: 'client-of-the-test', azp: undefined, scope: undefined, nonce: 'n', at_hash: 'h' },
      'wrong_audience',
    ],
    'aud lists the client and, by ill luck, the API; nonce': [
      { aud: ['client-of-the-test', audience], nonce: 'n' },
      'id_token',
    ],
    'a client whose id is the identifier of the API; at_hash': [{ at_hash: 'h', azp: audience }, 'id_token'],
    'c_hash of a hybrid response': [{ c_hash: 'h' }, 'id_token'],
    's_hash of a signed response': [{ s_hash: 'h' }, 'id_token'],
    'issued to the audience itself': [{ azp: audience }, 'id_token'],
    'no sign of the app at all': [{ azp: undefined, scope: undefined, name: 'Ann' }, 'missing_claim'],
  }
  test.each(Object.entries(bad))('%s', async (_, [change, code]) => {
    expect(await outcome(issuer.token(key, change))).toBe(code)
  })

  test('typ at+jwt removes the doubt about an app that is its own API', async () => {
    expect(await outcome(issuer.token(key, { client_id: audience, azp: undefined }, { typ: 'at+jwt' }))).toBe(
      'accepted',
    )
  })
})

describe('the other algorithms', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('%s, where configured, and nothing else', async (alg) => {
    const own = makeKey('own', alg)
    const server = await startIssuer(own)
    try {
      const checker = createVerifier({ issuer: server.issuer, audience, algorithms: [alg] })
      expect(await outcome(server.token(own), checker)).toBe('accepted')
      const other = alg === 'RS256' ? 'PS256' : 'RS256'
      expect(await outcome(server.token(own, {}, { alg: other }), checker)).toBe('algorithm_refused')
      expect(await outcome(hmacToken(pem(own), { alg: 'HS256', kid: 'own' }, server.claims()), checker)).toBe(
        'algorithm_refused',
      )
    } finally {
      await server.close()
    }
  })

  test('HS256 with a secret accepts that alone and never fetches', async () => {
    const { issuer: name, token, claims } = issuer
    const before = issuer.fetches
    const checker = createVerifier({ issuer: name, audience, algorithms: ['HS256'], secret })
    const header = { alg: 'HS256', typ: 'JWT' }
    expect(await outcome(hmacToken(secret, header, claims()), checker)).toBe('accepted')
    expect(await outcome(hmacToken(`${secret}x`, header, claims()), checker)).toBe('bad_signature')
    expect(await outcome(hmacToken('', header, claims()), checker)).toBe('bad_signature')
    expect(await outcome(token(key), checker)).toBe('algorithm_refused')
    expect(issuer.fetches).toBe(before)
  })
})

describe('issuer as a list, for one server with two names', () => {
  test('each name is accepted, others are not', async () => {
    const second = 'https://localhost:8443/'
    const checker = createVerifier({ issuer: [issuer.issuer, second], audience, jwks_uri: issuer.jwks_uri })
    expect(await outcome(issuer.token(key), checker)).toBe('accepted')
    expect(await outcome(issuer.token(key, { iss: second }), checker)).toBe('accepted')
    expect(await outcome(issuer.token(key, { iss: 'https://localhost:8444/' }), checker)).toBe('wrong_issuer')
  })
})

describe('time', () => {
  test('the clock and the tolerance decide to the second', async () => {
    let now = 1_700_000_000_000
    const clock = () => now
    const checker = createVerifier({ issuer: issuer.issuer, audience, clock, clock_tolerance: 2 })
    const exp = 1_700_000_100
    const token = issuer.token(key, { iat: 1_700_000_000, nbf: 1_700_000_000, exp })
    const at = async (second: number) => {
      now = second * 1000
      return outcome(token, checker)
    }
    expect(await at(exp - 1)).toBe('accepted')
    expect(await at(exp + 1)).toBe('accepted')
    expect(await at(exp + 2)).toBe('expired')
    expect(await at(1_700_000_000 - 2)).toBe('accepted')
    expect(await at(1_700_000_000 - 3)).toBe('not_yet_valid')
  })

  test('a token is refused the moment it ends, though it was accepted before', async () => {
    let now = Date.now()
    const checker = createVerifier({ issuer: issuer.issuer, audience, clock: () => now, clock_tolerance: 0 })
    const token = issuer.token(key, { subject })
    expect(await outcome(token, checker)).toBe('accepted')
    now += 601_000
    expect(await outcome(token, checker)).toBe('expired')
  })
})
