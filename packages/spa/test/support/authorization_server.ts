/** Owns a scripted authorization server: it answers each request to `/authorize` the way the test says. */

import type { ServerResponse } from 'node:http'
import { listen, type TestServer } from './http.ts'
import { atHash, makeKey, signToken, type TestKey } from './signing.ts'

export type Parameters = Readonly<Record<string, string>>
type Change = Readonly<Record<string, unknown>>

export interface Script {
  /** Claims to add to the ID token, or to take away with `undefined`. */
  claims?: Change
  /** Members to add to the answer, or to take away with `undefined`. */
  answer?: Change
  /** The whole answer, `state` and `iss` aside. */
  error?: Change
  /** What to do to the ID token when it is made. */
  tamper?: (id_token: string) => string
  /** A page with a link that leads on, before the answer. */
  login?: boolean
  /** The page to show instead of the answer. */
  html?: (answer: Parameters) => string
  /** Answers `/v2/logout` with 204, so that the browser stays on the page. */
  stays?: boolean
  /** Seconds an access token lasts. */
  lifetime?: number
  /** Milliseconds to wait before answering. */
  delay?: number
}

export interface ScriptedServer extends TestServer {
  readonly issuer: string
  /** Requests to `/authorize`, in order. */
  readonly asked: Parameters[]
  readonly logouts: URL[]
  readonly jwksRequests: () => number
  /** The published keys; the first signs. */
  keys: TestKey[]
  script: Script
  answer(asked: Parameters): Record<string, string>
}

export async function startAuthorizationServer(): Promise<ScriptedServer> {
  const asked: Parameters[] = []
  const logouts: URL[] = []
  let jwksRequests = 0
  const http = await listen(async (_request, response, url) => {
    if (url.pathname === '/.well-known/jwks.json') {
      jwksRequests += 1
      return json(response, { keys: server.keys.map(({ jwk }) => jwk) })
    }
    if (url.pathname === '/userinfo') return json(response, { sub: 'auth0|1', name: 'Ada', nickname: 'ada' })
    if (url.pathname === '/v2/logout') {
      logouts.push(url)
      if (server.script.stays) return void response.writeHead(204).end()
      response.writeHead(302, { location: url.searchParams.get('returnTo') ?? '/' }).end()
      return
    }
    // Posts to whoever framed it whatever it is told: a page of the server's origin gone bad.
    if (url.pathname === '/post') return html(response, postScript(url.searchParams.get('message') ?? '', '*'))
    if (url.pathname !== '/authorize') return void response.writeHead(404).end()
    const parameters = Object.fromEntries(url.searchParams)
    if (!url.searchParams.has('went_on')) asked.push(parameters)
    await new Promise((resolve) => setTimeout(resolve, server.script.delay ?? 0))
    if (server.script.html) return html(response, server.script.html(server.answer(parameters)))
    if (server.script.login && !url.searchParams.has('went_on'))
      return html(response, `<a id="on" href="${url.pathname}${url.search}&went_on=1">Continue</a>`)
    respond(response, parameters, server.answer(parameters))
  })
  const server: ScriptedServer = {
    ...http,
    issuer: `${http.origin}/`,
    asked,
    logouts,
    jwksRequests: () => jwksRequests,
    keys: [makeKey('RS256', 'first')],
    script: {},
    answer: (parameters) => makeAnswer(server, parameters),
  }
  return server
}

/** What a correct server would answer, with the script's changes. */
function makeAnswer({ issuer, keys, script }: ScriptedServer, asked: Parameters): Record<string, string> {
  const { client_id, nonce, response_type = '' } = asked
  if (script.error) return texts({ state: asked.state, iss: issuer, ...script.error })
  const [key] = keys
  if (!key) throw new Error('no key')
  const now = Math.floor(Date.now() / 1000)
  const access_token = makeAccessToken(issuer, key, asked, now)
  const withToken = response_type.split(' ').includes('token')
  const claims = {
    iss: issuer,
    sub: 'auth0|1',
    aud: client_id,
    iat: now,
    exp: now + 36000,
    nonce,
    name: 'Ada',
    email: 'ada@example.com',
    ...(withToken ? { at_hash: atHash(access_token, key.alg) } : {}),
    ...script.claims,
  }
  const id_token = signToken(key, claims)
  return texts({
    ...(withToken ? { access_token, token_type: 'Bearer', expires_in: script.lifetime ?? 7200 } : {}),
    ...(response_type.includes('id_token') ? { id_token: script.tamper?.(id_token) ?? id_token } : {}),
    state: asked.state,
    iss: issuer,
    ...script.answer,
  })
}

/** Opaque for `/userinfo` alone, a JWT for an API. */
function makeAccessToken(iss: string, key: TestKey, { audience, client_id, scope }: Parameters, iat: number): string {
  const jti = String(Math.random())
  if (audience === undefined) return `opaque-${jti}`
  const aud = [audience, `${iss}userinfo`]
  return signToken(key, { iss, sub: 'auth0|1', aud, azp: client_id, scope, iat, exp: iat + 7200, jti })
}

function texts(values: Change): Record<string, string> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present.map(([name, value]) => [name, String(value)]))
}

function respond(response: ServerResponse, asked: Parameters, answer: Record<string, string>): void {
  if (asked.response_mode !== 'web_message') {
    response.writeHead(302, { location: `${asked.redirect_uri}#${new URLSearchParams(answer)}` }).end()
    return
  }
  const message = JSON.stringify({ type: 'authorization_response', response: answer })
  html(response, postScript(message, new URL(asked.redirect_uri ?? '').origin))
}

/** A script that posts the JSON to the window that opened or framed it. */
export function postScript(json: string, target: string): string {
  return `<script>(window.opener || window.parent).postMessage(${json}, ${JSON.stringify(target)})</script>`
}

function json(response: ServerResponse, body: unknown): void {
  const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' }
  response.writeHead(200, { 'content-type': 'application/json', ...cors }).end(JSON.stringify(body))
}

function html(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>server</title>${body}`)
}
