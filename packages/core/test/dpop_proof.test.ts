/** DPoP proofs: no changed one counts, and the nonce is checked whenever it is there. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dpopNonce } from '../src/index.ts'
import { readConfirmation } from '../src/proofs/confirmation.ts'
import { checkProof } from '../src/proofs/dpop_proof.ts'
import { codeOf, openWorld, type World } from './support/world.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicKey.export({ format: 'jwk' })
const url = 'https://login.example.com/oauth/token'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

function proofOf(change: Record<string, unknown> = {}): string {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk }
  const claims = { jti: randomUUID(), htm: 'POST', htu: url, iat: Math.floor(world.ctx.now() / 1000), ...change }
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}
const check = (proof: string, rules: Partial<Parameters<typeof checkProof>[2]> = {}) =>
  checkProof(world.ctx, { dpop: [proof], method: 'POST', url }, { nonce_required: false, ...rules })

describe('RFC 9449 §4.3 mutants', () => {
  test('no changed character is accepted', async () => {
    const proof = proofOf()
    expect((await check(proof)).jkt).toHaveLength(43)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ,'
    const change = fc.record({
      at: fc.nat(proof.length - 1),
      by: fc.constantFrom(...alphabet),
      how: fc.constantFrom('replace', 'insert', 'remove', 'cut'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let text = proof
        for (const { at, by, how } of changes) {
          const rest = text.slice(how === 'insert' ? at : at + 1)
          text = how === 'cut' ? text.slice(0, at) : `${text.slice(0, at)}${how === 'remove' ? '' : by}${rest}`
        }
        fc.pre(text !== proof)
        expect(await codeOf(() => check(text))).toBe('invalid_dpop_proof')
      }),
      { numRuns: 1500 },
    )
  })

  test('no part of another proof fits', async () => {
    const [one, other] = [proofOf(), proofOf({ htm: 'GET' })].map((proof) => proof.split('.'))
    for (const part of [1, 2]) {
      const mixed = (one ?? []).map((text, index) => (index === part ? (other?.[index] ?? '') : text)).join('.')
      expect(await codeOf(() => check(mixed))).toBe('invalid_dpop_proof')
    }
  })
})

describe('RFC 9449 §4.1 the access token in a proof', () => {
  const access_token = 'the-token'
  test.each([
    [{ ath: createHash('sha256').update(access_token).digest('base64url') }, 'none'],
    [{ ath: createHash('sha256').update(access_token).digest('base64') }, 'invalid_dpop_proof'],
    [{ ath: access_token }, 'invalid_dpop_proof'],
    [{}, 'invalid_dpop_proof'],
  ])('%j: %s', async (claims, outcome) => {
    expect(await codeOf(() => check(proofOf(claims), { access_token }))).toBe(outcome)
  })
})

describe('RFC 9449 §8 nonces', () => {
  test('one that is there is always checked, one that is missing only where it is demanded', async () => {
    const nonce = dpopNonce(world.ctx)
    expect(await codeOf(() => check(proofOf({ nonce })))).toBe('none')
    expect(await codeOf(() => check(proofOf({ nonce }), { nonce_required: true }))).toBe('none')
    expect(await codeOf(() => check(proofOf(), { nonce_required: true }))).toBe('use_dpop_nonce')
    for (const made_up of ['', 'x', `${nonce}x`])
      expect(await codeOf(() => check(proofOf({ nonce: made_up })))).toBe('use_dpop_nonce')
  })

  test('another tenant has other nonces', () => {
    expect(dpopNonce({ ...world.ctx, tenant: 'other' })).not.toBe(dpopNonce(world.ctx))
  })
})

describe('RFC 9449 §6.1 the confirmation of a token', () => {
  const jkt = 'A'.repeat(43)
  test('is read where it is known, and refused where it is not', () => {
    expect(readConfirmation(undefined)).toBeUndefined()
    expect(readConfirmation({ jkt })).toEqual({ jkt })
    expect(readConfirmation({ jkt, 'x5t#S256': jkt })).toEqual({ jkt, 'x5t#S256': jkt })
    for (const cnf of [null, {}, 'x', { jkt: 'short' }, { jwk: {} }, { jkt, kid: jkt }, [jkt]])
      expect(() => readConfirmation(cnf)).toThrow(/does not know/)
  })
})
