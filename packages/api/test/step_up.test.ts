import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as forExpress from '../src/express.ts'
import * as forFastify from '../src/fastify.ts'
import * as forHono from '../src/hono.ts'
import { type AccessTokenClaims, createVerifier, OptionError, requireAuthentication, TokenError } from '../src/index.ts'
import * as forNode from '../src/node.ts'
import { audience, type Issuer, makeKey, startIssuer } from './support/issuer.ts'
import { addressOf, close } from './support/listen.ts'

const now = 1_800_000_000
const clock = () => now * 1000
const claims = (change: Record<string, unknown>): AccessTokenClaims => ({
  ...{ iss: 'https://login.example.com/', sub: 'u', aud: audience, exp: now + 60, azp: 'spa' },
  ...change,
})

/** The code of the refusal; `none` where there is none. */
function refusal(check: (claims: AccessTokenClaims | undefined) => void, change: Record<string, unknown>): string {
  try {
    check(claims(change))
    return 'none'
  } catch (error) {
    return error instanceof TokenError ? error.code : String(error)
  }
}

const insufficient = 'insufficient_user_authentication'

describe('RFC 9470 §3 what the sign-in must be', () => {
  test.each([
    ['one of the classes', { acr: 'b' }, 'none'],
    ['another class', { acr: 'c' }, insufficient],
    ['a class that begins like one', { acr: 'ab' }, insufficient],
    ['no class', {}, insufficient],
    ['a list of classes', { acr: ['a'] }, insufficient],
  ])('acr_values: %s', (_, change, code) =>
    expect(refusal(requireAuthentication({ acr_values: ['a', 'b'] }), change)).toBe(code),
  )

  test.each([
    ['just now', { auth_time: now }, 'none'],
    ['as long ago as allowed', { auth_time: now - 60 }, 'none'],
    ['within what clocks may differ', { auth_time: now - 65 }, 'none'],
    ['longer ago', { auth_time: now - 66 }, insufficient],
    ['no time', {}, insufficient],
    ['a time that is a text', { auth_time: String(now) }, insufficient],
  ])('max_age: %s', (_, change, code) =>
    expect(refusal(requireAuthentication({ max_age: 60, clock }), change)).toBe(code),
  )

  test('both must hold', () => {
    const check = requireAuthentication({ acr_values: ['a'], max_age: 60, clock_tolerance: 0, clock })
    expect(refusal(check, { acr: 'a', auth_time: now - 60 })).toBe('none')
    expect(refusal(check, { acr: 'a', auth_time: now - 61 })).toBe(insufficient)
    expect(refusal(check, { acr: 'b', auth_time: now })).toBe(insufficient)
  })

  test('without a check of the token it fails closed', () => {
    expect(() => requireAuthentication({ max_age: 1 })(undefined)).toThrow(OptionError)
  })

  test.each([
    ['nothing', {}],
    ['an empty list', { acr_values: [] }],
    ['a class with a space', { acr_values: ['a b'] }],
    ['a class with a quote', { acr_values: ['a"'] }],
    ['half a second', { max_age: 0.5 }],
    ['less than nothing', { max_age: -1 }],
    ['a tolerance of an hour', { max_age: 1, clock_tolerance: 3600 }],
  ])('%s is refused at once', (_, options) => expect(() => requireAuthentication(options)).toThrow(OptionError))
})

describe('RFC 9470 §3 the challenge, by every adapter', () => {
  const key = makeKey('current')
  const options = { acr_values: ['urn:example:strong', 'urn:example:stronger'], max_age: 300 }
  const ok = { acr: 'urn:example:strong', auth_time: Math.floor(Date.now() / 1000) - 10 }
  let issuer: Issuer
  let apis: readonly { readonly name: string; readonly origin: string; close(): Promise<unknown> }[]
  beforeAll(async () => {
    issuer = await startIssuer(key)
    const verifier = createVerifier({ issuer: issuer.issuer, audience })
    const plain = createServer(
      forNode.protect(verifier)(forNode.requireAuthentication(options)((_, response) => response.end('done'))),
    )
    const middleware = express()
    middleware.use(forExpress.protect(verifier), forExpress.requireAuthentication(options), (_request, response) => {
      response.send('done')
    })
    const served = createServer(middleware)
    const hooks = fastify()
    const onRequest = [forFastify.protect(verifier), forFastify.requireAuthentication(options)]
    hooks.get('/', { onRequest }, async () => 'done')
    const hono = new Hono()
    hono.use(forHono.protect(verifier), forHono.requireAuthentication(options))
    hono.get('/', (context) => context.text('done'))
    const server = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' })
    apis = [
      { name: 'node', origin: await addressOf(plain), close: () => close(plain) },
      { name: 'express', origin: await addressOf(served), close: () => close(served) },
      { name: 'fastify', origin: await hooks.listen({ host: '127.0.0.1', port: 0 }), close: () => hooks.close() },
      {
        name: 'hono',
        origin: await addressOf(server as ReturnType<typeof createServer>),
        close: () => close(server as ReturnType<typeof createServer>),
      },
    ]
  })
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.close()))
    await issuer.close()
  })

  test('a token that says enough is let through, any other is told what to ask for', async () => {
    for (const { name, origin } of apis) {
      const call = (change: Record<string, unknown>) =>
        fetch(origin, { headers: { authorization: `Bearer ${issuer.token(key, change)}` } })
      const good = await call(ok)
      expect([name, good.status, await good.text()]).toEqual([name, 200, 'done'])
      const bad = await call({ ...ok, auth_time: ok.auth_time - 400 })
      expect([name, bad.status]).toEqual([name, 401])
      expect(bad.headers.get('www-authenticate')).toBe(
        'Bearer realm="api", error="insufficient_user_authentication", error_description="The sign-in behind the access token is not strong or not fresh enough for this request.", acr_values="urn:example:strong urn:example:stronger", max_age="300"',
      )
      expect(await bad.json()).toMatchObject({ error: 'insufficient_user_authentication' })
    }
  })
})
