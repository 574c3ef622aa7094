/**
 * What attackers make of good JWTs, addresses and proofs, sent wherever such a thing is taken: each false accept is a failure. Some
 * thousand requests in a normal run; `HTTP_MUTANTS=20000` for a long one.
 */
import { randomUUID } from 'node:crypto'
import { createVerifier } from '@latchkey/api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Agent, type Answer } from '../support/agent.ts'
import { makeKey, signJwt, signWithSecret } from '../support/client_keys.ts'
import { codeOf, codeTenant, post, refresh, requestToken, secret } from '../support/code_flow.ts'
import { athOf, dpopProof, proofKey } from '../support/dpop.ts'
import { authorizeUrl, signIn, silently } from '../support/flow.ts'
import { publishedKeys } from '../support/jwt.ts'
import { type Latchkey, startLatchkey } from '../support/latchkey.ts'
import { addressLike, type Known, mutantOf, publicKeyOf } from '../support/mutants.ts'
import { outcomeOf } from '../support/outcome.ts'
import { apis, callback, clients, connection, person, tenant } from '../support/tenant.ts'

const runs = Number(process.env.HTTP_MUTANTS ?? 150)
const timeout = 20_000 + runs * 60
const partner = 'https://partner.example.net/'
const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const key = makeKey('ES256')
const rsa = makeKey('RS256')
const keys = { keys: [key.jwk, rsa.jwk] }
const webUris = [
  'https://app.example.net/callback',
  'https://app.example.net:8443/a/b?keep=1&x=%20',
  'https://app.example.net',
]
const nativeUris = [
  'com.example.native://cb',
  'http://127.0.0.1/cb',
  'http://[::1]:3000/cb',
  'https://native.example.net/cb',
]
const byeUris = ['https://app.example.net/bye', 'https://app.example.net/bye?x=1']
const more = JSON.stringify({
  tenant: {
    trusted_issuers: [{ issuer: partner, jwks: keys, clients: ['Bearer'], subject: { match: 'email', connection } }],
  },
  clients: [
    {
      name: 'Keyed',
      client_id: 'Keyed',
      app_type: 'non_interactive',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: keys,
    },
    {
      name: 'Shared',
      client_id: 'Shared',
      app_type: 'non_interactive',
      token_endpoint_auth_method: 'client_secret_jwt',
      client_secret: secret,
    },
    {
      name: 'Objects',
      client_id: 'Objects',
      client_secret: secret,
      app_type: 'regular_web',
      callbacks: [callback],
      jwks: keys,
      require_signed_request_object: true,
    },
    {
      name: 'Bearer',
      client_id: 'Bearer',
      client_secret: secret,
      app_type: 'non_interactive',
      grant_types: [bearerGrant],
    },
    {
      name: 'Service',
      client_id: 'Service',
      client_secret: secret,
      app_type: 'non_interactive',
      grant_types: [exchangeGrant],
      token_exchange: { allowed: ['impersonation'], audiences: [apis.messages], subject_clients: [clients.spa] },
    },
    {
      name: 'Inspector',
      client_id: 'Inspector',
      client_secret: secret,
      app_type: 'non_interactive',
      resource_server_identifier: apis.messages,
    },
    { name: 'Web', client_id: 'Exact', app_type: 'spa', callbacks: webUris, post_logout_redirect_uris: byeUris },
    { name: 'Nat', client_id: 'Nat', app_type: 'native', callbacks: nativeUris },
  ],
  clientGrants: ['Keyed', 'Shared', 'Bearer'].map((client_id) => ({
    client_id,
    audience: apis.messages,
    scope: ['read:messages'],
  })),
})

let latchkey: Latchkey
let issuer: string
const ada = new Agent()
const own = proofKey()
const good = { id_token: '', access: '', bound: '', refresh_token: '' }
let published: Known
beforeAll(async () => {
  latchkey = await startLatchkey({ tenant })
  issuer = latchkey.issuer
  await latchkey.apply(codeTenant)
  await latchkey.apply(more)
  const tokens = outcomeOf(await signIn(ada, issuer)).parameters
  const dpop = { dpop: dpopProof(own, 'POST', `${issuer}oauth/token`) }
  const asked = { audience: undefined, scope: 'openid offline_access' }
  const { json } = await requestToken(issuer, { ...(await codeOf(ada, issuer, asked)) }, dpop)
  Object.assign(good, {
    id_token: tokens.id_token,
    access: tokens.access_token,
    bound: json.access_token,
    refresh_token: json.refresh_token,
  })
  const kid = (JSON.parse(Buffer.from(good.access.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
  const jwk = (await publishedKeys(issuer)).find((one) => one.kid === kid)
  published = jwk === undefined ? {} : { publicKey: publicKeyOf(jwk) }
})
afterAll(() => latchkey.close())

const seconds = () => Math.floor(Date.now() / 1000)
const self = (client_id: string) => ({
  iss: client_id,
  sub: client_id,
  aud: issuer,
  jti: randomUUID(),
  iat: seconds(),
  exp: seconds() + 600,
})
const login = ({ location }: Answer) => location?.startsWith(`${issuer}u/login`) === true

interface Place {
  /** A JWT that is good here, and what else is known of it. */
  make(): readonly [jwt: string, known: Known]
  accepts(jwt: string): Promise<boolean>
}
const byClient = (client_assertion: string) =>
  requestToken(issuer, {
    grant_type: 'client_credentials',
    audience: apis.messages,
    client_assertion_type: assertionType,
    client_assertion,
  })
const object = () => ({
  iss: 'Objects',
  aud: issuer,
  client_id: 'Objects',
  response_type: 'code',
  redirect_uri: callback,
  scope: 'openid',
  state: 's',
  nbf: seconds(),
  exp: seconds() + 600,
})
const ofKey = { publicKey: publicKeyOf(key.jwk) }

const places: Readonly<Record<string, Place>> = {
  'id_token_hint at /authorize': {
    make: () => [good.id_token, { ...published, other: good.access }],
    accepts: async (id_token_hint) =>
      outcomeOf(await silently(ada, issuer, { id_token_hint })).parameters.error === undefined,
  },
  'id_token_hint at /oidc/logout': {
    make: () => [good.id_token, { ...published, other: good.access }],
    accepts: async (id_token_hint) =>
      (await new Agent().request(`${issuer}oidc/logout?${new URLSearchParams({ id_token_hint })}`)).status < 400,
  },
  'an access token at /userinfo': {
    make: () => [good.access, { ...published, other: good.id_token }],
    accepts: async (access_token) => (await post(`${issuer}userinfo`, { access_token })).status === 200,
  },
  'an access token at /oauth/introspect': {
    make: () => [good.access, { ...published, other: good.id_token }],
    async accepts(token) {
      const { json } = await post(`${issuer}oauth/introspect`, { client_id: 'Inspector', client_secret: secret, token })
      return String(json.active) === 'true'
    },
  },
  'an access token at an API': {
    make: () => [good.access, { ...published, other: good.id_token }],
    async accepts(token) {
      const verifier = createVerifier({ issuer, audience: apis.messages })
      return verifier.verify(token).then(
        () => true,
        () => false,
      )
    },
  },
  'a subject_token of an exchange': {
    make: () => [good.access, { ...published, other: good.id_token }],
    async accepts(subject_token) {
      const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token'
      const fields = { grant_type: exchangeGrant, client_id: 'Service', client_secret: secret, audience: apis.messages }
      return (await requestToken(issuer, { ...fields, subject_token, subject_token_type })).status === 200
    },
  },
  'a client assertion by a key': {
    make: () => [signJwt(key, self('Keyed')), { ...ofKey, other: signJwt(rsa, self('Keyed')) }],
    accepts: async (jwt) => (await byClient(jwt)).status === 200,
  },
  'a client assertion by a secret': {
    make: () => [signWithSecret(secret, self('Shared')), { other: signJwt(key, self('Keyed')) }],
    accepts: async (jwt) => (await byClient(jwt)).status === 200,
  },
  'an assertion of a trusted issuer': {
    make() {
      const claims = { iss: partner, sub: 'x', email: person.email, aud: issuer, iat: seconds(), exp: seconds() + 300 }
      return [signJwt(key, { ...claims, jti: randomUUID() }), { ...ofKey, other: signJwt(key, self('Keyed')) }]
    },
    async accepts(assertion) {
      const fields = { grant_type: bearerGrant, client_id: 'Bearer', client_secret: secret, audience: apis.messages }
      return (await requestToken(issuer, { ...fields, assertion })).status === 200
    },
  },
  'a request object at /authorize': {
    make: () => [signJwt(key, object()), { ...ofKey, other: signJwt(rsa, object()) }],
    accepts: async (request) =>
      login(await new Agent().request(`${issuer}authorize?${new URLSearchParams({ client_id: 'Objects', request })}`)),
  },
  'a request object that is pushed': {
    make: () => [signJwt(rsa, object()), { publicKey: publicKeyOf(rsa.jwk), other: signJwt(key, object()) }],
    accepts: async (request) =>
      (await post(`${issuer}oauth/par`, { client_id: 'Objects', client_secret: secret, request })).status === 201,
  },
}

describe('RFC 7515 §5.2 RFC 8725 §3.1 mutants of JWTs', () => {
  test.each(Object.entries(places))(`${runs} of %s`, { timeout }, async (_, { make, accepts }) => {
    const [jwt, known] = make()
    const property = fc.asyncProperty(mutantOf(jwt, known), async (mutant) => {
      expect(await accepts(mutant), mutant).toBe(false)
    })
    await fc.assert(property, { numRuns: runs })
    // They were refused for what was changed: the good one still counts, and no mutant has used it up.
    expect(await accepts(jwt)).toBe(true)
  })

  test('RFC 7009 §2.1 a mutant of a token revokes nothing', { timeout }, async () => {
    const property = fc.asyncProperty(mutantOf(good.access, published), async (token) => {
      expect((await post(`${issuer}oauth/revoke`, { client_id: clients.spa, token })).status).toBe(200)
    })
    await fc.assert(property, { numRuns: runs })
    expect((await post(`${issuer}userinfo`, { access_token: good.access })).status).toBe(200)
  })
})

describe('RFC 9449 §4.3 mutants of proofs', () => {
  /** What a header can carry as it is. */
  const fits = (text: string) => /^[\x21-\x7e]+$/.test(text)
  const atUserinfo = async (dpop: string) => {
    const headers = { authorization: `DPoP ${good.bound}`, dpop }
    return (await fetch(`${issuer}userinfo`, { headers })).status === 200
  }
  const refreshing = async (dpop: string) => (await refresh(issuer, good.refresh_token, {}, { dpop })).status === 200

  test(`${runs} at /userinfo, and by other keys`, { timeout }, async () => {
    const proof = () => dpopProof(own, 'GET', `${issuer}userinfo`, { claims: athOf(good.bound) })
    const jwt = proof()
    const known = { publicKey: publicKeyOf(own.jwk), other: dpopProof(own, 'POST', `${issuer}oauth/token`) }
    const property = fc.asyncProperty(mutantOf(jwt, known).filter(fits), async (mutant) => {
      expect(await atUserinfo(mutant), mutant).toBe(false)
    })
    await fc.assert(property, { numRuns: runs })
    expect(await atUserinfo(dpopProof(proofKey(), 'GET', `${issuer}userinfo`, { claims: athOf(good.bound) }))).toBe(
      false,
    )
    expect(await atUserinfo(jwt)).toBe(true)
  })

  test(`${runs} with a bound refresh token, which survives them`, { timeout }, async () => {
    const jwt = dpopProof(own, 'POST', `${issuer}oauth/token`)
    const known = { publicKey: publicKeyOf(own.jwk), other: dpopProof(own, 'GET', `${issuer}userinfo`) }
    const property = fc.asyncProperty(mutantOf(jwt, known).filter(fits), async (mutant) => {
      expect(await refreshing(mutant), mutant).toBe(false)
    })
    await fc.assert(property, { numRuns: runs })
    expect(await refreshing(jwt)).toBe(true)
  })

  test(`${runs} of the right key with another claim`, { timeout }, async () => {
    const here = `${issuer}userinfo`
    const near = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        'get',
        'POST',
        'GET ',
        '',
        here.replace('http:', 'https:'),
        `${here}/`,
        here.toUpperCase(),
        `${here}x`,
      ),
      fc.constantFrom(
        `${issuer}oauth/token`,
        here.replace('localhost', 'evil.example'),
        here.replace('//', '//x@'),
        '/userinfo',
      ),
      fc.constantFrom(seconds() - 3600, seconds() + 3600, String(seconds()), athOf('x').ath),
    )
    const claim = fc.tuple(fc.constantFrom('htm', 'htu', 'iat', 'ath'), near)
    const property = fc.asyncProperty(claim, async ([name, value]) => {
      const dpop = dpopProof(own, 'GET', here, { claims: { ...athOf(good.bound), [name]: value } })
      expect(await atUserinfo(dpop), `${name} ${JSON.stringify(value)}`).toBe(false)
    })
    await fc.assert(property, { numRuns: runs })
  })
})

describe('RFC 9700 §4.1.3 mutants of addresses', () => {
  /** The rules once more, by other means: the same bytes, or on the person's own machine another port. */
  const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?(?=[/?#]|$)/
  const portOf = (text: string) => Number(loopback.exec(text)?.[2]?.slice(1) ?? 80)
  const fitsNative = (text: string) =>
    nativeUris.some((one) => {
      if (text === one) return true
      if (!loopback.test(text) || !loopback.test(one) || /[^\x21-\x7e]|\\/.test(text)) return false
      const same = (uri: string) => uri.replace(loopback, 'http://$1')
      return same(text) === same(one) && portOf(text) >= 1 && portOf(text) <= 65_535
    })
  const asked = (client_id: string, redirect_uri: string) => ({
    ...{ client_id, redirect_uri, response_type: 'code', code_challenge_method: 'S256' },
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  })
  const count = runs * 4

  test.each([
    ['a client with exact addresses', 'Exact', webUris, (text: string) => webUris.includes(text)],
    ['a native client', 'Nat', nativeUris, fitsNative],
  ] as const)(`${count} redirect URIs of %s`, { timeout: timeout * 4 }, async (_, client_id, registered, fits) => {
    const seen = { taken: 0, refused: 0 }
    const property = fc.asyncProperty(addressLike(registered), async (redirect_uri) => {
      const answer = await new Agent().request(authorizeUrl(issuer, asked(client_id, redirect_uri)))
      if (login(answer)) seen.taken++
      else seen.refused++
      expect(login(answer), JSON.stringify(redirect_uri)).toBe(fits(redirect_uri))
      // A refusal is told on a page, and sends nobody anywhere.
      if (!login(answer)) expect([answer.status, answer.location]).toEqual([400, undefined])
    })
    await fc.assert(property, { numRuns: count })
    expect([seen.taken > count / 20, seen.refused > count / 4]).toEqual([true, true])
  })

  test(`${runs} addresses after logout`, { timeout }, async () => {
    let taken = 0
    const property = fc.asyncProperty(addressLike(byeUris), async (post_logout_redirect_uri) => {
      const query = new URLSearchParams({ client_id: 'Exact', post_logout_redirect_uri })
      const { status, location } = await new Agent().request(`${issuer}oidc/logout?${query}`)
      const isTaken = status < 400
      if (isTaken) taken++
      expect(isTaken, JSON.stringify(post_logout_redirect_uri)).toBe(byeUris.includes(post_logout_redirect_uri))
      if (isTaken) expect(location).toBe(new URL(post_logout_redirect_uri).href)
    })
    await fc.assert(property, { numRuns: runs })
    expect(taken).toBeGreaterThan(0)
  })

  test(`${runs} redirect URIs in the exchange of a code: the very one alone`, { timeout }, async () => {
    const exchange = await codeOf(ada, issuer)
    const property = fc.asyncProperty(
      addressLike([callback]).filter((uri) => uri !== callback),
      async (redirect_uri) => {
        const { status, json } = await requestToken(issuer, { ...exchange, redirect_uri })
        // What no address can hold is refused before the code is looked at.
        expect([status, json.error]).toEqual([400, expect.stringMatching(/^invalid_(grant|request)$/)])
      },
    )
    await fc.assert(property, { numRuns: Math.min(runs, 200) })
    expect((await requestToken(issuer, { ...exchange })).status).toBe(200)
  })
})
