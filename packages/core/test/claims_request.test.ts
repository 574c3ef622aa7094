/** The `claims` parameter and the classes of a sign-in: what is read, what is refused, what a person is asked about. */
import { OAuthError, type Parameters } from '@latchkey/oauth'
import { describe, expect, test } from 'vitest'
import { acrOf, acrValues } from '../src/acr.ts'
import { readAuthentication, shortfall, toldOfSignIn } from '../src/authentication_request.ts'
import { askedScopes, claimsWithin, readClaimsRequest } from '../src/claims_request.ts'
import { client } from './support/world.ts'

const [password = ''] = acrValues
const read = (claims: unknown) =>
  readClaimsRequest(new Map([['claims', typeof claims === 'string' ? claims : JSON.stringify(claims)]]))
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof OAuthError ? error.code : String(error)
  }
}

describe('OpenID Connect Core §5.5 the claims parameter', () => {
  test('names of both members; members and claims that nobody knows are no error', () => {
    const asked = {
      userinfo: { name: null, strange: { essential: true } },
      id_token: { email: { value: 'x' } },
      more: 1,
    }
    expect(read(asked)).toEqual({ claims: { id_token: ['email'], userinfo: ['name', 'strange'] } })
    expect(read({})).toEqual({ claims: { id_token: [], userinfo: [] } })
    expect(read({ userinfo: null })).toEqual({ claims: { id_token: [], userinfo: [] } })
    expect(readClaimsRequest(new Map())).toBeUndefined()
  })

  for (const [name, claims] of [
    ['text that is not JSON', '{'],
    ['an array', []],
    ['a text', '"name"'],
    ['null', 'null'],
    ['a member that is an array', { id_token: ['name'] }],
    ['a claim that is true', { id_token: { name: true } }],
    ['a claim that is a text', { userinfo: { name: 'essential' } }],
    ['essential that is a text', { userinfo: { name: { essential: 'yes' } } }],
    ['values that are no array', { userinfo: { name: { values: 'x' } } }],
    ['two subjects', { id_token: { sub: { values: ['a', 'b'] } } }],
    ['a subject here and another there', { id_token: { sub: { value: 'a' } }, userinfo: { sub: { value: 'b' } } }],
    ['101 claims', { userinfo: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`c${n}`, null])) }],
    ['more than 8192 characters', { userinfo: { ['x'.repeat(8192)]: null } }],
  ] as const)
    test(`${name} is invalid_request`, () => expect(codeOf(() => read(claims))).toBe('invalid_request'))

  test('names of members of every object are claims like others', () => {
    const asked = read('{"userinfo":{"__proto__":null,"constructor":null,"toString":{}}}')
    expect(asked?.claims.userinfo).toEqual(['__proto__', 'constructor', 'toString'])
    expect(askedScopes([], asked?.claims)).toEqual([])
  })

  test('a person is asked about the scope that a claim belongs to, once', () => {
    const claims = { id_token: ['name', 'acr'], userinfo: ['email', 'given_name', 'nonsense'] }
    expect(askedScopes(['openid', 'email'], claims)).toEqual(['openid', 'email', 'profile'])
    const scope = ['openid']
    expect(askedScopes(scope, undefined)).toBe(scope)
  })

  test('a rule that sets the scopes decides about single claims too', () => {
    const claims = { id_token: ['name', 'acr'], userinfo: ['email', 'name'] }
    expect(claimsWithin(claims, undefined)).toBe(claims)
    expect(claimsWithin(claims, ['openid', 'email'])).toEqual({ id_token: ['acr'], userinfo: ['email'] })
  })
})

describe('OpenID Connect Core §5.5.1 value and values', () => {
  test('of sub: the one subject that the answer may be about', () => {
    expect(read({ id_token: { sub: { value: 'a' } }, userinfo: { sub: { values: ['a'] } } })?.sub).toBe('a')
    expect(read({ id_token: { sub: null } })?.sub).toBeUndefined()
  })
})

describe('OpenID Connect Core §5.5.1.1 acr', () => {
  test('binds only where it is essential and has values', () => {
    expect(read({ id_token: { acr: { essential: true, values: ['a', 'b'] } } })?.essential_acr).toEqual(['a', 'b'])
    expect(read({ id_token: { acr: { essential: true, value: 'a' } } })?.essential_acr).toEqual(['a'])
    expect(read({ id_token: { acr: { values: ['a'] } } })?.essential_acr).toBeUndefined()
    expect(read({ id_token: { acr: { essential: true } } })?.essential_acr).toBeUndefined()
  })

  test('a sign-in falls short of a class that it is not of', () => {
    expect(acrOf(['pwd'])).toBe(password)
    expect(acrOf([])).toBeUndefined()
    expect(shortfall({ essential_acr: ['other', password] }, password)).toBeUndefined()
    expect(shortfall({ essential_acr: ['other'] }, password)).toBe('essential')
    expect(shortfall({ essential_acr: [password] }, undefined)).toBe('essential')
    expect(shortfall({ acr_values: [password] }, undefined)).toBe('wanted')
    expect(shortfall({ acr_values: [] }, undefined)).toBeUndefined()
    expect(shortfall({}, undefined)).toBeUndefined()
  })
})

describe('OpenID Connect Core Error Code unmet_authentication_requirements §2', () => {
  const ask = (acr: unknown, scope = ['openid']) =>
    codeOf(() => readAuthentication(client(), new Map([['claims', JSON.stringify({ id_token: { acr } })]]), scope))

  test('only an essential class that nobody can reach fails', () => {
    expect(ask({ essential: true, value: 'nobody has this' })).toBe('unmet_authentication_requirements')
    expect(ask({ essential: true, values: ['nobody has this', password] })).toBe('none')
    expect(ask({ value: 'nobody has this' })).toBe('none')
    expect(ask({ essential: true, value: 'nobody has this' }, ['email'])).toBe('none')
  })
})

describe("OpenID Connect Registration §2 a client's defaults", () => {
  const parameters = (fields: Record<string, string> = {}): Parameters => new Map(Object.entries(fields))
  const own = client({ default_max_age: 60, default_acr_values: [password, 'a'], require_auth_time: true })

  test('count where the request says nothing', () => {
    expect(readAuthentication(own, parameters(), [])).toEqual({ max_age: 60, acr_values: [password] })
    const asked = parameters({ max_age: '0', acr_values: 'b c' })
    expect(readAuthentication(own, asked, [])).toEqual({ max_age: 0, acr_values: [] })
    expect(readAuthentication(client(), parameters(), [])).toEqual({})
  })

  test('auth_time and acr are told where they were asked for', () => {
    expect(toldOfSignIn(client(), {}, false)).toEqual({ tell_auth_time: false })
    expect(toldOfSignIn(client(), {}, true)).toEqual({ tell_auth_time: true })
    expect(toldOfSignIn(own, {}, false)).toEqual({ tell_auth_time: true })
    expect(toldOfSignIn(client(), { max_age: 5 }, false)).toEqual({ tell_auth_time: true, tell_acr: true })
    expect(toldOfSignIn(client(), { acr_values: ['x'] }, false)).toEqual({ tell_auth_time: false, tell_acr: true })
    const claims = (id_token: string[]) => ({ claims: { id_token, userinfo: [] } })
    expect(toldOfSignIn(client(), claims(['auth_time']), false)).toEqual({ tell_auth_time: true })
    expect(toldOfSignIn(client(), claims(['acr']), false)).toEqual({ tell_auth_time: false, tell_acr: true })
  })
})
