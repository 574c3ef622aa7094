import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, TokenError, type Verifier, type VerifierOptions } from '../src/index.ts'
import { audience, type Issuer, makeKey, publicJwk, startIssuer } from './support/issuer.ts'

const first = makeKey('first')
const second = makeKey('second')
const third = makeKey('third')
let issuer: Issuer
let now: number

beforeEach(async () => {
  issuer = await startIssuer(first)
  now = Date.now()
})
afterEach(() => issuer.close())

const pass = (seconds: number) => {
  now += seconds * 1000
}

function verifierWith(options: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({ issuer: issuer.issuer, audience, clock: () => now, clock_tolerance: 300, ...options })
}

async function outcome(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token)
    return 'accepted'
  } catch (error) {
    if (error instanceof TokenError) return error.code
    throw error
  }
}

/** A token that is still good after the time that a test lets pass. */
const lasting = (key = first) => issuer.token(key, { exp: Math.floor(now / 1000) + 1_000_000 })
const nobody = (name: string) => issuer.token(first, {}, { kid: name })
const broken: Issuer['respond'] = (_, response) => response.writeHead(503).end('down')

describe('the remembered keys', () => {
  test('a hundred first requests cause one fetch, and later ones none', async () => {
    const verifier = verifierWith()
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(verifier, lasting())))
    expect(new Set(outcomes)).toEqual(new Set(['accepted']))
    for (let round = 0; round < 20; round++) await outcome(verifier, lasting())
    expect(issuer.fetches).toBe(1)
  })

  test('they are fetched again after cache_max_age, once for all who wait, and a key taken away is gone', async () => {
    const verifier = verifierWith({ cache_max_age: 60 })
    expect(await outcome(verifier, lasting())).toBe('accepted')
    issuer.publish(second)
    pass(59)
    expect(await outcome(verifier, lasting())).toBe('accepted')
    pass(1)
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(verifier, lasting())))
    expect(new Set(outcomes)).toEqual(new Set(['unknown_key']))
    // One for the age, one for the kid that was not among them.
    expect(issuer.fetches).toBe(3)
  })

  test('a clock that is set back leads to a fetch, not to keys that never age', async () => {
    const verifier = verifierWith()
    await outcome(verifier, lasting())
    pass(-200)
    await outcome(verifier, lasting())
    expect(issuer.fetches).toBe(2)
  })
})

describe('key rotation', () => {
  test('a token of a new key is accepted at once, and the next rotation too', async () => {
    const verifier = verifierWith()
    expect(await outcome(verifier, lasting(first))).toBe('accepted')
    issuer.publish(first, second)
    expect(await outcome(verifier, lasting(second))).toBe('accepted')
    issuer.publish(second, third)
    expect(await outcome(verifier, lasting(third))).toBe('accepted')
    expect(await outcome(verifier, lasting(first))).toBe('unknown_key')
    expect(issuer.fetches).toBe(4)
  })

  test('many requests with the new key cause one fetch and all pass', async () => {
    const verifier = verifierWith()
    await outcome(verifier, lasting())
    issuer.publish(first, second)
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(verifier, lasting(second))))
    expect(new Set(outcomes)).toEqual(new Set(['accepted']))
    expect(issuer.fetches).toBe(2)
  })

  test('a key published while a fetch is on its way is found by one more', async () => {
    const verifier = verifierWith()
    await outcome(verifier, lasting())
    const publish = issuer.respond
    issuer.respond = async (request, response) => {
      await pause(50)
      publish(request, response)
    }
    pass(601)
    const early = outcome(verifier, lasting())
    await pause(20)
    issuer.publish(first, second)
    expect(await outcome(verifier, lasting(second))).toBe('accepted')
    expect(await early).toBe('accepted')
    expect(issuer.fetches).toBe(3)
  })
})

describe('an unknown kid', () => {
  test('many at once cause one fetch, and more only after the cooldown', async () => {
    const verifier = verifierWith({ cooldown: 30 })
    await outcome(verifier, lasting())
    const flood = async (round: string) => {
      const tokens = Array.from({ length: 100 }, (_, index) => nobody(`${round}-${index}`))
      expect(new Set(await Promise.all(tokens.map((token) => outcome(verifier, token))))).toEqual(
        new Set(['unknown_key']),
      )
    }
    await flood('a')
    expect(issuer.fetches).toBe(2)
    pass(29)
    await flood('b')
    expect(issuer.fetches).toBe(2)
    pass(1)
    await flood('c')
    expect(issuer.fetches).toBe(3)
  })

  test('a flood does not stop tokens of known keys', async () => {
    const verifier = verifierWith()
    await outcome(verifier, lasting())
    issuer.respond = () => undefined // the issuer hangs
    const flood = outcome(verifier, nobody('x'))
    expect(await outcome(verifier, lasting())).toBe('accepted')
    issuer.publish(first)
    await issuer.close()
    expect(await flood).toBe('keys_unavailable')
  })

  test('a header that is refused anyway causes no fetch', async () => {
    const verifier = verifierWith()
    await outcome(verifier, issuer.token(first, {}, { alg: 'HS256', kid: 'x' }))
    await outcome(verifier, issuer.token(first, {}, { crit: ['x'], kid: 'x' }))
    await outcome(verifier, issuer.token(first, {}, { kid: undefined }))
    expect(issuer.fetches).toBe(0)
  })
})

describe('an outage of the issuer', () => {
  test('known keys go on working for days, with one try per cooldown, and recover', async () => {
    const verifier = verifierWith({ cache_max_age: 600, cooldown: 30 })
    await outcome(verifier, lasting())
    issuer.respond = broken
    for (let minute = 0; minute < 60; minute++) {
      pass(60)
      expect(await outcome(verifier, lasting())).toBe('accepted')
      expect(await outcome(verifier, lasting())).toBe('accepted')
      await pause(2)
    }
    expect(issuer.fetches).toBeLessThanOrEqual(1 + 51)
    expect(issuer.fetches).toBeGreaterThan(10)
    issuer.publish(second)
    pass(60)
    await outcome(verifier, lasting())
    await pause(20)
    expect(await outcome(verifier, lasting(second))).toBe('accepted')
    expect(await outcome(verifier, lasting(first))).toBe('unknown_key')
  })

  test('an issuer that hangs delays nobody but the first', async () => {
    const verifier = verifierWith({ timeout: 0.2, cache_max_age: 60, cooldown: 30 })
    await outcome(verifier, lasting())
    issuer.respond = () => undefined
    pass(61)
    expect(await outcome(verifier, lasting())).toBe('accepted')
    pass(31)
    const before = performance.now()
    expect(await outcome(verifier, lasting())).toBe('accepted')
    expect(performance.now() - before).toBeLessThan(100)
  })

  test('after a long silence the keys are asked for again before they are used', async () => {
    const verifier = verifierWith({ cache_max_age: 60 })
    await outcome(verifier, lasting())
    issuer.respond = broken
    pass(61)
    expect(await outcome(verifier, lasting())).toBe('accepted')
    issuer.publish(second)
    pass(3600)
    expect(await outcome(verifier, lasting(first))).toBe('unknown_key')
  })

  test('without any keys the answer is 503, one fetch a second at most, until the issuer is there', async () => {
    const verifier = verifierWith()
    issuer.respond = broken
    for (let round = 0; round < 20; round++) expect(await outcome(verifier, lasting())).toBe('keys_unavailable')
    expect(issuer.fetches).toBe(1)
    await expect(verifier.verify(lasting())).rejects.toMatchObject({ status: 503, error: 'temporarily_unavailable' })
    issuer.publish(first)
    pass(1)
    expect(await outcome(verifier, lasting())).toBe('accepted')
  })

  test('an unknown kid is not called unknown while nobody can be asked', async () => {
    const verifier = verifierWith()
    await outcome(verifier, lasting())
    issuer.respond = broken
    expect(await outcome(verifier, lasting(second))).toBe('keys_unavailable')
    expect(await outcome(verifier, lasting(first))).toBe('accepted')
  })

  const answers: Record<string, Issuer['respond']> = {
    'a page': (_, response) => response.setHeader('content-type', 'text/html').end('<html>'),
    'JSON that is not a key set': (_, response) => response.end('{"keys":{}}'),
    'a key set with null': (_, response) => response.end('{"keys":[null]}'),
    'a key set of 70 kB': (_, response) => response.end(`{"keys":[],"x":"${'x'.repeat(70_000)}"}`),
    'a stream without end': (_, response) => {
      const timer = setInterval(() => response.write(' '.repeat(10_000)), 1)
      response.on('close', () => clearInterval(timer))
    },
    'a broken connection': (_, response) => response.destroy(),
    nothing: () => undefined,
  }
  test.each(Object.entries(answers))('%s counts as an outage', async (_, respond) => {
    const verifier = verifierWith({ timeout: 0.5 })
    await outcome(verifier, lasting())
    issuer.respond = respond
    pass(601)
    expect(await outcome(verifier, lasting())).toBe('accepted')
    expect(await outcome(verifierWith({ timeout: 0.5 }), lasting())).toBe('keys_unavailable')
  })
})

describe('RFC 8725 §3.10 keys come from where the API says', () => {
  test('a redirect is not followed, even to a good key set', async () => {
    const elsewhere = await startIssuer(first)
    try {
      issuer.respond = (_, response) => response.writeHead(302, { location: elsewhere.jwks_uri }).end()
      expect(await outcome(verifierWith(), lasting())).toBe('keys_unavailable')
      expect(elsewhere.fetches).toBe(0)
    } finally {
      await elsewhere.close()
    }
  })
})

describe('RFC 7517 §4 which keys count', () => {
  const { privateKey } = first
  const ignored: Record<string, Record<string, unknown>> = {
    'use enc': publicJwk(first, { use: 'enc' }),
    'another alg': publicJwk(first, { alg: 'RS512' }),
    'key_ops without verify': publicJwk(first, { key_ops: ['encrypt'] }),
    'another kid': publicJwk(first, { kid: 'other' }),
    'no kid': publicJwk(first, { kid: undefined }),
    'a private key': { ...publicJwk(first), ...privateKey.export({ format: 'jwk' }) },
    'a symmetric key': { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'first', alg: 'HS256' },
    'a key with a broken number': publicJwk(first, { n: '!' }),
    'a key of 1024 bits': publicJwk({ ...makeKey('first', 'RS256', 1024), kid: 'first' }),
  }
  test.each(Object.entries(ignored))('%s is ignored, and does not disturb the others', async (_, jwk) => {
    issuer.publish(jwk, second)
    const verifier = verifierWith()
    expect(await outcome(verifier, lasting(first))).toBe('unknown_key')
    expect(await outcome(verifier, lasting(second))).toBe('accepted')
  })

  test('a key without use and alg is taken for what the API is configured for', async () => {
    issuer.publish(publicJwk(first, { use: undefined, alg: undefined }))
    expect(await outcome(verifierWith(), lasting())).toBe('accepted')
  })

  test('two keys of one name are not chosen between', async () => {
    issuer.publish(first, publicJwk(second, { kid: 'first' }))
    expect(await outcome(verifierWith(), lasting())).toBe('unknown_key')
  })
})
