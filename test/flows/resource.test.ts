import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantsOf, revokeGrants } from '../support/administration.ts'
import { Agent, claimsOf } from '../support/agent.ts'
import {
  codeClients,
  codeOf,
  codeTenant,
  offlineApi,
  pkce,
  refresh,
  requestToken,
  secret,
} from '../support/code_flow.ts'
import { authorizeUrl, isPage, signIn } from '../support/flow.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, person, tenant } from '../support/tenant.ts'

const mcp = 'https://mcp.example.com/mcp'
const host = 'https://bare.example.com'
const more = `
resourceServers:
  - { name: Tools, identifier: '${mcp}', allow_offline_access: true, scopes: [{ value: 'use:tools' }, { value: 'read:offline' }] }
  - { name: Bare, identifier: '${host}', scopes: [{ value: 'read:bare' }] }
clientGrants:
  - { client_id: ${codeClients.machine}, audience: '${mcp}', scope: ['use:tools'] }
`
let latchkey: Latchkey
const ada = new Agent()
let userinfo: string
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  await latchkey.apply(codeTenant)
  await latchkey.apply(more)
  await signIn(ada, latchkey.issuer)
  userinfo = `${latchkey.issuer}userinfo`
})
afterAll(() => latchkey.close())

type Fields = Readonly<Record<string, string | undefined>>

/** A request that names several resources, each in a parameter of its own. */
function urlFor(resources: readonly string[], change: Fields = {}): string {
  const url = new URL(authorizeUrl(latchkey.issuer, { audience: undefined, ...change }))
  for (const resource of resources) url.searchParams.append('resource', resource)
  return url.href
}
const answerTo = async (resources: readonly string[], change: Fields = {}) =>
  outcomeOf(await ada.request(urlFor(resources, { prompt: 'none', ...change }))).parameters

/** The answer of the token endpoint to a code for these resources. */
async function exchange(resources: readonly string[], change: Fields = {}, added: readonly string[] = []) {
  const { code_verifier, request } = pkce()
  const { code } = await answerTo(resources, { response_type: 'code', ...request, ...change })
  expect(code).toBeDefined()
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', client_id: clients.spa, code: code ?? '' },
    ...{ redirect_uri: callback, code_verifier },
  })
  for (const resource of added) body.append('resource', resource)
  const answer = await fetch(`${latchkey.issuer}oauth/token`, { method: 'POST', body })
  return { status: answer.status, json: (await answer.json()) as Record<string, string> }
}

const offline = { scope: 'openid offline_access read:offline write:offline use:tools' }

describe('RFC 8707 §2 resource at the authorization endpoint', () => {
  test('one resource is what audience is: the token is for it, with its scopes', async () => {
    const { access_token, scope } = await answerTo([mcp], { scope: 'use:tools read:messages', response_type: 'token' })
    expect(claimsOf(access_token)).toMatchObject({ aud: mcp, scope: 'use:tools' })
    expect(scope).toBe('use:tools')
    expect(claimsOf((await answerTo([mcp], { scope: 'openid use:tools' })).access_token).aud).toEqual([mcp, userinfo])
  })

  test('RFC 3986 §6.2.3 after a bare host the slash may be there or not; nowhere else', async () => {
    for (const resource of [host, `${host}/`])
      expect(
        claimsOf((await answerTo([resource], { scope: 'read:bare', response_type: 'token' })).access_token).aud,
      ).toBe(host)
    expect((await answerTo([`${mcp}/`])).error).toBe('invalid_target')
  })

  for (const [name, resource] of [
    ['an unknown one', 'https://nobody.example.com/'],
    ['a known one in other letters', mcp.toUpperCase()],
    ['a fragment', `${mcp}#here`],
    ['a relative reference', '/mcp'],
    ['no URI at all', 'mcp'],
  ] as const)
    test(`${name} is invalid_target, told to the client`, async () =>
      expect(await answerTo([resource])).toMatchObject({ error: 'invalid_target', iss: latchkey.issuer }))

  test('one of several that is unknown refuses all; eleven are too many', async () => {
    expect((await answerTo([mcp, 'https://nobody.example.com/'])).error).toBe('invalid_target')
    const many = Array.from({ length: 11 }, (_, n) => `https://api${n}.example.com/`)
    expect((await answerTo(many)).error).toBe('invalid_target')
  })

  test('beside audience it adds; the same one twice counts once; /userinfo is always there', async () => {
    const both = await answerTo([mcp], {
      audience: apis.messages,
      scope: 'read:messages use:tools',
      response_type: 'token',
    })
    expect(claimsOf(both.access_token)).toMatchObject({ aud: [apis.messages, mcp], scope: 'read:messages use:tools' })
    const once = await answerTo([mcp, mcp], { audience: mcp, scope: 'use:tools', response_type: 'token' })
    expect(claimsOf(once.access_token).aud).toBe(mcp)
    expect((await answerTo([userinfo], { scope: 'openid' })).access_token).toMatch(/^lk_at_/)
  })

  test('by POST it may be repeated as well', async () => {
    const { search } = new URL(urlFor([mcp, offlineApi]))
    const answer = await ada.request(`${latchkey.issuer}authorize`, {
      ...{ method: 'POST', body: search.slice(1) },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(new URL(answer.location ?? '').searchParams.get('resource')).toBe(`${mcp} ${offlineApi}`)
  })

  test('APIs whose tokens differ share none: in the answer itself the token is for the first', async () => {
    const scope = 'read:messages read:secret read:modern'
    const answer = await answerTo([apis.messages, apis.secret, apis.modern], { scope, response_type: 'token' })
    expect(claimsOf(answer.access_token)).toMatchObject({ aud: apis.messages, scope: 'read:messages' })
    expect(answer.scope).toBe('read:messages')
  })
})

describe('RFC 8707 §2.2 resource at the token endpoint', () => {
  test('unnamed, the first token is for all', async () => {
    const { json } = await exchange([mcp, offlineApi], offline)
    expect(claimsOf(json.access_token)).toMatchObject({
      aud: [mcp, offlineApi, userinfo],
      scope: 'openid offline_access read:offline write:offline use:tools',
    })
    // The shortest of their lifetimes.
    expect(json.expires_in).toBe(3600)
  })

  test('named, it is for those, and the scope is what counts there', async () => {
    const one = await exchange([mcp, offlineApi], offline, [mcp])
    expect(claimsOf(one.json.access_token)).toMatchObject({ aud: [mcp, userinfo] })
    expect(one.json.scope).toBe('openid offline_access read:offline use:tools')
    const both = await exchange([mcp, offlineApi], offline, [offlineApi, mcp])
    expect(claimsOf(both.json.access_token).aud).toEqual([mcp, offlineApi, userinfo])
    expect((await exchange([mcp, offlineApi], offline, [userinfo])).json.access_token).toMatch(/^lk_at_/)
  })

  test('what was not granted is invalid_target, and the code is not used up by asking', async () => {
    const { code_verifier, request } = pkce()
    const { code } = await answerTo([mcp], { ...offline, response_type: 'code', ...request })
    const fields = {
      grant_type: 'authorization_code',
      client_id: clients.spa,
      code,
      redirect_uri: callback,
      code_verifier,
    }
    for (const wrong of [{ resource: apis.messages }, { audience: offlineApi }, { resource: `${mcp} ${offlineApi}` }])
      expect(await requestToken(latchkey.issuer, { ...fields, ...wrong })).toMatchObject({
        status: 400,
        json: { error: 'invalid_target' },
      })
    expect((await requestToken(latchkey.issuer, { ...fields, resource: mcp })).status).toBe(200)
  })

  test('APIs that cannot share a token: unnamed the first, both named invalid_target', async () => {
    const scope = 'openid read:messages read:modern'
    const { json } = await exchange([apis.messages, apis.modern], { scope })
    expect(claimsOf(json.access_token).aud).toEqual([apis.messages, userinfo])
    const two = await exchange([apis.messages, apis.modern], { scope }, [apis.messages, apis.modern])
    expect([two.status, two.json.error]).toEqual([400, 'invalid_target'])
    const other = await exchange([apis.messages, apis.modern], { scope }, [apis.modern])
    expect(claimsOf(other.json.access_token)).toMatchObject({
      aud: [apis.modern, userinfo],
      scope: 'openid read:modern',
    })
  })

  test('a refresh token gives a token for each of the granted ones, whatever the first was for', async () => {
    const { json } = await exchange([mcp, offlineApi], offline, [mcp])
    let { refresh_token } = json
    for (const [change, aud, scope] of [
      [{ resource: offlineApi }, [offlineApi, userinfo], 'openid offline_access read:offline write:offline'],
      [{ audience: mcp }, [mcp, userinfo], 'openid offline_access read:offline use:tools'],
      [{ resource: mcp, scope: 'use:tools write:offline' }, mcp, 'use:tools'],
      [{}, [mcp, offlineApi, userinfo], 'openid offline_access read:offline write:offline use:tools'],
    ] as const) {
      const again = await refresh(latchkey.issuer, refresh_token, change)
      expect(claimsOf(again.json.access_token)).toMatchObject({ aud, scope })
      ;({ refresh_token = '' } = again.json)
    }
    const refused = await refresh(latchkey.issuer, refresh_token, { resource: apis.messages })
    expect([refused.status, refused.json.error]).toEqual([400, 'invalid_target'])
    expect((await refresh(latchkey.issuer, refresh_token)).status).toBe(200)
  })

  test('a client for itself: resource in the place of audience, one at a time, as form and as JSON', async () => {
    const fields = { grant_type: 'client_credentials', client_id: codeClients.machine, client_secret: secret }
    const ask = (change: Fields) => requestToken(latchkey.issuer, { ...fields, ...change })
    expect(claimsOf((await ask({ resource: mcp })).json.access_token)).toMatchObject({ aud: mcp, scope: 'use:tools' })
    expect((await ask({ resource: mcp, audience: mcp })).status).toBe(200)
    expect((await ask({ resource: mcp, audience: apis.messages })).json.error).toBe('invalid_target')
    expect((await ask({ resource: 'https://nobody.example.com/' })).json.error).toBe('invalid_target')
    const json = async (resource: unknown) => {
      const body = JSON.stringify({ ...fields, resource })
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${latchkey.issuer}oauth/token`, { method: 'POST', body, headers })
      return (await answer.json()) as Record<string, string>
    }
    expect(claimsOf((await json([mcp])).access_token).aud).toBe(mcp)
    expect((await json([mcp, apis.messages])).error).toBe('invalid_target')
    expect((await json([mcp, 1])).error).toBe('invalid_request')
  })
})

describe('consent to several APIs', () => {
  const third = { client_id: clients.thirdParty, redirect_uri: 'https://third.example.net/callback' }

  test('one page for all, remembered for each by itself', async () => {
    await revokeGrants(latchkey, person.email)
    const scope = 'openid read:messages use:tools'
    const page = await ada.visit(urlFor([apis.messages, mcp], { ...third, scope }))
    expect(isPage(page, '/u/consent')).toBe(true)
    for (const words of ['Messages', 'Tools']) expect(page.body).toContain(words)
    expect(outcomeOf(await ada.submit(page, { action: 'accept' })).parameters).toHaveProperty('access_token')
    expect(await grantsOf(latchkey, person.email, clients.thirdParty)).toEqual({
      [apis.messages]: ['openid', 'read:messages'],
      [mcp]: ['openid', 'use:tools'],
    })
    expect(await answerTo([mcp], { ...third, scope: 'openid use:tools' })).toHaveProperty('access_token')
    expect(await answerTo([mcp, apis.messages], { ...third, scope })).toHaveProperty('access_token')
    expect((await answerTo([mcp, offlineApi], { ...third, scope: 'openid' })).error).toBe('consent_required')
  })

  test('one that must be asked for asks for all', async () => {
    await revokeGrants(latchkey, person.email)
    expect((await answerTo([apis.messages, apis.contacts], { scope: 'openid' })).error).toBe('consent_required')
    expect(await answerTo([apis.messages, mcp], { scope: 'openid' })).toHaveProperty('access_token')
  })
})

describe('audience at the token endpoint', () => {
  test('the same as before is no error, another one is', async () => {
    const first = await codeOf(ada, latchkey.issuer, { audience: apis.messages })
    expect((await requestToken(latchkey.issuer, { ...first, audience: apis.messages })).status).toBe(200)
    const second = await codeOf(ada, latchkey.issuer, { audience: apis.messages })
    expect((await requestToken(latchkey.issuer, { ...second, audience: apis.contacts })).json.error).toBe(
      'invalid_target',
    )
  })
})
