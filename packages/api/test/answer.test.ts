import { describe, expect, test } from 'vitest'
import {
  type AccessTokenClaims,
  answerTo,
  OptionError,
  requireAnyScope,
  requireScope,
  TokenError,
} from '../src/index.ts'

const claims = (scope?: string): AccessTokenClaims => ({
  iss: 'https://login.example.com/',
  sub: 'auth0|1',
  aud: 'https://api.example.com/',
  exp: 2_000_000_000,
  ...(scope === undefined ? {} : { scope }),
})

function refusal(run: () => void): TokenError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof TokenError) return error
    throw error
  }
}

describe('RFC 6750 §3 the challenge', () => {
  test('without a token it names the scheme and no error', () => {
    const { status, headers } = answerTo(new TokenError('missing_token'))
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="api"')
    expect(headers['cache-control']).toBe('no-store')
  })

  test('a bad token is invalid_token, with the reason', () => {
    const { status, headers, body } = answerTo(new TokenError('expired'))
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="api", error="invalid_token", error_description="The access token has expired."',
    )
    expect(JSON.parse(body)).toEqual({
      error: 'invalid_token',
      error_description: expect.stringMatching(/^The access token has expired\. Get a new access token/),
    })
  })

  test('a bad request is 400', () => {
    const { status, headers } = answerTo(new TokenError('token_in_two_places'))
    expect(status).toBe(400)
    expect(headers['www-authenticate']).toContain('error="invalid_request"')
  })

  test('a missing scope is 403 and names it', () => {
    const { status, headers } = answerTo(new TokenError('insufficient_scope', { scope: ['read:a', 'read:b'] }))
    expect(status).toBe(403)
    expect(headers['www-authenticate']).toMatch(/error="insufficient_scope", .*, scope="read:a read:b"$/)
  })

  test('keys that cannot be fetched are no fault of the token', () => {
    const { status, headers } = answerTo(new TokenError('keys_unavailable'))
    expect(status).toBe(503)
    expect(headers).toMatchObject({ 'retry-after': '1' })
    expect(headers['www-authenticate']).toBeUndefined()
  })

  test('nothing ends a value or a line', () => {
    const hostile = 'a"b\\c\r\nSet-Cookie: x=1\0ž'
    const header = answerTo(new TokenError('expired', { description: hostile, scope: [hostile] })).headers
    expect(header['www-authenticate']).toMatch(/^[\x20-\x7e]+$/)
    expect(header['www-authenticate']?.split('"')).toHaveLength(9)
  })
})

describe('RFC 6749 §3.3 scopes', () => {
  test('all of', () => {
    const check = requireScope('read:messages', 'write:messages')
    expect(refusal(() => check(claims('write:messages openid read:messages')))).toBeUndefined()
    expect(refusal(() => check(claims('read:messages')))).toMatchObject({ code: 'insufficient_scope', status: 403 })
    expect(refusal(() => check(claims('')))?.scope).toEqual(['read:messages', 'write:messages'])
    expect(refusal(() => check(claims()))?.code).toBe('insufficient_scope')
  })

  test('any of', () => {
    const check = requireAnyScope('read:messages', 'admin')
    expect(refusal(() => check(claims('admin')))).toBeUndefined()
    expect(refusal(() => check(claims('read:messages')))).toBeUndefined()
    expect(refusal(() => check(claims('write:messages')))?.scope).toEqual(['read:messages', 'admin'])
  })

  test.each([
    'read:message',
    'READ:MESSAGES',
    'read:messages2',
    'xread:messages',
    'read:messages,x',
    'read: messages',
    'toString',
  ])('the scope "%s" is not read:messages', (scope) =>
    expect(refusal(() => requireScope('read:messages')(claims(scope)))?.code).toBe('insufficient_scope'),
  )

  test.each(['', 'read:a read:b', 'read:"a"', 'čti:a', 'read:a\n'])('"%s" is no scope to ask for', (name) => {
    expect(() => requireScope(name)).toThrow(OptionError)
    expect(() => requireAnyScope('read:a', name)).toThrow(OptionError)
  })

  test('nothing to ask for is a mistake, not a free pass', () => {
    // @ts-expect-error a caller without types
    expect(() => requireScope()).toThrow(OptionError)
    // @ts-expect-error a caller without types
    expect(() => requireAnyScope()).toThrow(OptionError)
  })

  test('without claims it fails closed', () => expect(() => requireScope('read:a')(undefined)).toThrow(OptionError))
})
