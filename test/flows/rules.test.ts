import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { Agent, type Answer, claimsOf, fragmentOf } from '../support/agent.ts'
import { authorizeUrl, isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, callback, clients, person, tenant } from '../support/tenant.ts'

const namespace = 'https://app.example.com/'
const open: Latchkey[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

/** The server with the shared tenant and these rules, each the body of a function. */
async function serve(bodies: readonly string[], more = ''): Promise<Latchkey> {
  const latchkey = await startLatchkey({
    tenant: `${tenant}\n${rulesOf(bodies)}\n${more}`,
    options: { log_level: 'debug' },
  })
  open.push(latchkey)
  return latchkey
}

function rulesOf(bodies: readonly string[]): string {
  const rules = bodies.map((body, index) => ({
    name: `rule ${index + 1}`,
    order: index + 1,
    script: `function (user, context, callback) { ${body} }`,
  }))
  return `rules: ${JSON.stringify(rules)}`
}

const go = 'return callback(null, user, context);'
const silent = { prompt: 'none' }

/** What the rules saw, put into the ID token by the last of them. */
const tell = (expression: string) => `context.idToken['${namespace}seen'] = ${expression}; ${go}`

async function again(agent: Agent, { issuer }: Latchkey, change: Record<string, string | undefined> = silent) {
  return agent.request(authorizeUrl(issuer, change))
}

function answerOf(answer: Answer): Record<string, string> {
  return fragmentOf(answer.location)
}

describe('contract M19: custom claims', () => {
  test('a namespaced claim is in both tokens; a reserved one is not; the protocol keeps its own words', async () => {
    const latchkey = await serve([
      `context.idToken['${namespace}role'] = 'admin'; context.accessToken['${namespace}plan'] = { name: 'gold' };
       for (const token of [context.idToken, context.accessToken]) {
         token.sub = 'auth0|other'; token.iss = 'https://evil.example/'; token.aud = 'x'; token.exp = 1; token.roles = ['root'];
         token.nonce = 'x'; token.azp = 'x'; token.sid = 'x'; token.gty = 'x'; token.colour = 'green'; token.nothing = null;
       } ${go}`,
    ])
    const { id_token, access_token } = answerOf(await signIn(new Agent(), latchkey.issuer))
    const [id, access] = [claimsOf(id_token), claimsOf(access_token)]
    expect(id).toMatchObject({ iss: latchkey.issuer, aud: clients.spa, nonce: 'n-0S6_WzA2Mj', colour: 'green' })
    expect(id[`${namespace}role`]).toBe('admin')
    expect(access).toMatchObject({ iss: latchkey.issuer, azp: clients.spa, colour: 'green' })
    expect(access[`${namespace}plan`]).toEqual({ name: 'gold' })
    for (const claims of [id, access]) {
      expect(claims.sub).toMatch(/^auth0\|[0-9a-f]{24}$/)
      for (const name of ['roles', 'gty', 'nothing']) expect(claims).not.toHaveProperty(name)
    }
    expect(id).not.toHaveProperty('azp')
    expect(access).not.toHaveProperty('nonce')
    expect(access).not.toHaveProperty('sid')
  })

  test('strict: a claim without a namespace is left out; one under a name of the server always is', async () => {
    const latchkey = await serve([
      `context.idToken.colour = 'green'; context.idToken['${namespace}role'] = 'admin';
       context.idToken[configuration.ISSUER + 'x'] = 1; context.idToken['https://sub.' + new URL(configuration.ISSUER).host] = 1; ${go}`,
    ])
    const agent = new Agent()
    await latchkey.apply(`rulesConfigs: [{ key: ISSUER, value: "${latchkey.issuer}" }]`)
    const lax = claimsOf(answerOf(await signIn(agent, latchkey.issuer)).id_token)
    await latchkey.apply('tenant: { flags: { require_namespaced_claims: true } }')
    const strict = claimsOf(answerOf(await again(agent, latchkey)).id_token)
    expect(lax.colour).toBe('green')
    expect(strict).not.toHaveProperty('colour')
    for (const claims of [lax, strict]) {
      expect(claims[`${namespace}role`]).toBe('admin')
      expect(Object.keys(claims).filter((name) => name.includes('localhost'))).toEqual([])
    }
  })

  test('a claim of the profile needs its scope, whoever sets it', async () => {
    const latchkey = await serve([
      `context.idToken.email = 'rule@example.com'; context.idToken.phone_number = '+1'; ${go}`,
    ])
    const agent = new Agent()
    expect(claimsOf(answerOf(await signIn(agent, latchkey.issuer)).id_token)).toMatchObject({
      email: 'rule@example.com',
    })
    const without = claimsOf(answerOf(await again(agent, latchkey, { ...silent, scope: 'openid' })).id_token)
    expect(without).not.toHaveProperty('email')
    expect(without).not.toHaveProperty('phone_number')
  })

  test.each([
    ['an opaque token', { audience: undefined, scope: 'openid profile' }],
    ['a token for an API', {}],
  ])('contract C4.4: claims of the ID token are at /userinfo too, for %s', async (_, change) => {
    const latchkey = await serve([`context.idToken['${namespace}role'] = 'admin'; context.idToken.sub = 'x'; ${go}`])
    const { access_token, id_token } = answerOf(await signIn(new Agent(), latchkey.issuer, change))
    const answer = await fetch(`${latchkey.issuer}userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
    expect(await answer.json()).toMatchObject({
      sub: claimsOf(id_token).sub,
      name: 'Ada Lovelace',
      [`${namespace}role`]: 'admin',
    })
  })
})

describe('contract C5.2: scopes', () => {
  test('a rule replaces them: in the token, in the answer, in the claims', async () => {
    const latchkey = await serve([`context.accessToken.scope = ['openid', 'write:messages', 'no:such', 7]; ${go}`])
    const answer = answerOf(await signIn(new Agent(), latchkey.issuer))
    expect(answer.scope).toBe('openid write:messages')
    expect(claimsOf(answer.access_token).scope).toBe('openid write:messages')
    expect(claimsOf(answer.id_token)).not.toHaveProperty('email')
  })

  test('a text does as well; what was asked for is not repeated', async () => {
    const latchkey = await serve([`context.accessToken.scope = context.request.query.scope; ${go}`])
    const answer = answerOf(await signIn(new Agent(), latchkey.issuer))
    expect(answer).not.toHaveProperty('scope')
    expect(claimsOf(answer.access_token).scope).toBe('openid profile email read:messages')
  })

  test('consent is asked for what will be granted', async () => {
    const latchkey = await serve([`context.accessToken.scope = ['openid', 'write:contacts']; ${go}`])
    const agent = new Agent()
    const change = { audience: apis.contacts, scope: 'openid read:contacts' }
    const login = await agent.visit(authorizeUrl(latchkey.issuer, change))
    const consent = await agent.submit(login, { username: person.email, password: person.password, action: 'default' })
    expect(isPage(consent, '/u/consent')).toBe(true)
    expect(consent.body).not.toMatch(/read your contacts/i)
    const answer = await agent.submit(consent, { action: 'accept' })
    expect(answerOf(answer).scope).toBe('openid write:contacts')
    expect(answerOf(await again(agent, latchkey, { ...change, ...silent })).scope).toBe('openid write:contacts')
  })
})

describe('refusals', () => {
  test('an UnauthorizedError is access_denied with its message; the session stays (contract E12)', async () => {
    const latchkey = await serve([
      `if (context.clientID === '${clients.spa}') return callback(new UnauthorizedError('Only on "weekdays", \\u00fcber')); ${go}`,
    ])
    const agent = new Agent()
    const denied = await signIn(agent, latchkey.issuer)
    expect(denied.location?.startsWith(`${callback}#`)).toBe(true)
    expect(answerOf(denied)).toEqual({
      error: 'access_denied',
      error_description: "Only on 'weekdays', ?ber",
      state: 'af0ifjsldkj',
      iss: latchkey.issuer,
    })
    expect(answerOf(await again(agent, latchkey)).error).toBe('access_denied')
    const other = { client_id: clients.native, redirect_uri: 'com.example.app://callback', prompt: 'none' }
    expect(answerOf(await again(agent, latchkey, other)).error).toBe('consent_required')
  })

  test.each([
    ['throws', 'null.password', 'TypeError'],
    ['calls back with an error', `callback(new Error('the secret quota'))`, 'quota'],
    ['asks for an address that is none', `context.redirect = { url: 'javascript:alert(1)' }; ${go}`, 'redirect.url'],
    ['hangs', 'for (;;) {}', '2000 ms'],
  ])('a rule that %s is server_error; the log has the reason, the answer has not', async (_, body, reason) => {
    const latchkey = await serve([body])
    const answer = answerOf(await signIn(new Agent(), latchkey.issuer))
    expect(answer).toMatchObject({ error: 'server_error', state: 'af0ifjsldkj' })
    expect(answer.error_description).toBe('The sign-in could not be completed: a rule of the server failed')
    const line = latchkey.log.find(({ msg }) => msg === 'a rule failed')
    expect(line?.reason).toContain(reason)
  })

  test('a second factor that a rule asks for is never skipped', async () => {
    const latchkey = await serve([`context.multifactor = { provider: 'any' }; ${go}`])
    const agent = new Agent()
    const description = 'Multifactor authentication required'
    expect(answerOf(await signIn(agent, latchkey.issuer))).toMatchObject({
      error: 'access_denied',
      error_description: description,
    })
    expect(answerOf(await again(agent, latchkey))).toMatchObject({
      error: 'interaction_required',
      error_description: description,
    })
  })
})

describe('contract A14 and F7: when rules run, and what they see', () => {
  test('once for a trip, whatever pages it has, and once for a silent request', async () => {
    const latchkey = await serve([`console.log('ran'); ${tell('context.stats.loginsCount')}`])
    const runs = () => latchkey.log.filter(({ msg }) => msg === 'ran').length
    const agent = new Agent()
    const change = { audience: apis.contacts, scope: 'openid read:contacts' }
    const first = claimsOf(answerOf(await signIn(agent, latchkey.issuer, change)).id_token)
    expect(first[`${namespace}seen`]).toBe(1)
    expect(runs()).toBe(1)
    const second = claimsOf(answerOf(await again(agent, latchkey, { ...change, ...silent })).id_token)
    expect(second[`${namespace}seen`]).toBe(1)
    expect(runs()).toBe(2)
    expect(answerOf(await new Agent().request(authorizeUrl(latchkey.issuer, silent))).error).toBe('login_required')
    expect(runs()).toBe(2)
  })

  test('a session that was there, and then consent: once too', async () => {
    const latchkey = await serve([`console.log('ran'); ${go}`])
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    const consent = await agent.visit(
      authorizeUrl(latchkey.issuer, { audience: apis.contacts, scope: 'openid read:contacts' }),
    )
    expect(isPage(consent, '/u/consent')).toBe(true)
    await agent.submit(consent, { action: 'accept' })
    expect(latchkey.log.filter(({ msg }) => msg === 'ran').length).toBe(2)
  })

  test('what one person was told counts for nobody else', async () => {
    const latchkey = await serve([`context.idToken['${namespace}for'] = user.email; ${go}`], '')
    await latchkey.apply(`
users:
  - { email: bob@example.com, password: "${person.password}", connection: Username-Password-Authentication }`)
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    const consent = await agent.visit(
      authorizeUrl(latchkey.issuer, { audience: apis.contacts, scope: 'openid read:contacts' }),
    )
    const state = new URL(consent.url).searchParams.get('state')
    const login = await agent.visit(`${latchkey.issuer}u/login?state=${state}`)
    const next = await agent.submit(login, {
      username: 'bob@example.com',
      password: person.password,
      action: 'default',
    })
    const answer = await agent.submit(next, { action: 'accept' })
    const claims = claimsOf(answerOf(answer).id_token)
    expect(claims[`${namespace}for`]).toBe('bob@example.com')
  })

  test('user and context, by their names', async () => {
    const latchkey = await serve([tell('JSON.parse(JSON.stringify({ user, context }))')])
    await latchkey.apply(`
users:
  - { email: ${person.email}, connection: Username-Password-Authentication, app_metadata: { plan: gold } }`)
    const agent = new Agent()
    const answer = answerOf(
      await signIn(agent, latchkey.issuer, { ui_locales: 'en', custom: 'of the app', login_hint: 'ada@example.com' }),
    )
    const seen = claimsOf(answer.id_token)[`${namespace}seen`] as { user: object; context: object }
    expect(seen.user).toMatchObject({
      user_id: claimsOf(answer.id_token).sub,
      email: person.email,
      email_verified: true,
      name: 'Ada Lovelace',
      app_metadata: { plan: 'gold' },
      identities: [{ connection: 'Username-Password-Authentication', provider: 'auth0', isSocial: false }],
    })
    expect(JSON.stringify(seen)).not.toMatch(/password_hash|argon2/)
    expect(seen.context).toMatchObject({
      clientID: clients.spa,
      clientName: 'Single page app',
      connection: 'Username-Password-Authentication',
      connectionStrategy: 'auth0',
      protocol: 'oidc-implicit-profile',
      stats: { loginsCount: 1 },
      sso: { with_auth0: false },
      request: {
        query: { custom: 'of the app', audience: apis.messages, state: 'af0ifjsldkj' },
        hostname: 'localhost',
      },
      sessionID: claimsOf(answer.id_token).sid,
      authentication: { methods: [{ name: 'pwd', timestamp: expect.any(Number) }] },
      authorization: { roles: [] },
    })
  })

  test('a rule that is switched off does not run; settings are read anew when they change', async () => {
    const latchkey = await serve([tell('configuration.KEY')], 'rulesConfigs: [{ key: KEY, value: one }]')
    const agent = new Agent()
    const seen = (answer: Answer) => claimsOf(answerOf(answer).id_token)[`${namespace}seen`]
    expect(seen(await signIn(agent, latchkey.issuer))).toBe('one')
    await latchkey.apply('rulesConfigs: [{ key: KEY, value: two }]')
    expect(seen(await again(agent, latchkey))).toBe('two')
    await latchkey.apply('rules: [{ name: rule 1, enabled: false }]')
    expect(seen(await again(agent, latchkey))).toBeUndefined()
  })
})

describe('contract B2.7 and M10: a redirect', () => {
  const away = `if (context.protocol !== 'redirect-callback') context.redirect = { url: 'https://terms.example.com/ask?lang=en' };`

  test('silent: interaction_required', async () => {
    const latchkey = await serve([`if (context.request.query.prompt === 'none') { ${away} } ${go}`])
    const agent = new Agent()
    await signIn(agent, latchkey.issuer)
    expect(answerOf(await again(agent, latchkey))).toMatchObject({ error: 'interaction_required' })
  })

  test('the browser is sent there with the handle of the trip, comes back to /continue, and the trip ends', async () => {
    const latchkey = await serve([
      `${away} context.idToken['${namespace}agreed'] = context.request.query.agreed || 'no'; ${go}`,
    ])
    const agent = new Agent()
    const change = { audience: apis.contacts, scope: 'openid read:contacts' }
    const sent = await signIn(agent, latchkey.issuer, change)
    expect(sent.status).toBe(200)
    const target = new URL(/content="0; url=([^"]+)"/.exec(sent.body)?.[1]?.replaceAll('&amp;', '&') ?? '')
    expect(target.href.startsWith('https://terms.example.com/ask?lang=en&state=')).toBe(true)
    const state = target.searchParams.get('state') ?? ''
    // No way around it: the trip waits where it is.
    expect((await agent.visit(`${latchkey.issuer}authorize/resume?state=${state}`)).body).toContain('terms.example.com')
    expect((await agent.visit(`${latchkey.issuer}u/consent?state=${state}`)).body).toContain('terms.example.com')
    expect((await new Agent().visit(`${latchkey.issuer}continue?state=${state}`)).status).toBe(400)
    const consent = await agent.visit(`${latchkey.issuer}continue?state=${state}&agreed=yes`)
    expect(isPage(consent, '/u/consent')).toBe(true)
    const { id_token } = answerOf(await agent.submit(consent, { action: 'accept' }))
    expect(claimsOf(id_token)[`${namespace}agreed`]).toBe('yes')
    expect((await agent.visit(`${latchkey.issuer}continue?state=${state}`)).status).toBe(400)
  })

  test('a rule that would redirect again is not listened to; one that refuses then is', async () => {
    const latchkey = await serve([
      `context.redirect = { url: 'https://terms.example.com/' };
       if (context.request.query.agreed === 'never') return callback(new UnauthorizedError('Agree first')); ${go}`,
    ])
    for (const [agreed, error] of [
      ['yes', undefined],
      ['never', 'access_denied'],
    ] as const) {
      const agent = new Agent()
      const sent = await signIn(agent, latchkey.issuer)
      const state = /state=([\w-]+)/.exec(sent.body)?.[1]
      const answer = answerOf(await agent.visit(`${latchkey.issuer}continue?state=${state}&agreed=${agreed}`))
      expect(answer.error).toBe(error)
    }
  })

  test.each([['/continue'], ['/continue?state=nobody']])('%s is invalid_request on our own page', async (path) => {
    const latchkey = await serve([go])
    const answer = await new Agent().visit(`${latchkey.issuer}${path.slice(1)}`)
    expect(answer.status).toBe(400)
    expect(answer.body).toContain('invalid_request')
  })
})

describe('docs/rules.md', () => {
  const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')
  const [claims = '', redirect = ''] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text)

  test('the rules of the first sample let a person with a verified address in, and nobody else', async () => {
    const latchkey = await startLatchkey({ tenant: `${tenant}\n${claims}` })
    open.push(latchkey)
    const { id_token, access_token } = answerOf(await signIn(new Agent(), latchkey.issuer))
    for (const token of [id_token, access_token]) expect(claimsOf(token)[`${namespace}plan`]).toBe('free')
    await latchkey.apply(`
users:
  - { email: ${person.email}, connection: Username-Password-Authentication, email_verified: false }`)
    expect(answerOf(await signIn(new Agent(), latchkey.issuer))).toMatchObject({
      error: 'access_denied',
      error_description: 'Please verify your e-mail address first.',
    })
  })

  test('the rule of the second asks for the terms', async () => {
    const latchkey = await startLatchkey({ tenant: `${tenant}\n${redirect}` })
    open.push(latchkey)
    const agent = new Agent()
    const sent = await signIn(agent, latchkey.issuer)
    expect(sent.body).toContain('https://app.example.com/terms?state=')
    const state = /state=([\w-]+)/.exec(sent.body)?.[1]
    const back = await agent.visit(`${latchkey.issuer}continue?state=${state}&accepted=yes`)
    expect(answerOf(back)).toHaveProperty('access_token')
  })
})
