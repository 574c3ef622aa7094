/** Everything that works once, over HTTP: a hundred at the same moment, and exactly one gets it. In memory, and on a database file. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { revokeGrants } from '../support/administration.ts'
import { Agent, type Answer, formOf } from '../support/agent.ts'
import { makeKey, signJwt } from '../support/client_keys.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  post,
  refresh,
  refreshable,
  requestToken,
  secret,
  type TokenAnswer,
  webCallback,
} from '../support/code_flow.ts'
import { dpopProof, proofKey } from '../support/dpop.ts'
import { authorizeUrl, isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { apis, callback, clients, connection, person, tenant } from '../support/tenant.ts'

const partner = 'https://partner.example.net/'
const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const key = makeKey('ES256')
const more = JSON.stringify({
  tenant: {
    flags: { enable_dynamic_client_registration: true },
    dynamic_client_registration: { require_initial_access_token: true },
    trusted_issuers: [
      { issuer: partner, jwks: { keys: [key.jwk] }, clients: ['Bearer'], subject: { match: 'email', connection } },
    ],
  },
  clients: [
    {
      name: 'Keyed',
      client_id: 'Keyed',
      app_type: 'non_interactive',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.jwk] },
    },
    {
      name: 'Bearer',
      client_id: 'Bearer',
      client_secret: secret,
      app_type: 'non_interactive',
      grant_types: [assertionGrant],
    },
    { name: 'Television', client_id: 'Television', app_type: 'native', grant_types: [deviceGrant] },
    {
      name: 'Sharp',
      client_id: 'Sharp',
      app_type: 'spa',
      callbacks: ['https://sharp.example.com/'],
      refresh_token: { leeway: 0 },
    },
  ],
  clientGrants: ['Keyed', 'Bearer'].map((client_id) => ({
    client_id,
    audience: apis.messages,
    scope: ['read:messages'],
  })),
})

/** What somebody got: `won`, or how it was refused. */
type Result = string
interface OneTime {
  readonly losers: readonly Result[]
  /** Makes a new one. @returns one use of it; the number is another for each of the hundred */
  make(): Promise<(index: number) => Promise<Result>>
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  ['in memory', 'sqlite::memory:'],
  ['on a file', `sqlite:${join(folder, 'one_time.sqlite')}`],
])('RFC 9700 §2.1.1 a hundred at once, %s', (_, database) => {
  let latchkey: Latchkey
  let issuer: string
  beforeAll(async () => {
    latchkey = await startLatchkey({ tenant, database, options: { trust_proxy: ['127.0.0.1', '::1'] } })
    issuer = latchkey.issuer
    await latchkey.apply(codeTenant)
    await latchkey.apply(more)
  })
  afterAll(() => latchkey.close())

  let addresses = 0
  /** From an address of its own, so that no limit for addresses counts. */
  const from = () => ({ 'x-forwarded-for': `2001:db8:${(++addresses).toString(16)}::1` })
  const result = ({ status, json }: Pick<TokenAnswer, 'status' | 'json'>): Result =>
    status < 300 ? 'won' : `${status} ${json.error}`
  const seconds = () => Math.floor(Date.now() / 1000)

  /** Sends the form of a page, without following where it leads. */
  async function send(agent: Agent, page: Answer, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const form = formOf(page)
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const body = new URLSearchParams({ ...form.fields, ...fields }).toString()
    return agent.request(form.action, { method: 'POST', headers, body })
  }
  const answered = ({ status, location }: Answer, target: string): Result =>
    location?.startsWith(target) === true && !location.includes('error=') ? 'won' : String(status)

  async function mailTo(kind: string): Promise<string> {
    const email = `${randomUUID()}@example.com`
    const call = (path: string, body: object) =>
      fetch(`${issuer}dbconnections/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...from() },
        body: JSON.stringify({ connection, email, client_id: clients.spa, ...body }),
      })
    expect((await call('signup', { password: person.password })).status).toBe(200)
    if (kind === 'reset_password') expect((await call('change_password', {})).status).toBe(200)
    return (await latchkey.mails()).find((mail) => mail.kind === kind && mail.to === email)?.links[0] ?? ''
  }

  /** A device whose person has come to the page that asks. */
  async function device() {
    const { json } = await post(`${issuer}oauth/device/code`, { client_id: 'Television', scope: 'openid' }, from())
    const agent = new Agent()
    let page = await agent.submit(await agent.visit(json.verification_uri ?? ''), { code: json.user_code ?? '' })
    page = await agent.submit(page, { username: person.email, password: person.password, action: 'default' })
    return { agent, page, device_code: json.device_code }
  }

  const kinds: Readonly<Record<string, OneTime>> = {
    'an authorization code': {
      losers: ['400 invalid_grant'],
      async make() {
        const exchange = await codeOf(new Agent(), issuer)
        return async () => result(await requestToken(issuer, { ...exchange }))
      },
    },
    'a refresh token without leeway': {
      losers: ['400 invalid_grant'],
      async make() {
        const asked = { client_id: 'Sharp', redirect_uri: 'https://sharp.example.com/' }
        const { refresh_token } = await refreshable(new Agent(), issuer, asked)
        return async () => result(await refresh(issuer, refresh_token, { client_id: 'Sharp' }))
      },
    },
    'a device code': {
      losers: ['400 invalid_grant'],
      async make() {
        const { agent, page, device_code } = await device()
        await agent.submit(page, { action: 'accept' })
        return async () =>
          result(await requestToken(issuer, { grant_type: deviceGrant, client_id: 'Television', device_code }))
      },
    },
    'the word of the person for a device': {
      losers: ['400'],
      async make() {
        const { agent, page } = await device()
        return async (index) => {
          const { status } = await agent.submit(page, { action: index % 2 === 0 ? 'accept' : 'deny' })
          return status === 200 ? 'won' : String(status)
        }
      },
    },
    'a pushed request': {
      losers: ['400', '302', '303'],
      async make() {
        const agent = new Agent()
        await signIn(agent, issuer)
        const request = {
          client_id: codeClients.web,
          redirect_uri: webCallback,
          response_type: 'code',
          scope: 'openid',
          prompt: 'none',
        }
        const { json } = await post(`${issuer}oauth/par`, { ...request, client_secret: secret })
        const query = new URLSearchParams({ client_id: codeClients.web, request_uri: json.request_uri ?? '' })
        return async () => answered(await agent.request(`${issuer}authorize?${query}`), webCallback)
      },
    },
    'the jti of a client assertion': {
      losers: ['401 invalid_client'],
      async make() {
        const claims = { iss: 'Keyed', sub: 'Keyed', aud: issuer, jti: randomUUID(), exp: seconds() + 60 }
        const client_assertion = signJwt(key, claims)
        const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
        const fields = {
          grant_type: 'client_credentials',
          audience: apis.messages,
          client_assertion,
          client_assertion_type,
        }
        return async () => result(await requestToken(issuer, fields))
      },
    },
    'the jti of a client assertion, at three endpoints in turn': {
      losers: ['401 invalid_client'],
      async make() {
        const claims = { iss: 'Keyed', sub: 'Keyed', aud: issuer, jti: randomUUID(), exp: seconds() + 60 }
        const client_assertion = signJwt(key, claims)
        const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
        const fields = {
          grant_type: 'client_credentials',
          audience: apis.messages,
          token: 'x',
          client_assertion,
          client_assertion_type,
        }
        const paths = ['token', 'introspect', 'revoke'] as const
        return async (index) => result(await post(`${issuer}oauth/${paths[index % paths.length]}`, fields))
      },
    },
    'a DPoP proof at the token endpoint': {
      losers: ['400 invalid_dpop_proof'],
      async make() {
        const dpop = dpopProof(proofKey(), 'POST', `${issuer}oauth/token`)
        const fields = {
          grant_type: 'client_credentials',
          client_id: codeClients.machine,
          client_secret: secret,
          audience: apis.messages,
        }
        return async () => result(await requestToken(issuer, fields, { dpop }))
      },
    },
    'a DPoP proof at /userinfo': {
      losers: ['401 invalid_dpop_proof'],
      async make() {
        const own = proofKey()
        const exchange = await codeOf(new Agent(), issuer, { audience: undefined, scope: 'openid' })
        const { json } = await requestToken(
          issuer,
          { ...exchange },
          { dpop: dpopProof(own, 'POST', `${issuer}oauth/token`) },
        )
        const ath = createHash('sha256')
          .update(json.access_token ?? '')
          .digest('base64url')
        const dpop = dpopProof(own, 'GET', `${issuer}userinfo`, { claims: { ath } })
        const headers = { authorization: `DPoP ${json.access_token}`, dpop }
        return async () => {
          const answer = await fetch(`${issuer}userinfo`, { headers })
          return result({ status: answer.status, json: (await answer.json()) as TokenAnswer['json'] })
        }
      },
    },
    'the jti of an assertion as a grant': {
      losers: ['400 invalid_grant'],
      async make() {
        const claims = {
          iss: partner,
          sub: 'x',
          email: person.email,
          aud: issuer,
          jti: randomUUID(),
          exp: seconds() + 60,
        }
        const fields = {
          grant_type: assertionGrant,
          client_id: 'Bearer',
          client_secret: secret,
          audience: apis.messages,
          assertion: signJwt(key, claims),
        }
        return async () => result(await requestToken(issuer, fields))
      },
    },
    'a consent': {
      losers: ['400'],
      async make() {
        const agent = new Agent()
        await signIn(agent, issuer)
        await revokeGrants(latchkey, person.email)
        const asked = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }
        const page = await agent.visit(authorizeUrl(issuer, asked))
        expect(isPage(page, '/u/consent')).toBe(true)
        return async () => answered(await agent.submit(page, { action: 'accept' }), asked.redirect_uri)
      },
    },
    'a trip that waits for its answer': {
      losers: ['400'],
      async make() {
        const agent = new Agent()
        const page = await agent.visit(authorizeUrl(issuer))
        const next = await send(agent, page, { username: person.email, password: person.password, action: 'default' })
        return async () => answered(await agent.request(next.location ?? ''), callback)
      },
    },
    'a ticket of /usernamepassword/login': {
      losers: ['400'],
      async make() {
        const agent = new Agent(from())
        const page = await agent.visit(authorizeUrl(issuer))
        const { state = '', csrf = '' } = formOf(page).fields
        const form = await agent.request(`${issuer}usernamepassword/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: issuer.slice(0, -1), 'sec-fetch-site': 'same-origin' },
          body: JSON.stringify({
            client_id: clients.spa,
            redirect_uri: callback,
            response_type: 'token',
            tenant: 'default',
            scope: 'openid',
            state,
            _csrf: csrf,
            _intstate: 'deprecated',
            connection,
            username: person.email,
            password: person.password,
          }),
        })
        expect(form.status).toBe(200)
        return async () => {
          const { status } = await send(agent, form)
          return status === 303 ? 'won' : String(status)
        }
      },
    },
    'a mail to confirm an address': {
      losers: ['400'],
      async make() {
        const agent = new Agent()
        const page = await agent.visit(await mailTo('verify_email'))
        return async () => {
          const { status } = await agent.submit(page, {})
          return status === 200 ? 'won' : String(status)
        }
      },
    },
    'a mail to set a new password': {
      losers: ['400'],
      async make() {
        const agent = new Agent()
        const page = await agent.visit(await mailTo('reset_password'))
        return async (index) => {
          const password = `Racing-Horse-${index}`
          const { status } = await agent.submit(page, { password, password_confirm: password })
          return status === 200 ? 'won' : String(status)
        }
      },
    },
    'an initial access token': {
      losers: ['401 invalid_token'],
      async make() {
        const token = randomBytes(32).toString('base64url')
        const now = Date.now()
        await latchkey.tenant.store.registrationTokens.createInitial(token, 1, now + 60_000, now)
        return async () => {
          const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...from() }
          const body = JSON.stringify({ redirect_uris: ['https://client.example.net/cb'] })
          const answer = await fetch(`${issuer}oidc/register`, { method: 'POST', headers, body })
          return result({ status: answer.status, json: (await answer.json()) as TokenAnswer['json'] })
        }
      },
    },
  }

  test.each(Object.entries(kinds))(
    '%s: one wins, and nobody afterwards',
    async (_name, { losers, make }) => {
      const use = await make()
      const results = await Promise.all(Array.from({ length: 100 }, (_unused, index) => use(index)))
      expect(results.filter((one) => one === 'won')).toHaveLength(1)
      expect(new Set(results.filter((one) => one !== 'won' && !losers.includes(one)))).toEqual(new Set())
      expect(losers).toContain(await use(100))
    },
    60_000,
  )

  test('a refresh token with leeway: all get the one successor, whose own successor is one', async () => {
    let { refresh_token: token } = await refreshable(new Agent(), issuer)
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => refresh(issuer, token)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1)
      token = answers[0]?.json.refresh_token
    }
  })
})
