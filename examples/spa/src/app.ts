/** Owns what the steps share: the client, the tokens at hand, and how each step learns of a change. */

import { type Client, createClient, LatchkeyError, type SignedIn, type TokenSet } from '@latchkey/spa'
import type { Config } from './config.ts'

/** What came back in the address. */
export interface Arrival {
  readonly address: string
  readonly parameters: URLSearchParams
  readonly failure?: Failure
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly fix: string
}

export interface App {
  readonly config: Config
  readonly client: Client
  tokens: TokenSet | undefined
  arrival: Arrival | undefined
  /** How the last tokens came, when not in the address. */
  came_by: 'popup' | 'frame' | undefined
  /** Runs a step that may fail, then shows how things stand. */
  settle(step: Promise<SignedIn>): Promise<Failure | undefined>
  onChange(update: () => void): void
  changed(): void
}

const identity = 'openid profile email'
const rememberedScope = 'latchkey-demo.scope'

export function createApp(config: Config): App {
  const updates: (() => void)[] = []
  const client = createClient({
    issuer: config.issuer,
    client_id: config.client_id,
    redirect_uri: `${location.origin}/callback.html`,
    audience: config.audience,
    scope: `${identity} read:messages read:contacts`,
    on_tokens: (tokens) => {
      app.tokens = tokens
    },
  })
  const app: App = {
    config,
    client,
    tokens: undefined,
    arrival: undefined,
    came_by: undefined,
    async settle(step) {
      const failure = await step.then(() => undefined, explain)
      if (!client.isAuthenticated()) app.tokens = undefined
      if (failure === undefined && app.tokens) sessionStorage.setItem(rememberedScope, app.tokens.scope)
      app.changed()
      return failure
    },
    onChange: (update) => void updates.push(update),
    changed: () => {
      for (const update of updates) update()
    },
  }
  return app
}

/** The scope of the last sign-in in this tab: a reload asks for no more than the person has agreed to. */
export function lastScope(): string | undefined {
  return sessionStorage.getItem(rememberedScope) ?? undefined
}

export function withIdentity(scopes: readonly string[]): string {
  return [identity, ...scopes].join(' ')
}

export function explain(error: unknown): Failure {
  if (error instanceof LatchkeyError) return { code: error.code, message: error.message, fix: error.fix }
  return { code: 'unexpected', message: String(error), fix: 'Look into the console of the browser.' }
}
