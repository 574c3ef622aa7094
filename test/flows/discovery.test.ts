/** The discovery document against the server behind it: what is announced is tried, and what is not announced is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../support/agent.ts'
import { codeClients, codeOf, codeTenant, pkce, post, requestToken, secret, webCallback } from '../support/code_flow.ts'
import { authorizeUrl, isPage, type Parameters } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { errorPageOf, outcomeOf } from '../support/outcome.ts'
import { callback, tenant } from '../support/tenant.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
/** Every grant that there is; a client may list it or not. */
const allGrants = [
  ...['implicit', 'authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
  ...['token-exchange', 'jwt-bearer'].map((name) => `urn:ietf:params:oauth:grant-type:${name}`),
  ...['password', 'http://auth0.com/oauth/grant-type/password-realm'],
]
const everything = codeTenant
  .replace(
    'grant_types: [authorization_code, implicit, refresh_token, client_credentials]',
    `grant_types: ${JSON.stringify(allGrants)}`,
  )
  .replace('clients:\n', 'tenant:\n  flags: { enable_dynamic_client_registration: true }\nclients:\n')

type Document = Readonly<Record<string, unknown>>
let latchkey: Latchkey
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(everything)
})
afterAll(() => latchkey.close())

const document = async () =>
  (await (await fetch(`${latchkey.issuer}.well-known/openid-configuration`)).json()) as Document
const listed = async (name: string) => ((await document())[name] ?? []) as readonly string[]

const web = { client_id: codeClients.web, redirect_uri: webCallback } as const
const { request: challenge } = pkce()
/** What a request at `/authorize` ends with: `login` where it is taken, else the error that the client is told. */
async function asked(change: Parameters): Promise<string | undefined> {
  const agent = new Agent()
  const url = authorizeUrl(latchkey.issuer, { ...web, response_type: 'code', ...change })
  const answer = await agent.request(url)
  if (answer.location?.startsWith(`${latchkey.issuer}u/`) === true) return 'login'
  return answer.status >= 400 ? errorPageOf(answer).error : outcomeOf(answer).parameters.error
}
const tokenError = async (fields: Parameters) =>
  (await requestToken(latchkey.issuer, { client_id: web.client_id, client_secret: secret, ...fields })).json.error
const register = async (metadata: Document) => {
  const body = JSON.stringify({ redirect_uris: ['https://client.example.net/cb'], ...metadata })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${latchkey.issuer}oidc/register`, { method: 'POST', headers, body })
  const { error } = (await answer.json()) as { error?: string }
  return error ?? answer.status
}

/** Every way to put words of `response_type` together. */
const combinations = ['code', 'token', 'id_token', 'none'].reduce<readonly string[]>(
  (all, word) => all.concat(all.map((before) => `${before} ${word}`.trim())),
  [''],
)
const sorted = (text: string) => text.split(' ').toSorted().join(' ')

/** Names that the IANA registries of metadata have, of those that a server like this one uses. */
const registeredNames = [
  ...['issuer', 'jwks_uri', 'authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'userinfo_endpoint'],
  ...['introspection_endpoint', 'revocation_endpoint', 'device_authorization_endpoint', 'end_session_endpoint'],
  ...['pushed_authorization_request_endpoint', 'check_session_iframe', 'mtls_endpoint_aliases'],
  ...['frontchannel_logout_supported', 'frontchannel_logout_session_supported', 'backchannel_logout_supported'],
  ...['backchannel_logout_session_supported', 'scopes_supported', 'response_types_supported'],
  ...['response_modes_supported', 'grant_types_supported', 'subject_types_supported', 'claims_supported'],
  ...['code_challenge_methods_supported', 'dpop_signing_alg_values_supported', 'prompt_values_supported'],
  ...['ui_locales_supported', 'acr_values_supported', 'display_values_supported', 'claim_types_supported'],
  ...['claims_parameter_supported', 'request_parameter_supported', 'request_uri_parameter_supported'],
  ...['require_request_uri_registration', 'require_signed_request_object', 'require_pushed_authorization_requests'],
  ...['authorization_response_iss_parameter_supported', 'authorization_details_types_supported'],
  ...['tls_client_certificate_bound_access_tokens', 'client_id_metadata_document_supported'],
  ...['token', 'introspection', 'revocation'].flatMap((name) => [
    `${name}_endpoint_auth_methods_supported`,
    `${name}_endpoint_auth_signing_alg_values_supported`,
  ]),
  ...['id_token', 'userinfo', 'introspection', 'authorization', 'request_object'].flatMap((name) => [
    `${name}_signing_alg_values_supported`,
    `${name}_encryption_alg_values_supported`,
    `${name}_encryption_enc_values_supported`,
  ]),
]

describe('RFC 8414 §2 OpenID Connect Discovery §3 the document', () => {
  test('has registered names alone, and no null, no empty text, no empty list and no word twice', async () => {
    const told = await document()
    expect(Object.keys(told).filter((name) => !registeredNames.includes(name))).toEqual([])
    for (const [name, value] of Object.entries(told)) {
      expect([name, ['string', 'boolean', 'object'].includes(typeof value)]).toEqual([name, true])
      expect([name, value]).not.toEqual([name, null])
      if (typeof value === 'string') expect([name, value.startsWith(latchkey.issuer)]).toEqual([name, true])
      if (!Array.isArray(value)) continue
      expect([name, value.length > 0, value.every((one) => typeof one === 'string' && one !== '')]).toEqual([
        name,
        true,
        true,
      ])
      expect([name, new Set(value).size]).toEqual([name, value.length])
    }
  })

  test('is the same at both addresses', async () => {
    const other = await fetch(`${latchkey.issuer}.well-known/oauth-authorization-server`)
    expect(await other.json()).toEqual(await document())
  })

  test('each address that it names answers', async () => {
    const addresses = Object.entries(await document()).filter(([name]) => /_endpoint$|_iframe$|_uri$/.test(name))
    expect(addresses.length).toBeGreaterThanOrEqual(11)
    for (const [name, address] of addresses) {
      const isCalled = /token|introspection|revocation|device|pushed|registration/.test(name)
      const answer = await fetch(String(address), { method: isCalled ? 'POST' : 'GET', redirect: 'manual' })
      expect([name, answer.status === 404 || answer.status === 405 || answer.status >= 500]).toEqual([name, false])
    }
  })
})

describe('RFC 8414 §2 what is announced is taken, and nothing else', () => {
  test('response types, in every combination of their words', async () => {
    const told = (await listed('response_types_supported')).map(sorted)
    for (const response_type of combinations.slice(1)) {
      const expected = told.includes(sorted(response_type)) ? 'login' : 'unsupported_response_type'
      expect([response_type, await asked({ ...challenge, response_type })]).toEqual([response_type, expected])
    }
  })

  test('response modes', async () => {
    const told = await listed('response_modes_supported')
    for (const response_mode of told) {
      const change = { response_mode, response_type: response_mode.startsWith('query') ? 'code' : 'id_token' }
      expect([response_mode, await asked({ ...challenge, ...change })]).toEqual([response_mode, 'login'])
    }
    for (const response_mode of ['okta_post_message', 'web_message.jwt', 'owp', 'Fragment', 'jwt.query'])
      expect([response_mode, await asked({ response_mode })]).toEqual([response_mode, 'invalid_request'])
  })

  test('grants: one that is announced reads its own parameters, another is not known', async () => {
    const told = await listed('grant_types_supported')
    expect(told.toSorted()).toEqual(allGrants.toSorted())
    // The client has no leave to exchange tokens, and no API of its own; the others miss a parameter.
    const own = new Set(['urn:ietf:params:oauth:grant-type:token-exchange', 'client_credentials'])
    for (const grant_type of told.filter((one) => one !== 'implicit')) {
      const error = await tokenError({ grant_type })
      expect([grant_type, error]).toEqual([grant_type, own.has(grant_type) ? expect.any(String) : 'invalid_request'])
      expect([grant_type, error]).not.toEqual([grant_type, 'unsupported_grant_type'])
    }
    for (const grant_type of [
      'implicit',
      'urn:openid:params:grant-type:ciba',
      'Password',
      'http://auth0.com/oauth/grant-type/mfa-otp',
    ])
      expect([grant_type, await tokenError({ grant_type })]).toEqual([grant_type, 'unsupported_grant_type'])
  })

  test('client authentication: what is announced can be registered', async () => {
    const told = await listed('token_endpoint_auth_methods_supported')
    const jwks_uri = 'https://client.example.net/jwks.json'
    const all = [...told, 'tls_client_auth', 'self_signed_tls_client_auth', 'tls', 'client_secret_hash']
    for (const token_endpoint_auth_method of all) {
      const subject = token_endpoint_auth_method === 'tls_client_auth' ? { tls_client_auth_san_dns: 'a.example' } : {}
      const keys = /^(private_key|self_signed)/.test(token_endpoint_auth_method) ? { jwks_uri } : {}
      const expected = told.includes(token_endpoint_auth_method) ? 201 : 'invalid_client_metadata'
      const answer = await register({ token_endpoint_auth_method, ...keys, ...subject })
      expect([token_endpoint_auth_method, answer]).toEqual([token_endpoint_auth_method, expected])
    }
    // No connection of this server brings a certificate.
    expect(await register({ tls_client_certificate_bound_access_tokens: true })).toBe('invalid_client_metadata')
    expect(await document()).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
    expect(told).not.toContain('tls_client_auth')
  })

  const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256', 'RS512', 'ES384', 'ES256K', 'none', 'RS1']
  test.each(['id_token', 'userinfo', 'introspection', 'authorization'])('signatures of %s', async (name) => {
    const told = await listed(`${name}_signing_alg_values_supported`)
    expect(told).toContain('RS256')
    const field = name === 'introspection' || name === 'authorization' || name === 'userinfo' ? name : 'id_token'
    for (const alg of algorithms) {
      const expected = told.includes(alg) ? 201 : 'invalid_client_metadata'
      expect([alg, await register({ [`${field}_signed_response_alg`]: alg })]).toEqual([alg, expected])
    }
  })

  test.each(['id_token', 'userinfo', 'introspection', 'authorization', 'request_object'])(
    'encryption of %s',
    async (name) => {
      const [algs, encs] = [
        await listed(`${name}_encryption_alg_values_supported`),
        await listed(`${name}_encryption_enc_values_supported`),
      ]
      const field = name === 'request_object' ? 'request_object_encryption' : `${name}_encrypted_response`
      const jwks_uri = 'https://client.example.net/jwks.json'
      const enc = 'A256GCM'
      for (const alg of [...algs, 'RSA1_5', 'RSA-OAEP', 'PBES2-HS256+A128KW', 'A128GCMKW']) {
        const answer = await register({ jwks_uri, [`${field}_alg`]: alg, [`${field}_enc`]: enc })
        expect([alg, answer]).toEqual([alg, algs.includes(alg) ? 201 : 'invalid_client_metadata'])
      }
      for (const one of [...encs, 'A192CBC-HS384', 'none']) {
        const answer = await register({ jwks_uri, [`${field}_alg`]: algs[0], [`${field}_enc`]: one })
        expect([one, answer]).toEqual([one, encs.includes(one) ? 201 : 'invalid_client_metadata'])
      }
    },
  )

  test('algorithms of assertions and of request objects', async () => {
    const jwks_uri = 'https://client.example.net/jwks.json'
    const assertions = await listed('token_endpoint_auth_signing_alg_values_supported')
    const objects = await listed('request_object_signing_alg_values_supported')
    for (const alg of [...algorithms, 'Ed25519']) {
      const token_endpoint_auth_method = alg === 'HS256' ? 'client_secret_jwt' : 'private_key_jwt'
      const keyed = { jwks_uri, token_endpoint_auth_method }
      const one = await register({ ...keyed, token_endpoint_auth_signing_alg: alg })
      const other = await register({ ...keyed, request_object_signing_alg: alg })
      const expected = (told: readonly string[]) => (told.includes(alg) ? 201 : 'invalid_client_metadata')
      expect([alg, one, other]).toEqual([alg, expected(assertions), expected(objects)])
    }
  })

  test('subject types, prompts, classes, displays and methods of PKCE', async () => {
    for (const subject_type of ['public', 'pairwise', 'ephemeral']) {
      const told = (await listed('subject_types_supported')).includes(subject_type)
      expect([subject_type, await register({ subject_type })]).toEqual([
        subject_type,
        told ? 201 : 'invalid_client_metadata',
      ])
    }
    for (const prompt of await listed('prompt_values_supported'))
      expect([prompt, await asked({ prompt })]).toEqual([prompt, prompt === 'none' ? 'login_required' : 'login'])
    for (const prompt of ['enroll', 'Login', 'none login'])
      expect([prompt, await asked({ prompt })]).toEqual([prompt, 'invalid_request'])
    for (const acr_values of await listed('acr_values_supported')) expect(await asked({ acr_values })).toBe('login')
    for (const display of await listed('display_values_supported')) expect(await asked({ display })).toBe('login')
    expect(await listed('code_challenge_methods_supported')).toEqual(['S256'])
    expect(await asked({ ...challenge })).toBe('login')
    expect(await asked({ ...challenge, code_challenge_method: 'plain' })).toBe('invalid_request')
  })

  test('a method of PKCE that one client was given is told', async () => {
    const old = JSON.stringify({
      clients: [
        {
          name: 'Old app',
          client_id: 'old',
          app_type: 'regular_web',
          callbacks: ['https://old.example.com/'],
          allow_plain_pkce: true,
        },
      ],
    })
    await latchkey.apply(old)
    expect(await listed('code_challenge_methods_supported')).toEqual(['S256', 'plain'])
    const plain = {
      code_challenge: 'v'.repeat(43),
      code_challenge_method: 'plain',
      redirect_uri: 'https://old.example.com/',
    }
    expect(await asked({ client_id: 'old', ...plain })).toBe('login')
  })
})

describe('RFC 8414 §2 what a tenant has switched off', () => {
  async function without<T>(settings: Readonly<Record<string, readonly string[]>>, look: () => Promise<T>): Promise<T> {
    await latchkey.apply(JSON.stringify({ tenant: settings }))
    try {
      return await look()
    } finally {
      await latchkey.apply(
        JSON.stringify({ tenant: Object.fromEntries(Object.keys(settings).map((name) => [name, []])) }),
      )
    }
  }

  test.each(allGrants.filter((one) => one !== 'implicit'))(
    'the grant %s: neither announced nor served',
    async (grant_type) => {
      await without({ disabled_grant_types: [grant_type] }, async () => {
        expect((await listed('grant_types_supported')).toSorted()).toEqual(
          allGrants.filter((one) => one !== grant_type).toSorted(),
        )
        expect(await tokenError({ grant_type })).toBe('unsupported_grant_type')
      })
      expect(await listed('grant_types_supported')).toContain(grant_type)
    },
  )

  test('with the implicit grant go the response types that need it, with codes those and PKCE', async () => {
    await without({ disabled_grant_types: ['implicit'] }, async () => {
      expect(await listed('response_types_supported')).toEqual(['code', 'none'])
      expect(await asked({ response_type: 'id_token token' })).toBe('unsupported_response_type')
      expect(await asked({ response_type: 'code token', ...challenge })).toBe('unsupported_response_type')
      expect(await asked({ response_type: 'code' })).toBe('login')
      expect(await register({ response_types: ['id_token'] })).toBe('invalid_client_metadata')
    })
    await without({ disabled_grant_types: ['authorization_code'] }, async () => {
      expect(await listed('response_types_supported')).toEqual(['token', 'id_token', 'id_token token', 'none'])
      expect(await document()).not.toHaveProperty('code_challenge_methods_supported')
      expect(await asked({ response_type: 'code' })).toBe('unsupported_response_type')
    })
  })

  test('without refreshing there is no scope for it, and no refresh token', async () => {
    await without({ disabled_grant_types: ['refresh_token'] }, async () => {
      expect(await listed('scopes_supported')).toEqual(expect.not.arrayContaining(['offline_access']))
      const exchange = await codeOf(new Agent(), latchkey.issuer, {
        scope: 'openid offline_access',
        audience: undefined,
      })
      const { json } = await requestToken(latchkey.issuer, { ...exchange })
      expect([json.scope, json.refresh_token]).toEqual(['openid', undefined])
    })
  })

  test('without the device grant its endpoint is neither announced nor there', async () => {
    await without({ disabled_grant_types: [deviceGrant] }, async () => {
      expect(await document()).not.toHaveProperty('device_authorization_endpoint')
      const { status, json } = await post(`${latchkey.issuer}oauth/device/code`, {
        client_id: web.client_id,
        client_secret: secret,
      })
      expect([status, json.error]).toEqual([404, 'endpoint_disabled'])
      expect((await fetch(`${latchkey.issuer}activate`)).status).toBe(404)
    })
  })

  test('a response type alone, whatever the order of its words', async () => {
    await without({ disabled_response_types: ['code id_token token', 'none'] }, async () => {
      expect(await listed('response_types_supported')).toEqual([
        'code',
        'token',
        'id_token',
        'id_token token',
        'code id_token',
        'code token',
      ])
      expect(await asked({ response_type: 'token code id_token', ...challenge })).toBe('unsupported_response_type')
      expect(await asked({ response_type: 'none' })).toBe('unsupported_response_type')
      expect(await asked({ response_type: 'id_token code', ...challenge })).toBe('login')
      expect(await register({ response_types: ['none'] })).toBe('invalid_client_metadata')
    })
  })

  test('response modes: the refusal comes by the usual one; signed answers go with the last mode for them', async () => {
    await without({ disabled_response_modes: ['form_post', 'query.jwt'] }, async () => {
      expect(await listed('response_modes_supported')).toEqual([
        'fragment',
        'query',
        'web_message',
        'jwt',
        'fragment.jwt',
        'form_post.jwt',
      ])
      expect(await asked({ response_mode: 'form_post' })).toBe('invalid_request')
      expect(await asked({ response_mode: 'jwt' })).toBe('invalid_request')
      expect(await asked({ response_mode: 'jwt', response_type: 'id_token' })).toBe('login')
    })
    const signed = ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt']
    await without({ disabled_response_modes: signed }, async () => {
      expect(Object.keys(await document()).filter((name) => /^authorization_(signing|encryption)/.test(name))).toEqual(
        [],
      )
      for (const response_mode of signed) {
        const request = { ...web, response_type: 'code', response_mode }
        const { parameters } = outcomeOf(await new Agent().request(authorizeUrl(latchkey.issuer, request)))
        expect(parameters).toMatchObject({ error: 'invalid_request', state: expect.any(String) })
      }
    })
  })

  test('client authentication: by the one that is left, and with the last that signs go its algorithms', async () => {
    const grant = { grant_type: 'authorization_code', code: 'x', redirect_uri: webCallback }
    const basic = `Basic ${Buffer.from(`${web.client_id}:${encodeURIComponent(secret)}`).toString('base64')}`
    const errors = async () => {
      const { json } = await requestToken(latchkey.issuer, grant, { authorization: basic })
      const publicError = await requestToken(latchkey.issuer, {
        ...grant,
        client_id: 'SpaClient0000000000000000000000a',
        redirect_uri: callback,
      })
      return [await tokenError(grant), json.error, publicError.json.error]
    }
    expect(await errors()).toEqual(['invalid_grant', 'invalid_grant', 'invalid_grant'])
    await without({ disabled_token_endpoint_auth_methods: ['client_secret_post'] }, async () => {
      expect(await listed('token_endpoint_auth_methods_supported')).toEqual([
        'client_secret_basic',
        'client_secret_jwt',
        'private_key_jwt',
        'none',
      ])
      expect(await errors()).toEqual(['invalid_client', 'invalid_grant', 'invalid_grant'])
      expect(await register({ token_endpoint_auth_method: 'client_secret_post' })).toBe('invalid_client_metadata')
    })
    await without({ disabled_token_endpoint_auth_methods: ['client_secret_basic', 'none'] }, async () => {
      expect(await errors()).toEqual(['invalid_grant', 'invalid_client', 'invalid_client'])
      expect(await listed('introspection_endpoint_auth_methods_supported')).not.toContain('client_secret_basic')
      expect(await listed('revocation_endpoint_auth_methods_supported')).not.toContain('none')
    })
    await without({ disabled_token_endpoint_auth_methods: ['client_secret_jwt'] }, async () => {
      expect(await listed('token_endpoint_auth_signing_alg_values_supported')).toEqual(
        expect.not.arrayContaining(['HS256']),
      )
    })
    await without({ disabled_token_endpoint_auth_methods: ['client_secret_jwt', 'private_key_jwt'] }, async () => {
      expect(Object.keys(await document()).filter((name) => name.includes('_auth_signing_alg'))).toEqual([])
      const assertion = ['{"alg":"RS256"}', `{"sub":"${web.client_id}"}`, 'x']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.')
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      const { json } = await requestToken(latchkey.issuer, {
        ...grant,
        client_assertion: assertion,
        client_assertion_type,
      })
      expect([json.error, json.error_description]).toEqual([
        'invalid_client',
        'The client authentication method private_key_jwt is switched off',
      ])
    })
  })

  test('a client that registered itself keeps what it registered, and gets it back with the tenant’s leave', async () => {
    const headers = { 'content-type': 'application/json' }
    const body = {
      redirect_uris: ['https://kept.example.net/cb'],
      grant_types: ['authorization_code', 'refresh_token'],
    }
    const url = `${latchkey.issuer}oidc/register`
    const made = (await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as Record<
      string,
      string
    >
    const authorization = `Bearer ${made.registration_access_token}`
    const change = () =>
      fetch(made.registration_client_uri ?? '', {
        method: 'PUT',
        headers: { ...headers, authorization },
        body: JSON.stringify({ ...body, client_id: made.client_id }),
      })
    await without({ disabled_grant_types: ['refresh_token'] }, async () => {
      expect(await (await change()).json()).toMatchObject({ grant_types: ['authorization_code'] })
    })
    expect(await (await change()).json()).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] })
    const { json } = await requestToken(latchkey.issuer, {
      grant_type: 'refresh_token',
      client_id: made.client_id,
      client_secret: made.client_secret,
      refresh_token: 'x',
    })
    expect(json.error).toBe('invalid_grant')
  })

  test('what cannot be switched off, or is not known, is said', async () => {
    for (const settings of [
      { disabled_response_modes: ['fragment'] },
      { disabled_grant_types: ['ciba'] },
      { disabled_response_types: ['token code'] },
    ])
      await expect(latchkey.apply(JSON.stringify({ tenant: settings }))).rejects.toThrow('This must be one of')
  })

  test('a sign-in that was begun before ends without what was switched off meanwhile', async () => {
    const agent = new Agent()
    const page = await agent.visit(authorizeUrl(latchkey.issuer))
    expect(isPage(page, '/u/login')).toBe(true)
    await without({ disabled_grant_types: ['implicit'] }, async () => {
      const { parameters } = outcomeOf(
        await agent.submit(page, { username: 'ada@example.com', password: 'Correct-Horse-7', action: 'default' }),
      )
      expect(parameters).toMatchObject({ error: 'unsupported_response_type', state: expect.any(String) })
    })
  })
})
