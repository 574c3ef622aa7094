/** Signatures of every algorithm, verified by two other implementations; and ECDSA's numbers, of which some are short. */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { compactVerify, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { algorithms, keyRing } from '../src/index.ts'
import { generateSigningKey } from '../src/tokens/key_generation.ts'
import { signJwt, signJwtWithSecret } from '../src/tokens/sign.ts'

const algs = ['RS256', 'PS256', 'ES256', 'EdDSA']

describe('RFC 7518 §3.4 an ES256 signature is r and s, 32 bytes each', () => {
  const rounds = Number(process.env.ES256_ROUNDS ?? 4000)
  test(`${rounds} signatures of twenty keys are read by Node, the short numbers too`, {
    timeout: 15_000 + rounds,
  }, async () => {
    const sign = algorithms.get('ES256')
    const pairs = Array.from({ length: 20 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    let [shortR, shortS] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const { privateKey, publicKey } = pairs[round % pairs.length] ?? raise()
      const data = Buffer.from(`message ${round}`)
      const raw = (await sign?.sign(data, privateKey)) ?? raise()
      expect(raw).toHaveLength(64)
      if (raw[0] === 0) shortR++
      if (raw[32] === 0) shortS++
      if (!verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw))
        throw new Error(`not a signature: ${raw.toString('hex')}`)
    }
    // One in 256 begins with a zero byte, which DER leaves out.
    expect(Math.min(shortR, shortS)).toBeGreaterThan(0)
  })

  test('two hundred of them are read by jose', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const header = Buffer.from('{"alg":"ES256"}').toString('base64url')
    for (let round = 0; round < 200; round++) {
      const input = `${header}.${Buffer.from(`${round}`).toString('base64url')}`
      const raw = (await algorithms.get('ES256')?.sign(Buffer.from(input), privateKey)) ?? raise()
      const { payload } = await compactVerify(`${input}.${raw.toString('base64url')}`, publicKey)
      expect(Buffer.from(payload).toString()).toBe(String(round))
    }
  })
})

describe('RFC 7515 §5.1 RFC 7518 §3.1 signed JWTs', () => {
  const keys = new Map<string, Awaited<ReturnType<typeof generateSigningKey>>>()
  beforeAll(async () => {
    for (const alg of algs)
      keys.set(alg, await generateSigningKey(alg, 'current', 'login.example.com', 1_800_000_000_000))
  }, 30_000)

  test.each(algs)('%s is read by jose with the published key, and with no other', async (alg) => {
    const key = keys.get(alg) ?? raise()
    const ring = keyRing([key])
    const claims = { text: 'é🔑"\\\n', number: 1.5, list: [1, null], deep: { a: {} } }
    const jwt = await signJwt(ring, alg, 'JWT', claims)
    expect(jwt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const published = JSON.parse(ring.jwks.toString()).keys[0]
    const { payload, protectedHeader } = await compactVerify(jwt, await importJWK(published, alg))
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(claims)
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: key.kid })
    const other = await generateSigningKey(alg, 'current', 'x', 0)
    await expect(compactVerify(jwt, createPublicKey({ key: other.public_jwk, format: 'jwk' }))).rejects.toThrow()
  })

  test('the header is that of the key and the type, also when both change between two tokens', async () => {
    const [es, ed] = [keys.get('ES256') ?? raise(), keys.get('EdDSA') ?? raise()]
    const ring = keyRing([es, ed])
    const headers = []
    for (const [alg, typ] of [
      ['ES256', 'JWT'],
      ['EdDSA', 'JWT'],
      ['ES256', 'at+jwt'],
      ['ES256', 'JWT'],
    ] as const) {
      const [header = ''] = (await signJwt(ring, alg, typ, {})).split('.')
      headers.push(JSON.parse(Buffer.from(header, 'base64url').toString()))
    }
    expect(headers).toEqual([
      { alg: 'ES256', typ: 'JWT', kid: es.kid },
      { alg: 'EdDSA', typ: 'JWT', kid: ed.kid },
      { alg: 'ES256', typ: 'at+jwt', kid: es.kid },
      { alg: 'ES256', typ: 'JWT', kid: es.kid },
    ])
  })

  test('RFC 7518 §3.2 HS256 with a secret', async () => {
    const { createSecretKey } = await import('node:crypto')
    const secret = createSecretKey(Buffer.from('x'.repeat(32)))
    const jwt = await signJwtWithSecret(secret, 'JWT', { a: 1 })
    const { protectedHeader } = await compactVerify(jwt, secret)
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
  })

  test('an algorithm without a key, or none at all, signs nothing', () => {
    expect(() => signJwt(keyRing([]), 'ES256', 'JWT', {})).toThrow(/no current signing key for ES256/)
    expect(() => signJwt(keyRing([keys.get('ES256') ?? raise()]), 'none', 'JWT', {})).toThrow(/none/)
    expect([...algorithms.keys()].toSorted()).toEqual(['ES256', 'EdDSA', 'HS256', 'PS256', 'RS256'])
  })
})

describe('RFC 7517 §4.7 a new key and its certificate', () => {
  test.each(algs)('%s', async (alg) => {
    const { X509Certificate } = await import('node:crypto')
    const now = Date.UTC(2026, 0, 2)
    const key = await generateSigningKey(alg, 'next', 'login.example.com', now)
    expect(key).toMatchObject({ alg, state: 'next', created_at: now })
    const jwk = key.public_jwk as { x5c: string[]; x5t: string; 'x5t#S256': string }
    const certificate = new X509Certificate(Buffer.from(jwk.x5c[0] ?? '', 'base64'))
    const exported = certificate.publicKey.export({ format: 'jwk' })
    expect(jwk).toMatchObject({ ...exported, alg, use: 'sig', kid: key.kid })
    expect(certificate.subject).toBe('CN=login.example.com')
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect([certificate.validFromDate.getTime(), certificate.validToDate.getFullYear()]).toEqual([now, 2035])
    expect(Buffer.from(jwk['x5t#S256'], 'base64url').toString('hex').toUpperCase()).toBe(
      certificate.fingerprint256.replaceAll(':', ''),
    )
    expect(Buffer.from(jwk.x5t, 'base64url').toString('hex').toUpperCase()).toBe(
      certificate.fingerprint.replaceAll(':', ''),
    )
    for (const secret of ['d', 'p', 'q', 'k']) expect(Object.keys(jwk)).not.toContain(secret)
    expect(modulusOf(certificate.publicKey)).toBe(alg.endsWith('S256') && alg !== 'ES256' ? 2048 : undefined)
  })

  test('none is made for a secret of an API, or for an algorithm nobody knows', async () => {
    await expect(generateSigningKey('HS256', 'next', 'x', 0)).rejects.toThrow(/No key can be made/)
    await expect(generateSigningKey('none', 'next', 'x', 0)).rejects.toThrow(/No key can be made/)
  })
})

const modulusOf = (key: KeyObject) => key.asymmetricKeyDetails?.modulusLength

function raise(): never {
  throw new Error('missing')
}
