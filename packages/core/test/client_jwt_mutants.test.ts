/** What clients sign: no mutant of a good assertion proves a client, and none of a good request object is a request. */
import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import fc from 'fast-check'
import { CompactEncrypt, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticateClient, meantRequest } from '../src/index.ts'
import { client, codeOf, issuer, openWorld, start, type World } from './support/world.ts'

const runs = Number(process.env.JWT_MUTANTS ?? 1500)
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
const jwk = (key: typeof pair.publicKey, kid: string) => ({ ...key.export({ format: 'jwk' }), kid }) as JsonWebKey
const iat = start / 1000
const secret = 'a secret of a client: 32 characters or more'

let world: World
beforeAll(async () => {
  const keys = [jwk(pair.publicKey, 'ec'), jwk(rsa.publicKey, 'rsa'), jwk(small.publicKey, 'small')]
  const jwks = { keys: keys as Readonly<Record<string, unknown>>[] }
  world = await openWorld({
    clients: [
      client({ client_id: 'keyed', token_endpoint_auth_method: 'private_key_jwt', jwks }),
      client({
        ...{ client_id: 'hidden', token_endpoint_auth_method: 'private_key_jwt', jwks },
        request_object_encryption_alg: 'RSA-OAEP-256',
      }),
      client({ client_id: 'agreed', request_object_encryption_alg: 'ECDH-ES', jwks }),
      client({ client_id: 'shared', token_endpoint_auth_method: 'client_secret_jwt' }),
    ],
  })
  await world.store.configuration.saveClientSecret('shared', secret, start)
})
afterAll(() => world.close())

let ids = 0
function assertion(client_id: string): SignJWT {
  const claims = { iss: client_id, sub: client_id, aud: issuer, iat, exp: iat + 60, jti: `j${ids++}` }
  return new SignJWT(claims)
}
const byKey = () => assertion('keyed').setProtectedHeader({ alg: 'ES256', kid: 'ec' }).sign(pair.privateKey)
const bySecret = () => assertion('shared').setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))
const object = () =>
  new SignJWT({ iss: 'keyed', aud: issuer, client_id: 'keyed', response_type: 'id_token', scope: 'openid', nonce: 'n' })
    .setProtectedHeader({ alg: 'RS256', kid: 'rsa' })
    .sign(rsa.privateKey)

const proves = async (client_assertion: string) => {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const parameters = new Map(Object.entries({ client_assertion, client_assertion_type: type }))
  return codeOf(() => authenticateClient(world.ctx, { parameters, method: 'POST', url: `${issuer}oauth/token` }))
}
const isRequest = (request: string) =>
  codeOf(() => meantRequest(world.ctx, new Map(Object.entries({ client_id: 'keyed', request }))))

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'
const change = fc.record({
  ...{ at: fc.nat(1000), kind: fc.constantFrom('replace', 'insert', 'delete', 'swap', 'cut') },
  letter: fc.constantFrom(...alphabet),
})
const changes = fc.array(change, { minLength: 1, maxLength: 3 })

function mutate(text: string, { at, kind, letter }: { at: number; kind: string; letter: string }): string {
  const here = at % Math.max(1, text.length)
  if (kind === 'replace') return text.slice(0, here) + letter + text.slice(here + 1)
  if (kind === 'insert') return text.slice(0, here) + letter + text.slice(here)
  if (kind === 'delete') return text.slice(0, here) + text.slice(here + 1)
  if (kind === 'cut') return text.slice(0, here)
  return text.slice(0, here) + (text[here + 1] ?? '') + (text[here] ?? '') + text.slice(here + 2)
}

describe('RFC 7515 §5.2 OpenID Connect Core §10.1 mutants of what clients sign', () => {
  test('as they are, they count', async () => {
    expect(await proves(await byKey())).toBe('none')
    expect(await proves(await bySecret())).toBe('none')
    expect(await isRequest(await object())).toBe('none')
  })

  test.each([
    ['assertions by a key', byKey, proves],
    ['assertions by a secret', bySecret, proves],
    ['request objects', object, isRequest],
  ])(`${runs} of %s`, { timeout: 10_000 + runs * 5 }, async (_name, make, outcome) => {
    const good = await make()
    const ability = fc.asyncProperty(changes, async (list) => {
      const mutant = list.reduce(mutate, good)
      if (mutant !== good) expect(await outcome(mutant)).not.toBe('none')
    })
    await fc.assert(ability, { numRuns: runs })
  })
})

describe('RFC 7516 §5.2 OpenID Connect Core §10.2 RFC 7517 §4.2 RFC 8725 §3.6 RFC 7518 §4.1 encrypted request objects', () => {
  interface Published extends JsonWebKey {
    readonly kid: string
    readonly alg: string
    readonly use: string
  }
  const published = (alg: string) => {
    const { keys } = JSON.parse(world.ctx.keys.jwks.toString()) as { keys: Published[] }
    return keys.filter((one) => one.alg === alg)
  }
  const signed = (client_id: string) =>
    new SignJWT({ iss: client_id, aud: issuer, client_id, response_type: 'id_token', scope: 'openid', state: 'hidden' })
      .setProtectedHeader({ alg: 'RS256', kid: 'rsa' })
      .sign(rsa.privateKey)
  const seal = async (client_id: string, jwk: Published, header: object = {}, inside?: string) =>
    new CompactEncrypt(Buffer.from(inside ?? (await signed(client_id))))
      .setProtectedHeader({ alg: jwk.alg, enc: 'A256GCM', kid: jwk.kid, cty: 'JWT', ...header })
      .encrypt(createPublicKey({ key: jwk, format: 'jwk' }))
  const told = (client_id: string, request: string) =>
    codeOf(() => meantRequest(world.ctx, new Map(Object.entries({ client_id, request }))))

  test.each([
    ['hidden', 'RSA-OAEP-256'],
    ['agreed', 'ECDH-ES'],
  ])('%s, by any published key for %s', async (client_id, alg) => {
    const keys = published(alg)
    expect(keys.map(({ use }) => use)).toEqual(['enc', 'enc'])
    for (const key of keys) {
      const request = await seal(client_id, key)
      const { parameters, origin } = await meantRequest(world.ctx, new Map(Object.entries({ client_id, request })))
      expect([parameters.get('state'), origin.signed]).toEqual(['hidden', true])
    }
    const [key] = keys
    if (key === undefined) throw new Error('no key')
    for (const enc of ['A128GCM', 'A128CBC-HS256', 'A256CBC-HS512'])
      expect(await told(client_id, await seal(client_id, key, { enc }))).toBe('none')
    expect(await told(client_id, await seal(client_id, key, { kid: undefined }))).toBe('none')
  })

  test('what is inside proves itself, and only a client that said so may encrypt', async () => {
    const [key] = published('RSA-OAEP-256')
    if (key === undefined) throw new Error('no key')
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const forged = await new SignJWT({ client_id: 'hidden' })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(stranger.privateKey)
    const bad = 'invalid_request_object'
    expect(await told('hidden', await seal('hidden', key, {}, forged))).toBe(bad)
    expect(await told('hidden', await seal('hidden', key, {}, 'not a JWT'))).toBe(bad)
    expect(await told('hidden', await seal('hidden', key, {}, await seal('hidden', key)))).toBe(bad)
    expect(await told('keyed', await seal('keyed', key))).toBe(bad)
    const other = { ...key, ...stranger.publicKey.export({ format: 'jwk' }) } as Published
    expect(await told('hidden', await seal('hidden', other))).toBe(bad)
    expect(await told('hidden', await seal('hidden', key, { kid: 'x' }))).toBe(bad)
    const good = await seal('hidden', key)
    const [header = '', ...rest] = good.split('.')
    const packed = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), zip: 'DEF' }
    const text = [Buffer.from(JSON.stringify(packed)).toString('base64url'), ...rest].join('.')
    expect(await told('hidden', text)).toBe(bad)
    expect(await told('hidden', `${good.slice(0, -4)}AAAA`)).toBe(bad)
  })

  test('these keys neither sign nor verify, and are no algorithms of tokens', () => {
    expect(world.ctx.keys.algorithms).not.toContain('RSA-OAEP-256')
    const [key] = published('RSA-OAEP-256')
    expect(world.ctx.keys.find(key?.kid ?? '')).toBeUndefined()
  })
})

describe('RFC 8725 §3.1 the key decides', () => {
  test.each([
    ['another algorithm of the key', { alg: 'PS512', kid: 'rsa' }, rsa.privateKey],
    ['RS384', { alg: 'RS384', kid: 'rsa' }, rsa.privateKey],
    ['the key of another kind', { alg: 'ES256', kid: 'rsa' }, pair.privateKey],
  ] as const)('%s', async (_name, header, key) => {
    expect(await proves(await assertion('keyed').setProtectedHeader(header).sign(key))).toBe('invalid_client')
  })

  test('without a kid every key that fits is tried, and a key that is too short is none', async () => {
    const by = (alg: string, key: typeof pair.privateKey) => assertion('keyed').setProtectedHeader({ alg }).sign(key)
    expect(await proves(await by('RS256', rsa.privateKey))).toBe('none')
    expect(await proves(await by('PS256', rsa.privateKey))).toBe('none')
    expect(await proves(await by('ES256', pair.privateKey))).toBe('none')
    await expect(by('RS256', small.privateKey)).rejects.toThrow()
  })
})
