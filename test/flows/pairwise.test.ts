/** Pairwise subjects over HTTP: a person has one name in each sector, and every endpoint knows who is meant. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, claimsOf } from '../support/agent.ts'
import { codeOf, offlineApi, post, refresh, refreshable, requestToken, secret } from '../support/code_flow.ts'
import { type Parameters, signIn, silently } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, clients, tenant } from '../support/tenant.ts'

const names = {
  a: 'PairwiseA',
  sameHost: 'PairwiseSameHost',
  b: 'PairwiseB',
  one: 'SectorOne',
  two: 'SectorTwo',
} as const
const client = (id: string, callback: string, more = '') => `
  - name: ${id}
    client_id: ${id}
    app_type: spa
    subject_type: pairwise
    callbacks: ['${callback}']
${more}`
const callbacks: Readonly<Record<string, string>> = {
  [names.a]: 'https://a.example.net/callback',
  [names.sameHost]: 'https://a.example.net/other',
  [names.b]: 'https://b.example.net/callback',
  [names.one]: 'https://one.example.net/callback',
  [names.two]: 'https://two.example.net/callback',
}
const sector = "    sector_identifier_uri: 'https://sector.example.net/uris.json'"

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
beforeAll(async () => {
  latchkey = await startLatchkey({
    tenant: tenant.replace(
      'friendly_name: Example',
      'friendly_name: Example\n  flags: { enable_dynamic_client_registration: true }',
    ),
  })
  issuer = latchkey.issuer
  await latchkey.apply(`clients:
  - { name: Looker, client_id: Looker, client_secret: '${secret}', app_type: non_interactive }
${[names.a, names.sameHost, names.b].map((id) => client(id, callbacks[id] ?? '')).join('')}
${[names.one, names.two].map((id) => client(id, callbacks[id] ?? '', sector)).join('')}
resourceServers:
  - { name: Offline, identifier: '${offlineApi}', allow_offline_access: true, scopes: [{ value: 'read:offline' }] }
clientGrants:
  - { client_id: Looker, audience: '${apis.messages}', scope: [] }
`)
  await signIn(ada, issuer)
})
afterAll(() => latchkey.close())

const asked = (client_id: string, change: Parameters = {}) => ({
  client_id,
  redirect_uri: callbacks[client_id],
  ...change,
})
const tokensOf = async (client_id: string, change: Parameters = {}) =>
  (await requestToken(issuer, { ...(await codeOf(ada, issuer, asked(client_id, change))) })).json
const subOf = async (client_id: string) => String(claimsOf((await tokensOf(client_id)).id_token).sub)
const userinfo = async (token: string | undefined) => {
  const answer = await fetch(`${issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })
  return (await answer.json()) as Readonly<Record<string, unknown>>
}

describe('OpenID Connect Core §8.1 pairwise subjects', () => {
  test('one sub in one sector, another in every other, and never the id of the user', async () => {
    const subs = new Map<string, string>()
    for (const id of Object.values(names)) subs.set(id, await subOf(id))
    expect(subs.get(names.a)).toBe(subs.get(names.sameHost))
    expect(subs.get(names.one)).toBe(subs.get(names.two))
    expect(new Set(subs.values()).size).toBe(3)
    const open = outcomeOf(await signIn(ada, issuer)).parameters
    const { sub } = claimsOf(open.id_token)
    expect(String(sub)).toMatch(/^auth0\|/)
    for (const [, one] of subs) {
      expect(one).toMatch(/^[\w-]{43}$/)
      expect(one).not.toBe(sub)
    }
    // The same the next time.
    expect(await subOf(names.a)).toBe(subs.get(names.a))
  })

  test('in the ID token, the access token, /userinfo and after a refresh alike', async () => {
    const sub = await subOf(names.a)
    const opaque = await tokensOf(names.a, { audience: undefined })
    expect((await userinfo(opaque.access_token)).sub).toBe(sub)
    const jwt = await tokensOf(names.a)
    expect(claimsOf(jwt.access_token).sub).toBe(sub)
    expect(await userinfo(jwt.access_token)).toMatchObject({ sub, name: 'Ada Lovelace' })
    const front = outcomeOf(await signIn(ada, issuer, asked(names.a))).parameters
    expect([claimsOf(front.id_token).sub, claimsOf(front.access_token).sub]).toEqual([sub, sub])
    const { refresh_token } = await refreshable(ada, issuer, {
      ...asked(names.a),
      scope: 'openid offline_access read:offline',
    })
    const { json } = await refresh(issuer, refresh_token, { client_id: names.a })
    expect([claimsOf(json.id_token).sub, claimsOf(json.access_token).sub]).toEqual([sub, sub])
  })

  test('introspection tells the sub of the token', async () => {
    const { access_token } = await tokensOf(names.a)
    const looker = { client_id: 'Looker', client_secret: secret }
    const { json } = await post(`${issuer}oauth/introspect`, { token: access_token, ...looker })
    expect(json).toMatchObject({ active: true, sub: await subOf(names.a) })
  })

  test('OpenID Connect Core §3.1.2.1 id_token_hint finds the person, for the client that it was given to', async () => {
    const { id_token } = await tokensOf(names.a)
    const hinted = await silently(ada, issuer, { ...asked(names.a), id_token_hint: id_token })
    expect(outcomeOf(hinted).parameters).toHaveProperty('access_token')
    const foreign = { audience: undefined, id_token_hint: id_token }
    expect(outcomeOf(await silently(ada, issuer, { ...asked(names.b), ...foreign })).parameters.error).toBe(
      'invalid_request',
    )
  })

  test('twenty first sign-ins at once agree on one name', async () => {
    await latchkey.apply(`clients:${client('Fresh', 'https://fresh.example.net/callback')}`)
    const exchanges = []
    for (let count = 0; count < 20; count++)
      exchanges.push(
        await codeOf(ada, issuer, { client_id: 'Fresh', redirect_uri: 'https://fresh.example.net/callback' }),
      )
    const answers = await Promise.all(exchanges.map((one) => requestToken(issuer, { ...one })))
    expect(new Set(answers.map(({ json }) => claimsOf(json.id_token).sub)).size).toBe(1)
  })

  test('several hosts need a sector_identifier_uri', async () => {
    const file = `clients:${client('Many', 'https://x.example.net/')}`.replace("/']", "/', 'https://y.example.net/']")
    await expect(latchkey.apply(file)).rejects.toThrow('sector_identifier_uri')
    await latchkey.apply(file.replace(/\n$/, `\n${sector}\n`))
  })

  test('discovery lists both kinds', async () => {
    const document = (await (await fetch(`${issuer}.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >
    expect(document.subject_types_supported).toEqual(['public', 'pairwise'])
  })
})

describe('OpenID Connect Registration §5 sector_identifier_uri of who registers himself', () => {
  const redirect_uris = ['https://p.example.net/callback', 'https://q.example.net/callback']
  const register = async (listed: unknown) => {
    const host = createServer((_, response) =>
      response
        .setHeader('content-type', 'application/json')
        .end(typeof listed === 'string' ? listed : JSON.stringify(listed)),
    )
    await new Promise<void>((resolve) => host.listen(0, 'localhost', resolve))
    const address = host.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const answer = await fetch(`${issuer}oidc/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ redirect_uris, subject_type: 'pairwise' },
        sector_identifier_uri: `http://localhost:${port}/uris.json`,
      }),
    })
    host.close()
    return { status: answer.status, json: (await answer.json()) as Readonly<Record<string, unknown>> }
  }

  test('a list with every redirect URI is taken', async () => {
    const { status, json } = await register([...redirect_uris, 'https://r.example.net/'])
    expect(json).toMatchObject({ subject_type: 'pairwise' })
    expect(status).toBe(201)
  })

  test.each<[string, unknown]>([
    ['lacks one', redirect_uris.slice(1)],
    ['is no list', { redirect_uris }],
    ['is no JSON', 'hello'],
  ])('a list that %s is not', async (_, listed) => {
    const { status, json } = await register(listed)
    expect([status, json.error]).toEqual([400, 'invalid_client_metadata'])
    expect(json.error_description).toContain('sector_identifier_uri')
  })
})

test('a client of public subjects is as before', async () => {
  const { access_token } = (await requestToken(issuer, { ...(await codeOf(ada, issuer, { client_id: clients.spa })) }))
    .json
  expect(String(claimsOf(access_token).sub)).toMatch(/^auth0\|/)
})
