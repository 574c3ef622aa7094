/** Tokens that are not ours: each way of forging one is refused, and so is every mutant of a good one. */
import { createHmac, createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signJwt } from '../src/tokens/sign.ts'
import { verifyOwn } from '../src/tokens/verify.ts'
import { api, client, issuer, openWorld, otherIssuer, start, type World } from './support/world.ts'

const mutants = Number(process.env.JWT_MUTANTS ?? 3000)
const iat = start / 1000
const claims = { iss: issuer, sub: 'u', aud: 'a', iat, exp: iat + 60 }
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

let world: World
let stranger: World
beforeAll(async () => {
  const rsa = [client({ jwt_configuration: { lifetime_in_seconds: 60, alg: 'RS256' } })]
  world = await openWorld({ clients: rsa, apis: [api()] })
  stranger = await openWorld()
}, 30_000)
afterAll(async () => {
  await Promise.all([world.close(), stranger.close()])
})

const verify = (token: string, rules?: { expired_too: boolean }) => verifyOwn(world.ctx, token, rules)
const sign = (alg: string, body: object = claims) => signJwt(world.ctx.keys, alg, 'JWT', { ...body })
const pemOf = (alg: string) => {
  const { kid } = world.ctx.keys.current(alg)
  return world.ctx.keys.find(kid)?.key.export({ type: 'spki', format: 'pem' }).toString() ?? ''
}

describe('RFC 7519 §7.2 our own tokens', () => {
  test.each(['ES256', 'RS256'])('%s is read', async (alg) => {
    expect(await verify(await sign(alg))).toEqual(claims)
  })

  test('is over at its end, and begins when it says', async () => {
    expect(await verify(await sign('ES256', { ...claims, exp: iat + 1 }))).toBeDefined()
    expect(await verify(await sign('ES256', { ...claims, exp: iat }))).toBeUndefined()
    expect(await verify(await sign('ES256', { ...claims, exp: iat }), { expired_too: true })).toBeDefined()
    expect(await verify(await sign('ES256', { ...claims, nbf: iat + 1 }))).toBeUndefined()
    expect(await verify(await sign('ES256', { ...claims, exp: 'soon' }))).toBeUndefined()
  })

  test('names us, by one of our names', async () => {
    expect(await verify(await sign('ES256', { ...claims, iss: otherIssuer }))).toBeDefined()
    for (const iss of ['https://login.example.com', 'https://evil.example/', '', undefined, [issuer], null])
      expect(await verify(await sign('ES256', { ...claims, iss }))).toBeUndefined()
  })
})

describe('RFC 8725 §2.1 RFC 7515 §7.1 forged tokens', () => {
  const kid = (alg = 'ES256') => world.ctx.keys.current(alg).kid

  test.each([['none'], ['None'], ['NONE'], ['']])('alg %s', async (alg) => {
    for (const header of [{ alg }, { alg, kid: kid() }, { alg, kid: kid(), typ: 'JWT' }]) {
      expect(await verify(`${part(header)}.${part(claims)}.`)).toBeUndefined()
      const [, , signature] = (await sign('ES256')).split('.')
      expect(await verify(`${part(header)}.${part(claims)}.${signature}`)).toBeUndefined()
    }
  })

  test.each(['ES256', 'RS256'])('HS256 with the public key of %s as the secret', async (alg) => {
    const pem = pemOf(alg)
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
    const jwk = JSON.stringify(world.ctx.keys.find(kid(alg))?.key.export({ format: 'jwk' }))
    for (const secret of [pem, pem.trim(), der, jwk, '']) {
      const input = `${part({ alg: 'HS256', kid: kid(alg), typ: 'JWT' })}.${part(claims)}`
      const mac = createHmac('sha256', createSecretKey(Buffer.from(secret)))
        .update(input)
        .digest('base64url')
      expect(await verify(`${input}.${mac}`)).toBeUndefined()
    }
  })

  test('another algorithm of the same key', async () => {
    const { key } = world.ctx.keys.current('RS256')
    for (const alg of ['PS256', 'RS384', 'RS512']) {
      const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: kid('RS256') }).sign(key)
      expect(await verify(token)).toBeUndefined()
    }
    const good = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: kid('RS256') }).sign(key)
    expect(await verify(good)).toBeDefined()
  })

  test('a key of somebody else: under its own kid, under ours, without one, and brought along', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const url = 'https://evil.example/keys'
    const headers = [
      ...[{ kid: 'x' }, { kid: kid() }, {}, { jwk }, { jwk, kid: kid() }, { jwk: { ...jwk, kid: kid() }, kid: kid() }],
      ...[
        { jku: url, kid: 'x' },
        { jku: url, kid: kid() },
        { x5u: url, kid: kid() },
        { x5c: ['AAAA'], kid: kid() },
      ],
      ...[{ kid: '../../../../dev/null' }, { kid: "' or 1=1 --" }, { kid: '__proto__' }, { kid: '' }],
    ]
    for (const header of headers) {
      const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey)
      expect([header, await verify(token)]).toEqual([header, undefined])
    }
    const foreign = await signJwt(stranger.ctx.keys, 'ES256', 'JWT', claims)
    expect(await verify(foreign)).toBeUndefined()
  })

  test('our key without its kid, or under that of another of our keys', async () => {
    const { key } = world.ctx.keys.current('ES256')
    for (const header of [{}, { kid: kid('RS256') }])
      expect(
        await verify(await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)),
      ).toBeUndefined()
  })

  test('a critical header that nobody understands', async () => {
    const { key } = world.ctx.keys.current('ES256')
    const input = `${part({ alg: 'ES256', kid: kid(), crit: ['exp'], exp: 1 })}.${part(claims)}`
    const { sign: signRaw } = await import('node:crypto')
    const signature = signRaw('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    expect(await verify(`${input}.${signature.toString('base64url')}`)).toBeUndefined()
  })

  test('things that are not JWTs', async () => {
    const good = await sign('ES256')
    const texts = [
      ...[
        '',
        '.',
        '..',
        '...',
        'x',
        'x.y.z',
        `${good}.`,
        `.${good}`,
        `${good}.x`,
        good.split('.').slice(0, 2).join('.'),
      ],
      ...[`${good}\n`, ` ${good}`, `${good}\0`, good.replaceAll('.', '..'), '{}', part({}), `${part({})}.${part({})}.`],
      ...[`${part({ alg: 'ES256', kid: kid() })}.${part([] as object)}.AAAA`, 'a'.repeat(100_000)],
    ]
    for (const text of texts) expect([text.slice(0, 80), await verify(text)]).toEqual([text.slice(0, 80), undefined])
  })

  test(`${mutants} mutants of good tokens`, { timeout: 10_000 + mutants * 3 }, async () => {
    const tokens = [await sign('ES256'), await sign('RS256')]
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'
    const change = fc.record({
      ...{ which: fc.nat(1), at: fc.nat(1000), kind: fc.constantFrom('replace', 'insert', 'delete', 'swap', 'cut') },
      letter: fc.constantFrom(...alphabet),
    })
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const token = tokens[changes[0]?.which ?? 0] ?? ''
        const mutant = changes.reduce(mutate, token)
        if ((await verify(mutant)) === undefined) return
        accepted++
        // The last letter of a part may carry bits that say nothing: then it is the same token.
        expect(mutant.split('.').map((one) => Buffer.from(one, 'base64url').toString('hex'))).toEqual(
          token.split('.').map((one) => Buffer.from(one, 'base64url').toString('hex')),
        )
      }),
      { numRuns: mutants },
    )
    expect(accepted).toBeLessThan(mutants / 20)
  })
})

function mutate(text: string, { at, kind, letter }: { at: number; kind: string; letter: string }): string {
  const here = at % text.length
  if (kind === 'replace') return text.slice(0, here) + letter + text.slice(here + 1)
  if (kind === 'insert') return text.slice(0, here) + letter + text.slice(here)
  if (kind === 'delete') return text.slice(0, here) + text.slice(here + 1)
  if (kind === 'cut') return text.slice(0, here)
  return text.slice(0, here) + (text[here + 1] ?? '') + (text[here] ?? '') + text.slice(here + 2)
}
