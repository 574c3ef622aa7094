/** Owns the steps of the code grants as tests take them, and the tenant they need: a file to apply on top of the shared one. */
import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Agent } from './agent.ts'
import { type Parameters, signIn } from './flow.ts'
import { outcomeOf } from './outcome.ts'
import { apis, callback, clients } from './tenant.ts'

export const codeClients = {
  /** Confidential, with a secret. */
  web: 'WebClient00000000000000000000001',
  /** Acts for itself. */
  machine: 'MachineClient0000000000000000002',
  /** A public client whose refresh tokens stay the same. */
  steady: 'SteadyClient00000000000000000003',
} as const
export const secret = 'a secret of the web client: 32+ characters!'
export const webCallback = 'https://web.example.com/callback'

/** An API that allows refresh tokens. */
export const offlineApi = 'https://offline.example.com/'

export const codeTenant = `
clients:
  - name: Web app
    client_id: ${codeClients.web}
    client_secret: '${secret}'
    app_type: regular_web
    callbacks: ['${webCallback}', '${webCallback}?keep=1']
    grant_types: [authorization_code, implicit, refresh_token, client_credentials]
  - name: Machine
    client_id: ${codeClients.machine}
    client_secret: '${secret}'
    app_type: non_interactive
  - name: Steady
    client_id: ${codeClients.steady}
    app_type: native
    callbacks: ['https://steady.example.com/callback']
    refresh_token: { rotation_type: non-rotating }
resourceServers:
  - name: Offline
    identifier: ${offlineApi}
    allow_offline_access: true
    token_lifetime: 3600
    token_lifetime_for_web: 600
    scopes:
      - { value: 'read:offline', description: 'Read while you are away' }
      - { value: 'write:offline', description: 'Write while you are away' }
clientGrants:
  - client_id: ${codeClients.machine}
    audience: ${apis.messages}
    scope: ['read:messages', 'write:messages']
`

/** A code verifier with its challenge. */
export function pkce() {
  const code_verifier = randomBytes(32).toString('base64url')
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
  return { code_verifier, request: { code_challenge, code_challenge_method: 'S256' } } as const
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly json: Readonly<Record<string, string | undefined>> & { readonly expires_in?: number }
}

/** One request to an endpoint for clients, as a form. `undefined` leaves a parameter out. */
export async function post(url: string, fields: Parameters, headers: HeadersInit = {}): Promise<TokenAnswer> {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value)
  const response = await fetch(url, { method: 'POST', body, headers })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    json: (text === '' ? {} : JSON.parse(text)) as TokenAnswer['json'],
  }
}

export const requestToken = (issuer: string, fields: Parameters, headers: HeadersInit = {}) =>
  post(`${issuer}oauth/token`, fields, headers)

/** What a public client exchanges its code with; tests change one thing of it. */
export interface Exchange {
  readonly grant_type: 'authorization_code'
  readonly client_id: string
  readonly code: string
  readonly redirect_uri: string
  readonly code_verifier: string
}

/** From the request through login to a code, with what it takes to exchange it. */
export async function codeOf(agent: Agent, issuer: string, change: Parameters = {}): Promise<Exchange> {
  const { code_verifier, request } = pkce()
  const answer = await signIn(agent, issuer, { response_type: 'code', ...request, ...change })
  const { parameters } = outcomeOf(answer)
  expect(parameters).toHaveProperty('code')
  return {
    grant_type: 'authorization_code',
    client_id: change.client_id ?? clients.spa,
    code: parameters.code ?? '',
    redirect_uri: change.redirect_uri ?? callback,
    code_verifier,
  }
}

/** What the confidential client asks with: no PKCE. */
export const webRequest = {
  client_id: codeClients.web,
  redirect_uri: webCallback,
  code_challenge: undefined,
  code_challenge_method: undefined,
} as const

/** What the confidential client adds to its requests at the token endpoint. */
export const webSecret = { client_id: codeClients.web, client_secret: secret, code_verifier: undefined } as const

/** A refresh token of the public client, with everything else of that answer. */
export async function refreshable(agent: Agent, issuer: string, change: Parameters = {}) {
  const asked = { audience: offlineApi, scope: 'openid offline_access read:offline write:offline', ...change }
  const { json } = await requestToken(issuer, { ...(await codeOf(agent, issuer, asked)) })
  expect(json.refresh_token).toBeDefined()
  return json
}

export const refresh = (
  issuer: string,
  refresh_token: string | undefined,
  change: Parameters = {},
  headers: HeadersInit = {},
) => requestToken(issuer, { grant_type: 'refresh_token', client_id: clients.spa, refresh_token, ...change }, headers)
