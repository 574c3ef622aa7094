/**
 * Owns a relying party as strict as a certification suite: it registers itself, signs a person in with a browser of its own, and checks
 * everything that comes back before it hands anything on.
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { Agent, type Answer } from './agent.ts'
import { isPage, type Parameters } from './flow.ts'
import { atHash, verified } from './jwt.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { person } from './tenant.ts'

type Claims = Readonly<Record<string, unknown>>

export interface Registered {
  readonly client_id: string
  readonly client_secret?: string
  readonly redirect_uris: readonly string[]
  readonly registration_client_uri?: string
  readonly registration_access_token?: string
  readonly [name: string]: unknown
}

export interface Plan {
  readonly response_type: string
  readonly response_mode?: string
}

/** What one trip came to. */
export interface Completed {
  readonly outcome: Outcome
  /** Of every ID token that came, the first one first. */
  readonly id_tokens: readonly Claims[]
  readonly access_tokens: readonly string[]
  /** The answer of the token endpoint, where there was a code. */
  readonly token?: Readonly<Record<string, unknown>>
  readonly userinfo?: Claims
}

/** 128 characters, with the four that need no encoding and are encoded by mistake most often. */
export const longState = () => `${randomBytes(93).toString('base64url')}-._~`
export const longNonce = () => `${randomBytes(29).toString('base64url').slice(0, 39)}-._~`

export async function register(issuer: string, metadata: object): Promise<Registered> {
  const response = await fetch(`${issuer}oidc/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  expect(response.status).toBe(201)
  const registered = (await response.json()) as Registered
  if (registered.client_secret !== undefined) expect(registered.client_secret_expires_at).toBe(0)
  return registered
}

export class RelyingParty {
  readonly issuer: string
  readonly client: Registered
  readonly plan: Plan
  /** One cookie jar for the whole life of the party. */
  readonly agent = new Agent()
  /** How often the person was asked to sign in. */
  logins = 0

  constructor(issuer: string, client: Registered, plan: Plan) {
    this.issuer = issuer
    this.client = client
    this.plan = plan
  }

  get words(): readonly string[] {
    return this.plan.response_type.split(' ')
  }

  /** Where results and errors must be. */
  get via(): Outcome['via'] {
    if (this.plan.response_mode === 'form_post') return 'form_post'
    return this.plan.response_type === 'code' ? 'query' : 'fragment'
  }

  /** The parameters of a request that must work; `undefined` takes one away. */
  request(change: Parameters = {}): Parameters {
    return {
      client_id: this.client.client_id,
      redirect_uri: this.client.redirect_uris[0],
      response_type: this.plan.response_type,
      response_mode: this.plan.response_mode,
      scope: 'openid',
      state: longState(),
      nonce: longNonce(),
      ...change,
    }
  }

  url(request: Parameters): string {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(request)) if (value !== undefined) query.set(name, value)
    return `${this.issuer}authorize?${query}`
  }

  /** Sends a request, signs in and says yes where a page asks. */
  async go(request: Parameters): Promise<Answer> {
    let page = await this.agent.visit(this.url(request))
    if (isPage(page, '/u/login')) {
      this.logins++
      page = await this.agent.submit(page, { username: person.email, password: person.password, action: 'default' })
    }
    if (isPage(page, '/u/consent')) page = await this.agent.submit(page, { action: 'accept' })
    return page
  }

  /** The error that a request comes to, told where it must be told. */
  async refusal(change: Parameters): Promise<Readonly<Record<string, string>>> {
    const request = this.request(change)
    const { via, parameters } = outcomeOf(await this.go(request))
    expect(via).toBe(this.via)
    expect(parameters.state).toBe(request.state)
    expect(parameters.iss).toBe(this.issuer)
    expect(parameters).not.toHaveProperty('code')
    checkErrorDescription(parameters)
    return parameters
  }

  /** A whole trip, with every check of the common path. */
  async complete(change: Parameters = {}): Promise<Completed> {
    const request = this.request(change)
    return this.finish(request, outcomeOf(await this.go(request)))
  }

  async finish(request: Parameters, outcome: Outcome): Promise<Completed> {
    const { via, target, parameters } = outcome
    expect(via).toBe(this.via)
    expect(target).toBe(request.redirect_uri)
    expect(parameters.state).toBe(request.state)
    expect(parameters.iss).toBe(this.issuer)
    expect(parameters).not.toHaveProperty('error')
    const { code, access_token, id_token, token_type, expires_in } = parameters
    expect([code, access_token, id_token].map((one) => one !== undefined)).toEqual(
      ['code', 'token', 'id_token'].map((word) => this.words.includes(word)),
    )
    if (access_token !== undefined) {
      expect(token_type?.toLowerCase()).toBe('bearer')
      expect(Number(expires_in)).toBeGreaterThan(0)
    }
    if (code !== undefined) expect(code.length).toBeGreaterThanOrEqual(22)
    const front = id_token === undefined ? undefined : await this.#idToken(id_token, request, { code, access_token })
    const token = code === undefined ? undefined : await this.exchange(request, code)
    const back =
      token === undefined
        ? undefined
        : await this.#idToken(String(token.id_token), request, {}, String(token.access_token))
    if (front !== undefined && back !== undefined) expect(back.sub).toBe(front.sub)
    const id_tokens = [front, back].filter((one) => one !== undefined)
    const access_tokens = [access_token, token?.access_token].filter((one) => typeof one === 'string')
    const userinfo = await this.#userinfo(access_tokens, id_tokens[0]?.sub)
    return {
      ...{ outcome, id_tokens, access_tokens },
      ...(token === undefined ? {} : { token }),
      ...(userinfo === undefined ? {} : { userinfo }),
    }
  }

  /** The token endpoint, by `client_secret_basic`. */
  ask(fields: Parameters): Promise<Response> {
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value)
    const form = (text: string) => new URLSearchParams({ x: text }).toString().slice(2)
    const { client_id, client_secret = '' } = this.client
    const credentials = Buffer.from(`${form(client_id)}:${form(client_secret)}`).toString('base64')
    return fetch(`${this.issuer}oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body,
    })
  }

  async exchange(request: Parameters, code: string): Promise<Readonly<Record<string, unknown>>> {
    const { redirect_uri } = request
    const response = await this.ask({ grant_type: 'authorization_code', code, redirect_uri })
    const json = (await response.json()) as Record<string, unknown>
    expect([response.status, json.error]).toEqual([200, undefined])
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(String(json.token_type).toLowerCase()).toBe('bearer')
    expect(Number(json.expires_in)).toBeGreaterThan(0)
    return json
  }

  async #idToken(
    jwt: string,
    request: Parameters,
    beside: { readonly code?: string | undefined; readonly access_token?: string | undefined },
    direct?: string,
  ): Promise<Claims> {
    const { header, claims } = await verified(this.issuer, jwt)
    expect(header.kid).toEqual(expect.any(String))
    expect(claims.iss).toBe(this.issuer)
    expect([claims.aud].flat()).toContain(this.client.client_id)
    const now = Date.now() / 1000
    expect(Number(claims.exp)).toBeGreaterThan(now - 300)
    expect(Math.abs(Number(claims.iat) - now)).toBeLessThan(300)
    expect(claims.nonce).toBe(request.nonce)
    expect(String(claims.sub)).toMatch(/^[\x21-\x7e]{1,255}$/)
    expect(claims.c_hash).toBe(beside.code === undefined ? undefined : atHash(beside.code))
    const token = direct ?? beside.access_token
    if (token === undefined) expect(claims.at_hash).toBeUndefined()
    else expect(claims.at_hash).toBe(atHash(token))
    checkClaims(claims)
    return claims
  }

  async #userinfo(tokens: readonly string[], sub: unknown): Promise<Claims | undefined> {
    let userinfo: Claims | undefined
    for (const token of tokens) {
      const response = await fetch(`${this.issuer}userinfo`, { headers: { authorization: `Bearer ${token}` } })
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toContain('application/json')
      userinfo = (await response.json()) as Claims
      if (sub !== undefined) expect(userinfo.sub).toBe(sub)
      checkClaims(userinfo)
    }
    return userinfo
  }
}

/** RFC 6749 §4.1.2.1: only these parameters, and a description of only these characters. */
function checkErrorDescription(parameters: Readonly<Record<string, string>>): void {
  expect(['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']).toEqual(
    expect.arrayContaining(Object.keys(parameters)),
  )
  expect(parameters.error_description ?? '').toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
}

const texts = [
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
  ...['website', 'gender', 'zoneinfo', 'locale', 'email', 'phone_number'],
]

/** OpenID Connect Core §5.1: every standard claim has its type, and none is null or empty. */
function checkClaims(claims: Claims): void {
  for (const [name, value] of Object.entries(claims)) expect([name, value]).not.toEqual([name, null])
  for (const name of texts) if (name in claims) expect(String(claims[name]).trim()).not.toBe('')
  for (const name of texts) if (name in claims) expect([name, typeof claims[name]]).toEqual([name, 'string'])
  for (const name of ['email_verified', 'phone_number_verified'])
    if (name in claims) expect([name, typeof claims[name]]).toEqual([name, 'boolean'])
  if ('updated_at' in claims) {
    expect(typeof claims.updated_at).toBe('number')
    expect(Number(claims.updated_at)).toBeLessThanOrEqual(Date.now() / 1000 + 1)
  }
  if ('birthdate' in claims) expect(claims.birthdate).toMatch(/^\d{4}(-\d{2}-\d{2})?$/)
  if ('address' in claims)
    for (const value of Object.values(claims.address as object)) expect(typeof value).toBe('string')
}
