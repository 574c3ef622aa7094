/** Owns the steps of the implicit grant as tests take them. */
import type { Agent, Answer } from './agent.ts'
import { apis, callback, clients, person } from './tenant.ts'

export type Parameters = Readonly<Record<string, string | undefined>>

/** A request that works; tests change one thing of it. `undefined` takes a parameter away. */
export const valid = {
  client_id: clients.spa,
  redirect_uri: callback,
  response_type: 'id_token token',
  scope: 'openid profile email read:messages',
  audience: apis.messages,
  state: 'af0ifjsldkj',
  nonce: 'n-0S6_WzA2Mj',
} as const

export function authorizeUrl(issuer: string, change: Parameters = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...valid, ...change })) if (value !== undefined) query.set(name, value)
  return `${issuer}authorize?${query}`
}

/** From the request through login and consent to the answer. */
export async function signIn(
  agent: Agent,
  issuer: string,
  change: Parameters = {},
  who: { email: string; password: string } = person,
): Promise<Answer> {
  let page = await agent.visit(authorizeUrl(issuer, change))
  if (isPage(page, '/u/login'))
    page = await agent.submit(page, { username: who.email, password: who.password, action: 'default' })
  if (isPage(page, '/u/consent')) page = await agent.submit(page, { action: 'accept' })
  return page
}

/** True when the answer is the hosted page at this path. */
export function isPage(answer: Answer, path: string): boolean {
  return answer.status === 200 && new URL(answer.url).pathname === path
}

/** One request that shows no page: with the session of this browser, or not at all. */
export function silently(agent: Agent, issuer: string, change: Parameters = {}): Promise<Answer> {
  return agent.request(authorizeUrl(issuer, { prompt: 'none', ...change }))
}
