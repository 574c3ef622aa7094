/**
 * What the OpenID Foundation's suite asks of a provider, module by module, under every response type and with every client registering
 * itself. The names of the modules stand in the names of the tests.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { conformanceTenant, scopes } from '../support/conformance_tenant.ts'
import { isPage } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { longState, type Plan, type Registered, RelyingParty, register } from '../support/relying_party.ts'

let latchkey: Latchkey
let issuer: string
let discovery: Readonly<Record<string, unknown>>
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant: conformanceTenant })
  issuer = latchkey.issuer
  discovery = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Record<string, unknown>
})
afterAll(() => latchkey.close())

const plans: readonly Plan[] = [
  { response_type: 'code' },
  { response_type: 'id_token' },
  { response_type: 'id_token token' },
  { response_type: 'code id_token' },
  { response_type: 'code token' },
  { response_type: 'code id_token token' },
  { response_type: 'code', response_mode: 'form_post' },
  { response_type: 'id_token token', response_mode: 'form_post' },
  { response_type: 'code id_token token', response_mode: 'form_post' },
]

function metadataOf(plan: Plan): object {
  const words = plan.response_type.split(' ')
  return {
    client_name: 'Suite',
    redirect_uris: ['https://rp.example.net/callback'],
    response_types: [plan.response_type],
    grant_types: [
      ...(words.includes('code') ? ['authorization_code', 'refresh_token'] : []),
      ...(words.includes('token') || words.includes('id_token') ? ['implicit'] : []),
    ],
    contacts: ['a@rp.example.net'],
  }
}

async function partyOf(plan: Plan, change: object = {}): Promise<RelyingParty> {
  return new RelyingParty(issuer, await register(issuer, { ...metadataOf(plan), ...change }), plan)
}

const titles = plans.map(
  (plan) => [`${plan.response_type}${plan.response_mode === undefined ? '' : ' form_post'}`, plan] as const,
)

describe.each(titles)('OpenID Connect Core §3 plan %s', (_, plan) => {
  const words = plan.response_type.split(' ')
  const hasAccessToken = words.includes('code') || words.includes('token')

  test('oidcc-server: openid alone brings sub, and nothing of the person into the ID token', async () => {
    const { id_tokens, token } = await (await partyOf(plan)).complete(
      words.includes('id_token') ? {} : { nonce: undefined },
    )
    for (const claims of id_tokens) {
      const allowed = [
        'iss',
        'sub',
        'aud',
        'exp',
        'iat',
        'nonce',
        'at_hash',
        'c_hash',
        'sid',
        'auth_time',
        'acr',
        'amr',
        'azp',
      ]
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(claims)))
    }
    if (token !== undefined)
      expect(Object.keys(token).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'token_type'])
  })

  test('oidcc-response-type-missing: an error in the query, or as a form', async () => {
    const party = await partyOf(plan)
    const answer = await party.go(party.request({ response_type: undefined }))
    const { via, parameters } = outcomeOf(answer)
    expect(via).toBe(plan.response_mode === 'form_post' ? 'form_post' : 'query')
    expect(['invalid_request', 'unsupported_response_type']).toContain(parameters.error)
  })

  test('oidcc-ensure-request-without-nonce: fails where an ID token comes in front, works elsewhere', async () => {
    const party = await partyOf(plan)
    if (words.includes('id_token')) expect((await party.refusal({ nonce: undefined })).error).toBe('invalid_request')
    else await party.complete({ nonce: undefined })
  })

  test.each(Object.entries(scopes))(
    'oidcc-scope-%s: its claims where OpenID Connect Core §5.4 says',
    async (scope, names) => {
      expect(discovery.scopes_supported).toContain(scope)
      const { id_tokens, userinfo } = await (await partyOf(plan)).complete({ scope: `openid ${scope}` })
      const told = hasAccessToken ? userinfo : id_tokens[0]
      expect(Object.keys(told ?? {})).toEqual(expect.arrayContaining([...names]))
      if (!hasAccessToken) return
      for (const claims of id_tokens) for (const name of names) expect(claims).not.toHaveProperty(name)
    },
  )

  test('oidcc-scope-all', async () => {
    const { id_tokens, userinfo } = await (await partyOf(plan)).complete({
      scope: 'openid profile email address phone',
    })
    const told = hasAccessToken ? userinfo : id_tokens[0]
    expect(Object.keys(told ?? {})).toEqual(expect.arrayContaining(Object.values(scopes).flat()))
  })

  test('oidcc-alternate-happy-flow: the order of scopes and parameters means nothing', async () => {
    const party = await partyOf(plan)
    const request = party.request({ scope: 'email openid' })
    const backwards = Object.fromEntries(Object.entries(request).toReversed())
    await party.finish(request, outcomeOf(await party.go(backwards)))
  })

  test.each(['page', 'popup'])('oidcc-display-%s', async (display) => {
    await (await partyOf(plan)).complete({ display })
  })

  test('oidcc-prompt-login: signs in again, later', async () => {
    const party = await partyOf(plan)
    const first = await party.complete()
    latchkey.advance(1)
    const second = await party.complete({ prompt: 'login' })
    expect(party.logins).toBe(2)
    const [before, after] = [first.id_tokens[0]?.auth_time, second.id_tokens[0]?.auth_time]
    if (before !== undefined && after !== undefined) expect(Number(after)).toBeGreaterThan(Number(before))
  })

  test('oidcc-prompt-none-not-logged-in', async () => {
    const { error } = await (await partyOf(plan)).refusal({ prompt: 'none' })
    expect(error).toBe('login_required')
  })

  test('oidcc-prompt-none-logged-in: silently, the same person at the same time', async () => {
    const party = await partyOf(plan)
    const first = await party.complete({ max_age: '1000' })
    latchkey.advance(2)
    const second = await party.complete({ prompt: 'none', max_age: '1000' })
    expect(party.logins).toBe(1)
    const [one, two] = [first.id_tokens[0], second.id_tokens[0]]
    expect([two?.sub, two?.auth_time]).toEqual([one?.sub, one?.auth_time])
  })

  test('oidcc-max-age-1: signs in again', async () => {
    const party = await partyOf(plan)
    const first = await party.complete({ max_age: '1000' })
    latchkey.advance(2)
    const second = await party.complete({ max_age: '1' })
    expect(party.logins).toBe(2)
    expect(Number(second.id_tokens[0]?.auth_time)).toBeGreaterThan(Number(first.id_tokens[0]?.auth_time))
  })

  test('oidcc-max-age-10000: does not', async () => {
    const party = await partyOf(plan)
    const first = await party.complete({ max_age: '15000' })
    const second = await party.complete({ max_age: '10000' })
    expect(party.logins).toBe(1)
    expect(second.id_tokens[0]?.auth_time).toBe(first.id_tokens[0]?.auth_time)
    expect(first.id_tokens[0]?.auth_time).toEqual(expect.any(Number))
  })

  test('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    await (await partyOf(plan)).complete({ extra: 'foobar' })
  })

  test('oidcc-login-hint, oidcc-ui-locales, oidcc-claims-locales', async () => {
    await (await partyOf(plan)).complete({ login_hint: 'buffy@localhost', ui_locales: 'se', claims_locales: 'se' })
  })

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    const supported = (discovery.acr_values_supported as string[] | undefined) ?? []
    expect(supported.length).toBeGreaterThan(0)
    const { id_tokens } = await (await partyOf(plan)).complete({ acr_values: supported.join(' ') })
    for (const { acr } of id_tokens) expect(supported).toContain(acr)
  })

  test('oidcc-claims-essential: name where it was asked for, and nowhere else', async () => {
    const place = hasAccessToken ? 'userinfo' : 'id_token'
    const claims = JSON.stringify({ [place]: { name: { essential: true } } })
    const { id_tokens, userinfo } = await (await partyOf(plan)).complete({ claims })
    if (hasAccessToken) expect(userinfo?.name).toBe('Ada Lovelace')
    for (const idToken of id_tokens) expect(idToken.name).toBe(hasAccessToken ? undefined : 'Ada Lovelace')
  })

  test('oidcc-unsigned-request-object: what is inside counts, or request_not_supported', async () => {
    const party = await partyOf(plan, { request_object_signing_alg: 'none' })
    const request = party.request()
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const inside = `${encode({ alg: 'none' })}.${encode(request)}.`
    const { state: _, nonce: __, ...outside } = request
    const answer = outcomeOf(await party.go({ ...outside, request: inside }))
    if (answer.parameters.error === 'request_not_supported') expect(discovery.request_parameter_supported).toBe(false)
    else await party.finish(request, answer)
  })

  test('oidcc-ensure-registered-redirect-uri, oidcc-redirect-uri-query-added: a page, and no redirect', async () => {
    const party = await partyOf(plan)
    for (const more of ['/other', '?foo=bar']) {
      const page = await party.go(party.request({ redirect_uri: `${party.client.redirect_uris[0]}${more}` }))
      expect([page.status, page.location]).toEqual([400, undefined])
      expect(page.headers.get('content-type')).toContain('text/html')
    }
  })

  test('oidcc-ensure-redirect-uri-in-authorization-request', async () => {
    const redirect_uris = ['https://rp.example.net/callback', 'https://rp.example.net/second']
    const party = await partyOf(plan, { redirect_uris })
    const page = await party.go(party.request({ redirect_uri: undefined }))
    expect([page.status, page.location]).toEqual([400, undefined])
  })

  test('oidcc-redirect-uri-query-OK, oidcc-redirect-uri-query-mismatch', async () => {
    const redirect_uris = ['https://rp.example.net/callback?bar=foo']
    const party = await partyOf(plan, { redirect_uris })
    const request = party.request()
    const answer = await party.go(request)
    if (plan.response_mode !== 'form_post') expect(answer.location).toContain('?bar=foo')
    const page = await party.go(party.request({ redirect_uri: 'https://rp.example.net/callback?foo=bar' }))
    expect([page.status, page.location]).toEqual([400, undefined])
  })

  test('oidcc-id-token-hint: silently for the same person', async () => {
    const party = await partyOf(plan)
    const request = party.request()
    const outcome = outcomeOf(await party.go(request))
    const { id_token: front, code } = outcome.parameters
    const hint = front ?? String((await party.exchange(request, code ?? '')).id_token)
    const { id_tokens } = await party.complete({ prompt: 'none', id_token_hint: hint })
    expect(party.logins).toBe(1)
    expect(id_tokens[0]?.sub).toEqual(expect.any(String))
  })

  test('oidcc-ensure-post-request-succeeds', async () => {
    const party = await partyOf(plan)
    const request = party.request()
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(request)) if (value !== undefined) body.set(name, value)
    const page = await party.agent.visit(`${issuer}authorize`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    })
    expect(isPage(page, '/u/login')).toBe(true)
  })
})

describe('OpenID Connect Core §3.1.3 the code, whatever it comes with', () => {
  const withCode = titles.filter(([, { response_type }]) => response_type.includes('code'))

  test.each(withCode)('%s oidcc-codereuse-30seconds: 400, invalid_grant, and the first token dies', async (_, plan) => {
    const party = await partyOf(plan)
    const request = party.request()
    const { parameters } = outcomeOf(await party.go(request))
    const { access_token } = await party.exchange(request, parameters.code ?? '')
    latchkey.advance(30)
    const again = await party.ask({
      grant_type: 'authorization_code',
      code: parameters.code,
      redirect_uri: request.redirect_uri,
    })
    expect([again.status, ((await again.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
    const dead = await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${String(access_token)}` } })
    expect(dead.status).toBe(401)
  })

  test.each(withCode)('%s oidcc-refresh-token: new tokens for its own client alone', async (_, plan) => {
    const party = await partyOf(plan)
    const other = await partyOf(plan)
    const asked = { scope: 'openid offline_access', prompt: 'consent' }
    const { token, id_tokens } = await party.complete(asked)
    expect(token?.refresh_token).toEqual(expect.any(String))
    latchkey.advance(1)
    const response = await party.ask({ grant_type: 'refresh_token', refresh_token: String(token?.refresh_token) })
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const fresh = (await response.json()) as Record<string, unknown>
    expect(fresh).toMatchObject({
      token_type: 'Bearer',
      access_token: expect.any(String),
      id_token: expect.any(String),
    })
    const claims = JSON.parse(
      Buffer.from(String(fresh.id_token).split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, unknown>
    const first = id_tokens.at(-1)
    for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time']) expect(claims[name]).toEqual(first?.[name])
    expect(claims.iat).not.toBe(first?.iat)
    const stolen = await other.ask({ grant_type: 'refresh_token', refresh_token: String(fresh.refresh_token) })
    expect([stolen.status, ((await stolen.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
  })

  test.each(['client_secret_basic', 'client_secret_post'])('oidcc-server-%s', async (token_endpoint_auth_method) => {
    expect(discovery.token_endpoint_auth_methods_supported).toContain(token_endpoint_auth_method)
    await (await partyOf({ response_type: 'code' }, { token_endpoint_auth_method })).complete()
  })

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const party = await partyOf({ response_type: 'code' })
    const code_verifier = 'v'.repeat(64)
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code_verifier))
    const code_challenge = Buffer.from(digest).toString('base64url')
    const request = party.request({ code_challenge, code_challenge_method: 'S256' })
    const { parameters } = outcomeOf(await party.go(request))
    const { redirect_uri } = request
    const response = await party.ask({
      grant_type: 'authorization_code',
      code: parameters.code,
      redirect_uri,
      code_verifier,
    })
    expect(response.status).toBe(200)
  })
})

describe('OpenID Connect Core §5.3 userinfo', () => {
  test('oidcc-userinfo-get, -post-header, -post-body', async () => {
    const { access_tokens, id_tokens } = await (await partyOf({ response_type: 'code' })).complete()
    const [token = ''] = access_tokens
    const authorization = `Bearer ${token}`
    for (const init of [
      { headers: { authorization } },
      { method: 'POST', headers: { authorization } },
      { method: 'POST', body: new URLSearchParams({ access_token: token }) },
    ]) {
      const answer = await fetch(`${issuer}userinfo`, init)
      expect([answer.status, ((await answer.json()) as { sub: string }).sub]).toEqual([200, id_tokens[0]?.sub])
    }
  })
})

describe('OpenID Connect Registration §2 what a client registers', () => {
  test('oidcc-registration-logo-uri, -policy-uri, -tos-uri: on the login page', async () => {
    const papers = {
      logo_uri: 'https://rp.example.net/logo.png',
      policy_uri: 'https://rp.example.net/policy.html',
      tos_uri: 'https://rp.example.net/tos.html',
    }
    const party = await partyOf({ response_type: 'code' }, papers)
    const page = await party.agent.visit(party.url(party.request()))
    expect(isPage(page, '/u/login')).toBe(true)
    for (const address of Object.values(papers)) expect(page.body).toContain(address)
    expect(page.headers.get('content-security-policy')).toContain('https://rp.example.net')
  })

  test('oidcc-registration-regfrag, oidcc-3rd_party-init-login', async () => {
    const send = async (metadata: object) => {
      const body = JSON.stringify({ redirect_uris: ['https://rp.example.net/callback'], ...metadata })
      const answer = await fetch(`${issuer}oidc/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return { status: answer.status, json: (await answer.json()) as Registered }
    }
    const fragment = await send({ redirect_uris: ['https://rp.example.net/callback#fragment'] })
    expect([fragment.status, fragment.json.error]).toEqual([400, 'invalid_redirect_uri'])
    const initiate_login_uri = 'https://rp.example.net/login'
    const { json } = await send({ initiate_login_uri })
    expect(json.initiate_login_uri).toBe(initiate_login_uri)
    const read = await fetch(String(json.registration_client_uri), {
      headers: { authorization: `Bearer ${json.registration_access_token}` },
    })
    expect([read.status, ((await read.json()) as Registered).initiate_login_uri]).toEqual([200, initiate_login_uri])
    const plain = await send({ initiate_login_uri: 'http://rp.example.net/login' })
    expect([plain.status, plain.json.error]).toEqual([400, 'invalid_client_metadata'])
    const gone = await fetch(String(json.registration_client_uri), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${json.registration_access_token}` },
    })
    expect(gone.status).toBe(204)
  })

  test('oidcc-idtoken-signature, oidcc-idtoken-rs256', async () => {
    await (await partyOf({ response_type: 'id_token' })).complete()
    const party = await partyOf({ response_type: 'id_token' }, { id_token_signed_response_alg: 'RS256' })
    await party.complete()
  })
})

describe('OpenID Connect Discovery §3 oidcc-discovery-endpoint-verification', () => {
  test('every endpoint lies under the issuer, and what must be listed is', () => {
    expect(discovery.issuer).toBe(issuer)
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'jwks_uri',
      'userinfo_endpoint',
      'registration_endpoint',
    ])
      expect(String(discovery[name])).toMatch(new RegExp(`^${issuer}`))
    for (const [name, value] of Object.entries(discovery))
      if (name.endsWith('_endpoint')) expect(String(value)).toMatch(new RegExp(`^${issuer}`))
    expect(discovery.response_types_supported).toEqual(expect.arrayContaining(['code', 'id_token', 'id_token token']))
    expect(discovery.grant_types_supported).toEqual(expect.arrayContaining(['authorization_code', 'implicit']))
    expect(discovery.id_token_signing_alg_values_supported).toContain('RS256')
    expect(discovery.claims_supported).toEqual(expect.any(Array))
    expect(discovery.code_challenge_methods_supported).toEqual(['S256'])
    for (const name of ['request_parameter_supported', 'request_uri_parameter_supported', 'claims_parameter_supported'])
      expect(typeof discovery[name]).toBe('boolean')
  })

  test('the keys have distinct names and no private part', async () => {
    const { keys } = (await (await fetch(String(discovery.jwks_uri))).json()) as { keys: Record<string, unknown>[] }
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length)
    for (const key of keys) {
      expect(key.kid).toEqual(expect.any(String))
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) expect(key).not.toHaveProperty(secret)
    }
  })

  test('a state of 128 characters comes back as it went', async () => {
    const party = await partyOf({ response_type: 'code' })
    const state = longState()
    expect(state).toHaveLength(128)
    const { outcome } = await party.complete({ state })
    expect(outcome.parameters.state).toBe(state)
    expect(new Agent().cookies).toEqual([])
  })
})
