/** DPoP over HTTP: what a proof must be, and that codes, access tokens and refresh tokens serve nobody but its key. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  pkce,
  post,
  requestToken,
  secret,
  webRequest,
  webSecret,
} from '../support/code_flow.ts'
import { athOf, dpopProof, type ProofChange, type ProofKey, proofKey } from '../support/dpop.ts'
import { authorizeUrl, type Parameters, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, tenant } from '../support/tenant.ts'

const boundCallback = 'https://bound.example.com/callback'
const bound = { client_id: 'BoundClient000000000000000000001', redirect_uri: boundCallback }
const strict = { client_id: 'NonceClient000000000000000000001', redirect_uri: 'https://nonce.example.com/callback' }
const dpopTenant = `
clients:
  - name: Bound
    client_id: ${bound.client_id}
    app_type: spa
    callbacks: ['${bound.redirect_uri}']
    dpop_bound_access_tokens: true
  - name: Strict about nonces
    client_id: ${strict.client_id}
    app_type: spa
    callbacks: ['${strict.redirect_uri}']
    require_dpop_nonce: true
`

let latchkey: Latchkey
let issuer: string
let endpoint: string
const ada = new Agent()
const key = proofKey()
const thief = proofKey()
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  endpoint = `${issuer}oauth/token`
  await latchkey.apply(codeTenant)
  await latchkey.apply(dpopTenant)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const proof = (change: ProofChange = {}, of: ProofKey = key) => dpopProof(of, 'POST', endpoint, change)
const machine = { grant_type: 'client_credentials', client_id: codeClients.machine, client_secret: secret }
const askFor = (dpop: string | undefined, fields: Parameters = {}) =>
  requestToken(issuer, { ...machine, audience: apis.messages, ...fields }, dpop === undefined ? {} : { dpop })
const exchange = async (dpop: string | undefined, change: Parameters = {}, asked: Parameters = {}) =>
  requestToken(issuer, { ...(await codeOf(ada, issuer, asked)), ...change }, dpop === undefined ? {} : { dpop })
const errorOf = async (answer: ReturnType<typeof askFor>) => {
  const { status, json } = await answer
  return [status, json.error]
}
const at = (path: string) => `${issuer}${path}`
const now = () => Math.floor(Date.now() / 1000)

describe('RFC 9449 §5 a token request with a proof', () => {
  test.each(['ES256', 'EdDSA', 'RS256', 'PS256'] as const)('%s: the token is bound to the key', async (alg) => {
    const own = proofKey(alg)
    const { status, headers, json } = await askFor(proof({}, own))
    expect([status, json.token_type]).toEqual([200, 'DPoP'])
    expect(claimsOf(json.access_token).cnf).toEqual({ jkt: own.jkt })
    expect(headers.get('dpop-nonce')).toMatch(/^[\w-]{43}$/)
  })

  test('without one the token is a Bearer token, and no nonce is told', async () => {
    const { headers, json } = await askFor(undefined)
    expect(json.token_type).toBe('Bearer')
    expect(claimsOf(json.access_token)).not.toHaveProperty('cnf')
    expect(headers.get('dpop-nonce')).toBeNull()
  })

  test('discovery lists the algorithms', async () => {
    const document = (await (await fetch(at('.well-known/openid-configuration'))).json()) as Record<string, unknown>
    expect(document.dpop_signing_alg_values_supported).toEqual(['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'])
    expect(document).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
  })
})

describe('RFC 9449 §4.3 checking proofs', () => {
  const rsa = proofKey('RS256')
  const good: Record<string, () => string> = {
    'htu in capitals where case does not count': () =>
      dpopProof(key, 'POST', endpoint.replace('http://localhost', 'HTTP://LOCALHOST')),
    'htu with query and fragment': () => dpopProof(key, 'POST', `${endpoint}?a=b#c`),
    'htu with an escaped letter': () => dpopProof(key, 'POST', endpoint.replace('token', '%74oken')),
    'made 10 seconds ago': () => proof({ claims: { iat: now() - 10 } }),
    'made 10 seconds ahead': () => proof({ claims: { iat: now() + 10 } }),
    'an iat with a fraction': () => proof({ claims: { iat: Date.now() / 1000 } }),
    'a jwk with more than it needs': () =>
      proof({ header: { jwk: { ...key.jwk, kid: 'x', use: 'sig', alg: 'ES256' } } }),
    'an exp ahead and an nbf behind': () => proof({ claims: { exp: now() + 60, nbf: now() - 5 } }),
  }
  test.each(Object.keys(good))('%s is accepted', async (name) => {
    expect(await errorOf(askFor(good[name]?.()))).toEqual([200, undefined])
  })

  const bad: Record<string, () => string> = {
    'an empty header': () => '',
    'no JWT': () => 'not-a-jwt',
    'two proofs in one header': () => `${proof()}, ${proof()}`,
    'four parts': () => `${proof()}.x`,
    'a padded part': () => proof().replace(/\.(?=[^.]*$)/, '=.'),
    'longer than 8192 characters': () => proof({ claims: { filler: 'x'.repeat(8000) } }),
    'no typ': () => proof({ header: { typ: undefined } }),
    'typ JWT': () => proof({ header: { typ: 'JWT' } }),
    'no alg': () => proof({ header: { alg: undefined } }),
    'alg none': () => `${proof({ header: { alg: 'none' } }).replace(/[^.]+$/, '')}`,
    'alg none with a signature': () => proof({ header: { alg: 'none' } }),
    'alg HS256': () => proof({ header: { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } } }),
    'alg ES384': () => proof({ header: { alg: 'ES384' } }),
    'no jwk': () => proof({ header: { jwk: undefined } }),
    'a jwk that is a text': () => proof({ header: { jwk: 'key' } }),
    'a private jwk': () => proof({ header: { jwk: key.private_jwk } }),
    'a private RSA jwk': () => dpopProof(rsa, 'POST', endpoint, { header: { jwk: rsa.private_jwk } }),
    'a jwk of another kind': () => proof({ header: { jwk: rsa.jwk } }),
    'a point that is not on the curve': () => proof({ header: { jwk: { ...key.jwk, x: key.jwk.y } } }),
    'an RSA key that is too short': () =>
      proof({ header: { alg: 'RS256', jwk: { kty: 'RSA', n: 'x'.repeat(171), e: 'AQAB' } } }),
    'the signature of another key': () => proof({ signer: thief.private_key }),
    'a critical header': () => proof({ header: { crit: ['x'], x: 1 } }),
    'no jti': () => proof({ claims: { jti: undefined } }),
    'an empty jti': () => proof({ claims: { jti: '' } }),
    'a jti that is a number': () => proof({ claims: { jti: 1 } }),
    'a jti of 300 characters': () => proof({ claims: { jti: 'x'.repeat(300) } }),
    'no htm': () => proof({ claims: { htm: undefined } }),
    'another htm': () => proof({ claims: { htm: 'GET' } }),
    'htm in small letters': () => proof({ claims: { htm: 'post' } }),
    'no htu': () => proof({ claims: { htu: undefined } }),
    'htu of another path': () => proof({ claims: { htu: at('userinfo') } }),
    'htu of another host': () => proof({ claims: { htu: 'https://evil.example/oauth/token' } }),
    'htu of another port': () => proof({ claims: { htu: 'http://localhost:1/oauth/token' } }),
    'htu with another scheme': () => proof({ claims: { htu: endpoint.replace('http:', 'https:') } }),
    'htu with a user name': () => proof({ claims: { htu: endpoint.replace('//', '//user@') } }),
    'htu that is a path': () => proof({ claims: { htu: '/oauth/token' } }),
    'no iat': () => proof({ claims: { iat: undefined } }),
    'iat as a text': () => proof({ claims: { iat: String(now()) } }),
    'made an hour ago': () => proof({ claims: { iat: now() - 3600 } }),
    'made in an hour': () => proof({ claims: { iat: now() + 3600 } }),
    expired: () => proof({ claims: { exp: now() - 120 } }),
    'not valid yet': () => proof({ claims: { nbf: now() + 3600 } }),
    'a nonce that is no text': () => proof({ claims: { nonce: 1 } }),
  }
  test.each(Object.keys(bad))('%s is refused', async (name) => {
    const { status, headers, json } = await askFor(bad[name]?.())
    expect([status, json.error, json.access_token]).toEqual([400, 'invalid_dpop_proof', undefined])
    // clients.md C15: some clients take any error beside a nonce for a demand for it.
    expect(headers.get('dpop-nonce')).toBeNull()
  })

  test('two headers are refused', async () => {
    const body = String(new URLSearchParams({ ...machine, audience: apis.messages }))
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', dpop: [proof(), proof()] }
      request(endpoint, { method: 'POST', headers }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end(body)
    })
    expect(status).toBe(400)
  })
})

describe('RFC 9449 §11.1 a proof works once', () => {
  test('the same proof again is refused; the same jti of another key is not', async () => {
    const jti = randomUUID()
    const first = proof({ claims: { jti } })
    expect(await errorOf(askFor(first))).toEqual([200, undefined])
    expect(await errorOf(askFor(first))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(askFor(proof({ claims: { jti } })))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(askFor(proof({ claims: { jti } }, thief)))).toEqual([200, undefined])
  })

  test('what failed for another reason has not used it up', async () => {
    const one = proof()
    expect(await errorOf(askFor(one, { audience: 'https://nowhere.example/' }))).toEqual([403, 'access_denied'])
    expect(await errorOf(askFor(one))).toEqual([200, undefined])
  })

  test('100 at once: exactly one wins', async () => {
    const one = proof()
    const answers = await Promise.all(Array.from({ length: 100 }, () => askFor(one)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ json }) => json.error))).toEqual(
      new Set(['invalid_dpop_proof']),
    )
  })
})

describe('RFC 9449 §8 nonces of the server', () => {
  test('a nonce is not demanded, but one that is there must be ours', async () => {
    const { status, headers, json } = await askFor(proof({ claims: { nonce: 'made up' } }))
    expect([status, json.error]).toEqual([400, 'use_dpop_nonce'])
    const nonce = headers.get('dpop-nonce')
    expect(await errorOf(askFor(proof({ claims: { nonce } })))).toEqual([200, undefined])
  })

  test('a client that must use one gets it with the refusal', async () => {
    const code = await codeOf(ada, issuer, strict)
    const first = await requestToken(issuer, { ...code }, { dpop: proof() })
    expect([first.status, first.json.error]).toEqual([400, 'use_dpop_nonce'])
    const nonce = first.headers.get('dpop-nonce')
    const second = await requestToken(issuer, { ...code }, { dpop: proof({ claims: { nonce } }) })
    expect([second.status, second.json.token_type]).toEqual([200, 'DPoP'])
    const { access_token } = second.json
    const ask = (claims: object) =>
      fetch(at('userinfo'), {
        headers: {
          authorization: `DPoP ${access_token}`,
          dpop: dpopProof(key, 'GET', at('userinfo'), { claims: { ...athOf(access_token), ...claims } }),
        },
      })
    const refused = await ask({})
    expect([refused.status, refused.headers.get('dpop-nonce')]).toEqual([401, nonce])
    expect(refused.headers.get('www-authenticate')).toMatch(/^DPoP .*error="use_dpop_nonce".*algs="ES256/)
    expect((await ask({ nonce })).status).toBe(200)
  })
})

describe('RFC 9449 §8.2 a new nonce', () => {
  test('the one before counts still, the one before that no more', async () => {
    const { headers } = await askFor(proof())
    const nonce = headers.get('dpop-nonce')
    const later = (seconds: number) => proof({ claims: { nonce, iat: now() + seconds } })
    latchkey.advance(300)
    const next = await askFor(later(300))
    expect(next.status).toBe(200)
    expect(next.headers.get('dpop-nonce')).not.toBe(nonce)
    latchkey.advance(300)
    expect(await errorOf(askFor(later(600)))).toEqual([400, 'use_dpop_nonce'])
    latchkey.advance(-600)
  })
})

describe('RFC 9449 §5.2 a client whose tokens are always bound', () => {
  test('no proof, no token', async () => {
    expect(await errorOf(exchange(undefined, {}, bound))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(exchange(proof(), {}, bound))).toEqual([200, undefined])
  })

  test('no token travels through its browser', async () => {
    const answer = await ada.request(authorizeUrl(issuer, { ...bound, response_type: 'token' }))
    expect(outcomeOf(answer).parameters).toMatchObject({ error: 'unauthorized_client' })
  })
})

describe('RFC 9449 §10 codes bound to a key', () => {
  const asked = { dpop_jkt: key.jkt }

  test('the key of dpop_jkt alone exchanges the code, and a thief does not use it up', async () => {
    const code = { ...(await codeOf(ada, issuer, asked)) }
    expect(await errorOf(requestToken(issuer, code))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(requestToken(issuer, code, { dpop: proof({}, thief) }))).toEqual([400, 'invalid_grant'])
    const { status, json } = await requestToken(issuer, code, { dpop: proof() })
    expect([status, json.token_type]).toEqual([200, 'DPoP'])
  })

  test.each(['', 'short', `${'A'.repeat(42)}B`, `${key.jkt}A`])('dpop_jkt %j is refused', async (dpop_jkt) => {
    const answer = await ada.request(authorizeUrl(issuer, { response_type: 'code', dpop_jkt }))
    if (dpop_jkt !== '') expect(outcomeOf(answer).parameters).toMatchObject({ error: 'invalid_request' })
  })
})

describe('RFC 9449 §10.1 pushed requests', () => {
  const push = async (dpop: string | undefined, change: Parameters = {}) => {
    const code = pkce()
    const fields = {
      ...{ client_id: clients.spa, redirect_uri: callback, response_type: 'code', scope: 'openid', ...code.request },
      ...change,
    }
    return { ...(await post(`${issuer}oauth/par`, fields, dpop === undefined ? {} : { dpop })), code }
  }
  const pushProof = (of = key, change: ProofChange = {}) => dpopProof(of, 'POST', `${issuer}oauth/par`, change)

  test('the proof binds the code as dpop_jkt does', async () => {
    const { status, json, code } = await push(pushProof())
    expect(status).toBe(201)
    const query = new URLSearchParams({ client_id: clients.spa, request_uri: json.request_uri ?? '' })
    const answer = await ada.request(`${issuer}authorize?${query}`)
    const fields = {
      ...{ grant_type: 'authorization_code', client_id: clients.spa, redirect_uri: callback },
      ...{ code: outcomeOf(answer).parameters.code, code_verifier: code.code_verifier },
    }
    expect(await errorOf(requestToken(issuer, fields, { dpop: proof({}, thief) }))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(requestToken(issuer, fields, { dpop: proof() }))).toEqual([200, undefined])
  })

  test('a proof of another key than dpop_jkt, a bad proof, and one used before are refused', async () => {
    expect((await push(pushProof(), { dpop_jkt: key.jkt })).status).toBe(201)
    const once = pushProof()
    expect((await push(once)).status).toBe(201)
    for (const [dpop, change] of [
      [pushProof(thief), { dpop_jkt: key.jkt }],
      [proof(), {}],
      [once, {}],
    ] as const)
      expect((await push(dpop, change)).json.error).toBe('invalid_dpop_proof')
  })
})

describe('RFC 9449 §5 refresh tokens', () => {
  const asked = { audience: offlineApi, scope: 'openid offline_access read:offline' }
  const again = (refresh_token: string | undefined, dpop: string | undefined, change: Parameters = {}) =>
    requestToken(
      issuer,
      { grant_type: 'refresh_token', client_id: clients.spa, refresh_token, ...change },
      dpop === undefined ? {} : { dpop },
    )

  test('of a public client are bound to the key, and nobody else ends the family', async () => {
    const { json } = await exchange(proof(), {}, asked)
    expect(await errorOf(again(json.refresh_token, undefined))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(again(json.refresh_token, proof({}, thief)))).toEqual([400, 'invalid_grant'])
    const next = await again(json.refresh_token, proof())
    expect([next.status, next.json.token_type]).toEqual([200, 'DPoP'])
    expect(claimsOf(next.json.access_token).cnf).toEqual({ jkt: key.jkt })
    // A lost answer is given again, to the same key alone; a thief with the old token ends nothing either.
    expect(await errorOf(again(json.refresh_token, proof({}, thief)))).toEqual([400, 'invalid_grant'])
    const retry = await again(json.refresh_token, proof())
    expect(retry.json.refresh_token).toBe(next.json.refresh_token)
    latchkey.advance(60)
    expect(await errorOf(again(json.refresh_token, proof({ claims: { iat: now() + 60 } }, thief)))).toEqual([
      400,
      'invalid_grant',
    ])
    const alive = await again(next.json.refresh_token, proof({ claims: { iat: now() + 60 } }))
    expect(alive.status).toBe(200)
    latchkey.advance(-60)
  })

  test('of a confidential client are bound to the client, which may change its key', async () => {
    const { json } = await exchange(proof(), webSecret, { ...asked, ...webRequest })
    const next = await again(json.refresh_token, proof({}, thief), webSecret)
    expect(claimsOf(next.json.access_token).cnf).toEqual({ jkt: thief.jkt })
    const plain = await again(next.json.refresh_token, undefined, webSecret)
    expect(plain.json.token_type).toBe('Bearer')
    expect(claimsOf(plain.json.access_token)).not.toHaveProperty('cnf')
  })

  test('without a proof at first they stay as they are', async () => {
    const { json } = await exchange(undefined, {}, asked)
    const next = await again(json.refresh_token, proof())
    expect(next.json.token_type).toBe('DPoP')
    expect((await again(next.json.refresh_token, undefined)).json.token_type).toBe('Bearer')
  })
})

describe('RFC 9449 §7.1 a bound token at userinfo', () => {
  type Change = ProofChange & { readonly htm?: string; readonly htu?: string; readonly of?: ProofKey }
  let opaque: string | undefined
  let jwt: string | undefined
  beforeAll(async () => {
    opaque = (await exchange(proof(), {}, { audience: undefined, scope: 'openid email' })).json.access_token
    jwt = (await exchange(proof())).json.access_token
  })
  const ask = async (token: string | undefined, change: Change = {}, headers: Record<string, string> = {}) => {
    const { htm = 'GET', htu = at('userinfo'), of = key, ...rest } = change
    const dpop = dpopProof(of, htm, htu, { ...rest, claims: { ...athOf(token), ...rest.claims } })
    const answer = await fetch(at('userinfo'), { headers: { authorization: `DPoP ${token}`, dpop, ...headers } })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
  }

  test('opens with the proof, whatever the case of the scheme, opaque or not', async () => {
    for (const token of [opaque, jwt])
      for (const scheme of ['DPoP', 'dpop', 'dPOP']) {
        const { status, headers } = await ask(token, {}, { authorization: `${scheme} ${token}` })
        expect([status, headers.get('dpop-nonce') === null]).toEqual([200, false])
      }
  })

  const proofFaults: Record<string, Change> = {
    'no ath': { claims: { ath: undefined } },
    'the ath of another token': { claims: athOf('another') },
    'another method': { htm: 'POST' },
    'another address': { htu: 'http://localhost/userinfo' },
    'an hour old': { claims: { iat: now() - 3600 } },
    'a bad signature': { signer: thief.private_key },
    'typ JWT': { header: { typ: 'JWT' } },
    'a private jwk': { header: { jwk: key.private_jwk } },
  }
  test.each(Object.entries(proofFaults))('%s: 401 with a challenge', async (_name, change) => {
    for (const token of [opaque, jwt]) {
      const { status, headers, body } = await ask(token, change)
      expect([status, body.error]).toEqual([401, 'invalid_dpop_proof'])
      expect(headers.get('www-authenticate')).toMatch(
        /^DPoP realm=".*", error="invalid_dpop_proof", error_description=".*", algs="ES256 Ed25519 EdDSA PS256 RS256"$/,
      )
    }
  })

  test('the proof of another key is no proof', async () => {
    for (const token of [opaque, jwt]) {
      const { status, body } = await ask(token, { of: thief })
      expect([status, body.error]).toEqual([401, 'invalid_token'])
    }
  })

  test('a proof works once here too', async () => {
    const change = { claims: { jti: randomUUID() } }
    expect((await ask(opaque, change)).status).toBe(200)
    expect((await ask(opaque, change)).body.error).toBe('invalid_dpop_proof')
  })

  test('no proof at all', async () => {
    const { status } = await fetch(at('userinfo'), { headers: { authorization: `DPoP ${opaque}` } })
    expect(status).toBe(401)
  })
})

describe('RFC 9449 §7.2 tokens of one kind sent as the other', () => {
  test('a bound token is refused as Bearer, proof or not, and the challenge asks for DPoP', async () => {
    const { access_token } = (await exchange(proof())).json
    for (const dpop of [undefined, dpopProof(key, 'GET', at('userinfo'), { claims: athOf(access_token) })]) {
      const answer = await fetch(at('userinfo'), {
        headers: { authorization: `Bearer ${access_token}`, ...(dpop === undefined ? {} : { dpop }) },
      })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_token".*algs=/)
    }
    const body = new URLSearchParams({ access_token: access_token ?? '' })
    expect((await fetch(at('userinfo'), { method: 'POST', body })).status).toBe(401)
  })

  test('a Bearer token is refused as DPoP', async () => {
    const { access_token } = (await exchange(undefined)).json
    const dpop = dpopProof(key, 'GET', at('userinfo'), { claims: athOf(access_token) })
    const answer = await fetch(at('userinfo'), { headers: { authorization: `DPoP ${access_token}`, dpop } })
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([401, 'invalid_token'])
    const plain = await fetch(at('userinfo'), { headers: { authorization: `bEARER ${access_token}`, dpop } })
    expect(plain.status).toBe(200)
  })
})
