/** Owns the tenant of the logout tests: applications that hear of logouts, and the server where they do. */
import { expect } from 'vitest'
import { type Agent, type Answer, claimsOf, formOf } from './agent.ts'
import { authorizeUrl, type Parameters, signIn } from './flow.ts'
import { outcomeOf } from './outcome.ts'
import { startWebApp, type WebApp } from './web_app.ts'

export const apps = {
  /** Registers where people go after a logout, and hears of nothing. */
  plain: 'PlainClient000000000000000000000',
  /** Has logout URLs of Auth0's kind alone. */
  older: 'OlderClient000000000000000000000',
  frames: 'FramesClient00000000000000000000',
  framesToo: 'FramesTooClient00000000000000000',
  direct: 'DirectClient00000000000000000000',
  /** Nobody listens where it wants to be told. */
  deaf: 'DeafClient0000000000000000000000',
} as const

export const after = {
  plain: 'https://plain.example.com/bye',
  query: 'https://plain.example.com/bye?from=login',
} as const

export interface LogoutScene {
  readonly tenant: string
  /** Where frames are loaded and logout tokens arrive. */
  readonly listener: WebApp
  /** The logout tokens that arrived, oldest first. */
  readonly heard: () => readonly string[]
}

export async function startLogoutScene(): Promise<LogoutScene> {
  const listener = await startWebApp()
  listener.files.set('/frontchannel', 'ok')
  listener.files.set('/frontchannel-too', 'ok')
  listener.files.set('/backchannel', '')
  const { origin } = listener
  const tenant = `
clients:
  - name: Plain
    client_id: ${apps.plain}
    app_type: spa
    callbacks: ['https://plain.example.com/callback']
    post_logout_redirect_uris: ['${after.plain}', '${after.query}', 'com.example.app://bye']
    allowed_logout_urls: ['https://plain.example.com/other']
  - name: Older
    client_id: ${apps.older}
    app_type: spa
    callbacks: ['https://older.example.com/callback']
    allowed_logout_urls: ['https://older.example.com/bye', 'https://*.older.example.com/bye']
  - name: Frames
    client_id: ${apps.frames}
    app_type: spa
    callbacks: ['${origin}/callback']
    post_logout_redirect_uris: ['${origin}/bye']
    allowed_logout_urls: ['${origin}/bye']
    frontchannel_logout_uri: '${origin}/frontchannel'
    frontchannel_logout_session_required: true
  - name: Frames too
    client_id: ${apps.framesToo}
    app_type: spa
    callbacks: ['${origin}/callback']
    frontchannel_logout_uri: '${origin}/frontchannel-too?app=2'
  - name: Direct
    client_id: ${apps.direct}
    app_type: spa
    callbacks: ['${origin}/callback']
    post_logout_redirect_uris: ['${origin}/bye']
    backchannel_logout_uri: '${origin}/backchannel'
    backchannel_logout_session_required: true
  - name: Deaf
    client_id: ${apps.deaf}
    app_type: spa
    callbacks: ['${origin}/callback']
    backchannel_logout_uri: '${origin}/not-there'
`
  return {
    tenant,
    listener,
    heard: () =>
      listener.requests
        .filter(({ url }) => url === '/backchannel')
        .map(({ body }) => new URLSearchParams(body).get('logout_token') ?? ''),
  }
}

/** What an app asks with. */
export function appRequest(app: keyof typeof apps, listener: WebApp): Parameters {
  const own = { plain: 'https://plain.example.com/callback', older: 'https://older.example.com/callback' }
  const redirect_uri = app === 'plain' || app === 'older' ? own[app] : `${listener.origin}/callback`
  return { client_id: apps[app], redirect_uri }
}

/** Signs in for an app, or goes on silently. @returns its ID token, with what it says */
export async function idTokenOf(agent: Agent, issuer: string, request: Parameters) {
  const { id_token = '', session_state } = outcomeOf(await signIn(agent, issuer, request)).parameters
  expect(id_token).not.toBe('')
  return { id_token, claims: claimsOf(id_token) as { sub: string; sid: string }, session_state }
}

export function leave(agent: Agent, issuer: string, parameters: Parameters | string = {}): Promise<Answer> {
  const query = new URLSearchParams(
    typeof parameters === 'string'
      ? parameters
      : Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  return agent.visit(`${issuer}oidc/logout?${query}`)
}

/** Presses the button of the confirmation page; a redirect to another origin is not followed. */
export async function confirm(agent: Agent, page: Answer): Promise<Answer> {
  expect(page.body).toContain('id="logout-confirm"')
  expect(new URL(formOf(page).action).pathname).toBe('/u/logout')
  return agent.submit(page, { action: 'default' })
}

export async function isSignedIn(agent: Agent, issuer: string): Promise<boolean> {
  const answer = await agent.request(authorizeUrl(issuer, { prompt: 'none' }))
  const { parameters } = outcomeOf(answer)
  if (parameters.error !== undefined) expect(parameters.error).toBe('login_required')
  return parameters.error === undefined
}
