import { OAuthError } from '@latchkey/oauth'
import { describe, expect, test } from 'vitest'
import { indexConfiguration } from '../src/configuration.ts'
import { nextStep, type Trip } from '../src/next_step.ts'
import { customClaims } from '../src/rules/custom_claims.ts'

const dropped: unknown[] = []
const log = { debug: (fields: object) => void dropped.push(fields), info() {}, warn() {}, error() {} }

function filter(given: unknown, { strict = false, scope = [] as readonly string[] } = {}) {
  const configuration = indexConfiguration(
    {
      version: 1,
      settings: { flags: { require_namespaced_claims: strict } },
      ...{ clients: [], resource_servers: [], connections: [], client_grants: [], rules: [], rules_configs: [] },
    },
    () => [],
  )
  const issuers = ['https://id.example.com/', 'http://localhost:8400/']
  return customClaims({ configuration, issuers, log }, given, scope)
}

describe('contract C4 custom claims', () => {
  const foreign = [
    'http://a.example/x',
    'https://a.example',
    'HTTPS://A.example/X',
    'https://example.com/x',
    'http://localhost:3000/x',
  ]
  const own = [
    'https://id.example.com/x',
    'http://id.example.com/x',
    'HTTPS://ID.EXAMPLE.COM/x',
    'https://a.id.example.com/',
    'http://localhost:8400/x',
  ]
  const broken = ['https://', 'http:x y', 'https://a b/']

  for (const strict of [false, true]) {
    test.each(foreign)(`%s is a namespace (strict: ${strict})`, (name) =>
      expect(filter({ [name]: 1 }, { strict })).toEqual({ [name]: 1 }),
    )
    test.each([...own, ...broken])(`%s is none that a rule may use (strict: ${strict})`, (name) =>
      expect(filter({ [name]: 1 }, { strict })).toEqual({}),
    )
  }

  test('a name without a namespace is left out in strict mode alone', () => {
    expect(filter({ colour: 1 })).toEqual({ colour: 1 })
    expect(filter({ colour: 1 }, { strict: true })).toEqual({})
  })

  test.each([
    ...[
      'iss',
      'sub',
      'aud',
      'exp',
      'nbf',
      'iat',
      'jti',
      'nonce',
      'auth_time',
      'acr',
      'amr',
      'azp',
      'at_hash',
      'c_hash',
    ],
    ...['s_hash', 'sid', 'client_id', 'scope', 'gty', 'act', 'cnf', 'kid', 'typ', 'permissions', 'roles', 'org_id', ''],
    ...['authorization_details', 'userinfo_claims'],
  ])('%s is reserved', (name) => expect(filter({ [name]: 'x' }, { scope: ['openid', 'profile', 'email'] })).toEqual({}))

  test('a claim of the profile needs its scope', () => {
    const given = { email: 'x', name: 'y', address: 'z', phone_number: '1' }
    expect(filter(given)).toEqual({})
    expect(filter(given, { scope: ['email', 'openid'] })).toEqual({ email: 'x' })
    expect(filter(given, { scope: ['profile', 'toString'] })).toEqual({ name: 'y' })
    expect(filter(given, { scope: ['email', 'profile'], strict: true })).toEqual({})
  })

  test('__proto__ is left out; other names of objects are names', () => {
    const given: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":"a","toString":"b"}')
    const claims = filter(given)
    expect(JSON.stringify(claims)).toBe('{"constructor":"a","toString":"b"}')
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype)
  })

  test.each([[undefined], [null], ['text'], [[1, 2]], [7]])('%s has no claims', (given) =>
    expect(filter(given)).toEqual({}),
  )

  test('null means not there; the log names what was left out', () => {
    dropped.splice(0)
    expect(filter({ a: null, b: false, c: 0, d: '' })).toEqual({ b: false, c: 0, d: '' })
    expect(dropped).toEqual([])
    filter({ sub: 'x', colour: 1 })
    expect(dropped).toEqual([{ names: ['sub'] }])
  })
})

describe('contract A17 where rules stand in a trip', () => {
  const signed_in = {
    ...{ user_id: 'auth0|1', auth_time: 1000, blocked: false, during_this_trip: false },
    ...{ allowed_connection: true, chose_account: false, consented: false },
  }
  const trip: Trip = { prompt: [], now: 1000, consent_needed: false, signed_in, rules: 'pending' }
  const silent: Trip = { ...trip, prompt: ['none'] }
  const codeOf = (one: Trip) => {
    const step = nextStep(one)
    return step.kind === 'fail' ? step.error.code : step
  }

  test('after the person, before consent', () => {
    const { signed_in: _, ...nobody } = trip
    expect(nextStep(nobody)).toEqual({ kind: 'page', page: 'login' })
    expect(codeOf({ ...trip, signed_in: { ...signed_in, blocked: true } })).toBe('access_denied')
    expect(nextStep({ ...trip, prompt: ['select_account'] })).toEqual({ kind: 'page', page: 'account' })
    expect(nextStep(trip)).toEqual({ kind: 'rules' })
    expect(nextStep({ ...trip, consent_needed: true })).toEqual({ kind: 'rules' })
    expect(nextStep(silent)).toEqual({ kind: 'rules' })
    expect(nextStep({ ...trip, consent_needed: true, rules: {} })).toEqual({ kind: 'page', page: 'consent' })
    expect(nextStep({ ...trip, rules: {} })).toEqual({ kind: 'issue' })
  })

  test('what they decide', () => {
    const refusal = new OAuthError('access_denied', 'No')
    const url = 'https://terms.example.com/'
    expect(nextStep({ ...trip, rules: { refusal, redirect: url } })).toEqual({ kind: 'fail', error: refusal })
    expect(nextStep({ ...trip, consent_needed: true, rules: { redirect: url } })).toEqual({ kind: 'redirect', url })
    expect(codeOf({ ...silent, rules: { redirect: url } })).toBe('interaction_required')
    expect(codeOf({ ...trip, rules: { multifactor: true } })).toBe('access_denied')
    expect(codeOf({ ...silent, rules: { multifactor: true, redirect: url } })).toBe('interaction_required')
  })
})
