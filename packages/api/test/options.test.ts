import { describe, expect, test } from 'vitest'
import { createVerifier, OptionError } from '../src/index.ts'

const issuer = 'https://login.example.com/'
const audience = 'https://api.example.com/'
const secret = 's'.repeat(32)

const bad: Record<string, readonly [Record<string, unknown>, string]> = {
  'no issuer': [{ issuer: undefined }, 'issuer'],
  'an issuer that is no URL': [{ issuer: 'login' }, 'issuer'],
  'an issuer without its slash': [{ issuer: 'https://login.example.com' }, 'issuer'],
  'an empty list of issuers': [{ issuer: [] }, 'issuer'],
  'two issuers and no jwks_uri': [{ issuer: [issuer, 'https://localhost:8443/'] }, 'jwks_uri'],
  'no audience': [{ audience: undefined }, 'audience'],
  'an empty audience': [{ audience: '' }, 'audience'],
  'alg none': [{ algorithms: ['none'] }, 'algorithms'],
  'no algorithm': [{ algorithms: [] }, 'algorithms'],
  'algorithms as text': [{ algorithms: 'RS256' }, 'algorithms'],
  'HS256 without secret': [{ algorithms: ['HS256'] }, 'algorithms'],
  'HS256 beside RS256': [{ algorithms: ['HS256', 'RS256'], secret }, 'algorithms'],
  'a secret beside RS256': [{ algorithms: ['RS256'], secret }, 'algorithms'],
  'a secret and no algorithms': [{ secret }, 'algorithms'],
  'a short secret': [{ algorithms: ['HS256'], secret: 'x'.repeat(31) }, 'secret'],
  'a public key as secret': [{ algorithms: ['HS256'], secret: `-----BEGIN PUBLIC KEY-----\n${secret}` }, 'secret'],
  'a JWK as secret': [{ algorithms: ['HS256'], secret: JSON.stringify({ kty: 'RSA', n: secret }) }, 'secret'],
  'a secret and a jwks_uri': [{ algorithms: ['HS256'], secret, jwks_uri: `${issuer}keys` }, 'jwks_uri'],
  'keys over plain http': [{ jwks_uri: 'http://login.example.com/keys' }, 'jwks_uri'],
  'an issuer over plain http': [{ issuer: 'http://login.example.com/' }, 'jwks_uri'],
  'keys from a file': [{ jwks_uri: 'file:///etc/keys.json' }, 'jwks_uri'],
  'a negative tolerance': [{ clock_tolerance: -1 }, 'clock_tolerance'],
  'a tolerance of an hour': [{ clock_tolerance: 3600 }, 'clock_tolerance'],
  'a tolerance that is no number': [{ clock_tolerance: Number.NaN }, 'clock_tolerance'],
  'no cache': [{ cache_max_age: 0 }, 'cache_max_age'],
  'no brake': [{ cooldown: 0 }, 'cooldown'],
  'endless patience': [{ timeout: Number.POSITIVE_INFINITY }, 'timeout'],
  'an option that does not exist': [{ jwksUri: `${issuer}keys` }, 'jwksUri'],
}

describe('a bad option is refused when the verifier is made, and named', () => {
  test.each(Object.entries(bad))('%s', (_, [change, option]) => {
    const make = () => createVerifier({ issuer, audience, ...change })
    expect(make).toThrow(OptionError)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_option', option }))
  })

  test.each(['https://login.example.com/', 'http://localhost:8400/', 'http://127.0.0.1:8400/', 'http://[::1]:8400/'])(
    '%s is a good issuer',
    (name) => {
      expect(typeof createVerifier({ issuer: name, audience }).verify).toBe('function')
    },
  )
})
