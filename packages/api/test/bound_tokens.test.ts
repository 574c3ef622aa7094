import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { protect } from '../src/express.ts'
import { createVerifier, type ProofMemory, type TokenSender, type Verifier } from '../src/index.ts'
import { createProofMemory } from '../src/proof_memory.ts'
import { TokenError } from '../src/token_error.ts'
import { type Api, apis } from './support/apis.ts'
import { audience, type Issuer, makeKey, seconds, startIssuer } from './support/issuer.ts'
import { addressOf, close } from './support/listen.ts'
import { hash, type ProofChange, proofKey, proofOf, unsigned } from './support/proofs.ts'
import { send } from './support/raw_request.ts'

const key = makeKey('current')
const holder = proofKey()
const thief = proofKey()
const certificate = Buffer.from('the bytes of a certificate')
const url = 'https://api.example.com/any'
const algs = 'algs="ES256 Ed25519 EdDSA PS256 RS256"'
let issuer: Issuer
let bound: string
let certified: string
let plain: string

beforeAll(async () => {
  issuer = await startIssuer(key)
  bound = issuer.token(key, { cnf: { jkt: holder.jkt } })
  certified = issuer.token(key, { cnf: { 'x5t#S256': hash(certificate) } })
  plain = issuer.token(key)
})
afterAll(() => issuer.close())

const verifierWith = (options: Partial<Parameters<typeof createVerifier>[0]> = {}) =>
  createVerifier({ issuer: issuer.issuer, audience, ...options })

/** The code of the refusal, or `accepted`. */
async function outcome(verifier: Verifier, token: string, sender?: TokenSender): Promise<string> {
  try {
    await verifier.verify(token, sender)
    return 'accepted'
  } catch (error) {
    if (error instanceof TokenError) return error.code
    throw error
  }
}

const by = (change: ProofChange = {}, who = holder, token = bound): TokenSender => ({
  ...{ scheme: 'dpop', method: 'GET', url, dpop: [proofOf(who, 'GET', url, token, change)] },
})

describe('RFC 9449 §4.3 each fault of a proof', () => {
  let verifier: Verifier
  beforeAll(() => {
    verifier = verifierWith()
  })

  const good: Record<string, () => TokenSender> = {
    'as it should be': () => by(),
    'the host in capitals': () => by({ claims: { htu: 'https://API.example.com/any' } }),
    'the default port written out': () => by({ claims: { htu: 'https://api.example.com:443/any' } }),
    'with query and fragment': () => by({ claims: { htu: `${url}?a=1#b` } }),
    'a request with a query': () => ({ ...by(), url: `${url}?a=1` }),
    '10 seconds ago': () => by({ claims: { iat: seconds(-10) } }),
    'in 10 seconds': () => by({ claims: { iat: seconds(10) } }),
    'with a nonce that nobody asked for': () => by({ claims: { nonce: 'x' } }),
  }
  test.each(Object.keys(good))('%s is accepted', async (name) => {
    expect(await outcome(verifier, bound, good[name]?.())).toBe('accepted')
  })

  const bad: Record<string, () => TokenSender> = {
    'no proof': () => ({ ...by(), dpop: [] }),
    'two proofs': () => ({ ...by(), dpop: [...(by().dpop ?? []), ...(by().dpop ?? [])] }),
    'two in one header': () => ({ ...by(), dpop: [`${by().dpop?.[0]}, ${by().dpop?.[0]}`] }),
    'no JWT': () => ({ ...by(), dpop: ['proof'] }),
    'no signature': () => ({ ...by(), dpop: [unsigned(by().dpop?.[0] ?? '')] }),
    'the signature of another key': () => by({ signer: thief }),
    'no typ': () => by({ header: { typ: undefined } }),
    'typ JWT': () => by({ header: { typ: 'JWT' } }),
    'alg HS256': () => by({ header: { alg: 'HS256' } }),
    'alg none': () => by({ header: { alg: 'none' } }),
    'no jwk': () => by({ header: { jwk: undefined } }),
    'a private jwk': () => by({ header: { jwk: holder.privateKey.export({ format: 'jwk' }) } }),
    'a critical header': () => by({ header: { crit: ['b64'], b64: false } }),
    'no jti': () => by({ claims: { jti: undefined } }),
    'another htm': () => by({ claims: { htm: 'POST' } }),
    'another path': () => by({ claims: { htu: 'https://api.example.com/other' } }),
    'another host': () => by({ claims: { htu: 'https://evil.example/any' } }),
    'another scheme': () => by({ claims: { htu: 'http://api.example.com/any' } }),
    'no iat': () => by({ claims: { iat: undefined } }),
    'an hour ago': () => by({ claims: { iat: seconds(-3600) } }),
    'in an hour': () => by({ claims: { iat: seconds(3600) } }),
    expired: () => by({ claims: { exp: seconds(-100) } }),
    'no ath': () => by({ claims: { ath: undefined } }),
    'the ath of another token': () => by({ claims: { ath: hash(plain) } }),
    'a request whose address is not known': () => ({ ...by(), url: undefined }),
  }
  test.each(Object.keys(bad))('%s is invalid_dpop_proof', async (name) => {
    expect(await outcome(verifier, bound, bad[name]?.())).toBe('invalid_dpop_proof')
  })

  test('another key is the wrong sender', async () => {
    expect(await outcome(verifier, bound, by({}, thief))).toBe('wrong_sender')
  })
})

describe('RFC 9449 §7.2 tokens of one kind sent as the other', () => {
  test('a bound token is no bearer token, and the other way round', async () => {
    const verifier = verifierWith()
    expect(await outcome(verifier, bound)).toBe('proof_required')
    expect(await outcome(verifier, bound, { ...by(), scheme: 'bearer' })).toBe('proof_required')
    expect(await outcome(verifier, plain, by({}, holder, plain))).toBe('not_bound')
    expect(await outcome(verifier, plain, { scheme: 'bearer' })).toBe('accepted')
  })

  test('an API may take bound tokens alone', async () => {
    const verifier = verifierWith({ require_bound_tokens: true })
    expect(await outcome(verifier, plain)).toBe('bound_token_required')
    expect(await outcome(verifier, bound, by())).toBe('accepted')
    expect(await outcome(verifier, certified, { scheme: 'bearer', certificate })).toBe('accepted')
  })
})

describe('RFC 7800 §3.1 a binding that cannot be checked', () => {
  test.each([
    [{ jwk: holder.jwk }],
    [{ kid: 'x' }],
    [{}],
    [null],
    ['x'],
    [{ jkt: 1 }],
    [{ jkt: holder.jkt, other: 'x' }],
  ])('%j is refused', async (cnf) => {
    const token = issuer.token(key, { cnf })
    const verifier = verifierWith()
    expect(await outcome(verifier, token)).toBe('proof_required')
    expect(await outcome(verifier, token, { ...by({}, holder, token), certificate })).toBe('proof_required')
  })
})

describe('RFC 8705 §3 tokens bound to a certificate', () => {
  test('count over a connection with it alone', async () => {
    const verifier = verifierWith()
    expect(await outcome(verifier, certified, { scheme: 'bearer', certificate })).toBe('accepted')
    expect(await outcome(verifier, certified, { scheme: 'bearer', certificate: Buffer.from('x') })).toBe('wrong_sender')
    expect(await outcome(verifier, certified, { scheme: 'bearer' })).toBe('certificate_required')
    expect(await outcome(verifier, certified)).toBe('certificate_required')
  })

  test('bound to both, both are needed', async () => {
    const token = issuer.token(key, { cnf: { jkt: holder.jkt, 'x5t#S256': hash(certificate) } })
    const verifier = verifierWith()
    expect(await outcome(verifier, token, { ...by({}, holder, token), certificate })).toBe('accepted')
    expect(await outcome(verifier, token, by({}, holder, token))).toBe('certificate_required')
    expect(await outcome(verifier, token, { scheme: 'bearer', certificate })).toBe('proof_required')
  })
})

describe('RFC 9449 §11.1 a proof works once', () => {
  test('100 at once: one wins', async () => {
    const verifier = verifierWith()
    const sender = by()
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(verifier, bound, sender)))
    expect(outcomes.filter((one) => one === 'accepted')).toHaveLength(1)
    expect(await outcome(verifier, bound, by())).toBe('accepted')
  })

  test('what was refused is not used up', async () => {
    const verifier = verifierWith()
    const sender = by()
    expect(await outcome(verifier, bound, { ...sender, method: 'POST' })).toBe('invalid_dpop_proof')
    expect(await outcome(verifier, bound, sender)).toBe('accepted')
  })

  test('processes may share a memory; one that fails refuses', async () => {
    const taken = new Set<string>()
    const proof_memory: ProofMemory = {
      take: async (id) => !taken.has(id) && taken.add(id) !== undefined,
    }
    const sender = by()
    expect(await outcome(verifierWith({ proof_memory }), bound, sender)).toBe('accepted')
    expect(await outcome(verifierWith({ proof_memory }), bound, sender)).toBe('invalid_dpop_proof')
    const broken: ProofMemory = {
      async take() {
        throw new Error('down')
      },
    }
    expect(await outcome(verifierWith({ proof_memory: broken }), bound, by())).toBe('proofs_unavailable')
  })

  test('the memory forgets what counts no more, and never more than it may hold', () => {
    let now = 1_000_000
    const memory = createProofMemory(() => now, 4)
    const lasts = 1000
    expect([memory.take('a', now + lasts), memory.take('a', now + lasts)]).toEqual([true, false])
    for (const id of ['b', 'c', 'd']) expect(memory.take(id, now + lasts)).toBe(true)
    expect(() => memory.take('e', now + lasts)).toThrow('More than 4')
    expect(memory.take('a', now + lasts)).toBe(false)
    now += 900
    expect(memory.take('b', now + lasts)).toBe(false)
    now += 200
    expect(() => memory.take('x', now + lasts)).not.toThrow()
    expect(memory.take('x', now + lasts)).toBe(false)
    for (let round = 0; round < 50; round++) {
      now += 600
      expect(memory.take(`round ${round}`, now + lasts)).toBe(true)
      expect(memory.take(`round ${round}`, now + lasts)).toBe(false)
    }
  })
})

describe('RFC 9449 §9 nonces of an API', () => {
  test('one is demanded, told, and counts until the one after the next', async () => {
    let now = Date.now()
    const verifier = verifierWith({ dpop_nonce_secret: 's'.repeat(32), clock: () => now })
    const token = issuer.token(key, { cnf: { jkt: holder.jkt }, exp: seconds(7200) })
    const with_ = (nonce: string | undefined) => by({ claims: { nonce, iat: Math.floor(now / 1000) } }, holder, token)
    expect(await outcome(verifier, token, with_(undefined))).toBe('use_dpop_nonce')
    expect(await outcome(verifier, token, with_('made up'))).toBe('use_dpop_nonce')
    const nonce = await verifier.dpopNonce?.()
    expect(await outcome(verifier, token, with_(nonce))).toBe('accepted')
    const twin = verifierWith({ dpop_nonce_secret: 's'.repeat(32), clock: () => now })
    expect(await twin.dpopNonce?.()).toBe(nonce)
    now += 300_000
    expect(await outcome(verifier, token, with_(nonce))).toBe('accepted')
    now += 300_000
    expect(await outcome(verifier, token, with_(nonce))).toBe('use_dpop_nonce')
  })
})

describe.each(Object.keys(apis))('RFC 9449 §7.1 over HTTP: %s', (name) => {
  let api: Api
  let strict: Api
  beforeAll(async () => {
    const start = apis[name]
    if (start === undefined) throw new Error(name)
    api = await start(verifierWith({ client_certificate_header: 'Client-Cert' }))
    strict = await start(verifierWith({ dpop_nonce_secret: 's'.repeat(32) }))
  })
  afterAll(() => Promise.all([api.close(), strict.close()]))

  const ask = (at: Api, headers: readonly string[], target = '/any') => send(at.origin, { target, headers })
  const headers = (at: Api, change: ProofChange = {}, token = bound, target = '/any') => [
    `Authorization: DPoP ${token}`,
    `DPoP: ${proofOf(holder, 'GET', `${at.origin}${target}`, token, change)}`,
  ]
  const challengeOf = async (answer: ReturnType<typeof ask>) => {
    const { status, headers } = await answer
    return [status, headers.get('www-authenticate')]
  }

  test('a proof opens, in any case of the scheme, and whatever the query', async () => {
    expect((await ask(api, headers(api))).status).toBe(200)
    const [, proof = ''] = headers(api)
    expect((await ask(api, [`authorization: dPoP ${bound}`, proof], '/any?page=2')).status).toBe(200)
  })

  test('refusals challenge with DPoP and its algorithms', async () => {
    const [authorization = '', proof = ''] = headers(api)
    expect(await challengeOf(ask(api, [authorization]))).toEqual([
      401,
      `DPoP realm="api", error="invalid_dpop_proof", error_description="Send exactly one DPoP proof.", ${algs}`,
    ])
    expect((await ask(api, [authorization, proof, proof])).status).toBe(401)
    expect((await ask(api, [authorization, proof], '/all')).status).toBe(401)
    expect(await challengeOf(ask(api, [`Authorization: Bearer ${bound}`, proof]))).toEqual([
      401,
      `DPoP realm="api", error="invalid_token", error_description="The access token is bound to a key and is not a bearer token.", ${algs}`,
    ])
    expect(await challengeOf(ask(api, [authorization, proof.replace(/.{8}$/, 'AAAAAAAA')]))).toEqual([
      401,
      expect.stringMatching(/^DPoP .*error="invalid_dpop_proof"/),
    ])
    expect((await ask(api, [authorization, proof])).status).toBe(200)
    expect((await ask(api, [authorization, proof])).status).toBe(401)
  })

  test('a missing scope is told in the scheme of the token', async () => {
    const token = issuer.token(key, { cnf: { jkt: holder.jkt }, scope: 'nothing' })
    expect(await challengeOf(ask(api, headers(api, {}, token, '/all'), '/all'))).toEqual([
      403,
      expect.stringMatching(/^DPoP .*error="insufficient_scope".*scope="read:messages write:messages", algs=/),
    ])
  })

  test('a nonce is told with the refusal, and again with each success', async () => {
    const first = await ask(strict, headers(strict))
    expect([first.status, first.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('error="use_dpop_nonce"'),
    ])
    const nonce = first.headers.get('dpop-nonce')
    const second = await ask(strict, headers(strict, { claims: { nonce } }))
    expect([second.status, second.headers.get('dpop-nonce')]).toEqual([200, nonce])
    expect((await ask(strict, [`Authorization: Bearer ${plain}`])).headers.get('dpop-nonce')).toBeUndefined()
  })

  test('a certificate that a proxy passes on', async () => {
    const bearer = `Authorization: Bearer ${certified}`
    const passed = certificate.toString('base64')
    expect((await ask(api, [bearer, `Client-Cert: :${passed}:`])).status).toBe(200)
    for (const header of [`Client-Cert: :${Buffer.from('x').toString('base64')}:`, 'Client-Cert: %', 'X: y'])
      expect((await ask(api, [bearer, header])).status).toBe(401)
    expect((await ask(api, [bearer, `Client-Cert: :${passed}:`, `Client-Cert: :${passed}:`])).status).toBe(401)
    expect((await ask(strict, [bearer, `Client-Cert: :${passed}:`])).status).toBe(401)
  })
})

describe('RFC 9449 §4.3 the address of a request', () => {
  test('nested routers of Express keep it, and `origin` replaces what a proxy made of it', async () => {
    const app = express()
    const inner = express.Router()
    inner.get('/messages', (_request, response) => void response.json({}))
    app.use('/v1', protect(verifierWith()), inner)
    app.use('/public', protect(verifierWith({ origin: 'https://api.example.com' })), inner)
    const server = app.listen(0, '127.0.0.1')
    const at = await addressOf(server)
    const ask = async (path: string, htu: string) =>
      (
        await fetch(`${at}${path}`, {
          headers: { authorization: `DPoP ${bound}`, dpop: proofOf(holder, 'GET', htu, bound) },
        })
      ).status
    expect(await ask('/v1/messages', `${at}/v1/messages`)).toBe(200)
    expect(await ask('/v1/messages', `${at}/messages`)).toBe(401)
    expect(await ask('/public/messages', 'https://api.example.com/public/messages')).toBe(200)
    expect(await ask('/public/messages', `${at}/public/messages`)).toBe(401)
    await close(server)
  })
})

describe('the options for bound tokens', () => {
  test.each([
    ['origin', 'https://api.example.com/path'],
    ['origin', 'api.example.com'],
    ['dpop_nonce_secret', 'short'],
    ['client_certificate_header', 'two words'],
  ])('%s cannot be %s', (option, value) => {
    expect(() => verifierWith({ [option]: value })).toThrow(expect.objectContaining({ option }))
  })
})
