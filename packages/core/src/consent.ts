/** Owns whether a person must be asked before a client gets tokens. */
import type { Client } from '@latchkey/store'
import type { Audience } from './authorization.ts'
import { isUnverifiable } from './redirect_uri.ts'
import { apisOf } from './resources.ts'

export interface ConsentQuestion {
  readonly client: Client
  readonly redirect_uri: string
  readonly audience: Audience
  readonly scope: readonly string[]
  /** What this user allowed this client at this API before; undefined when never asked. */
  readonly allowed: readonly string[] | undefined
}

/** A stored yes that covers every scope always suffices; without one, only a verifiable first-party client may go on unasked. */
export function needsConsent(question: ConsentQuestion): boolean {
  const { allowed } = question
  if (allowed !== undefined && question.scope.every((word) => allowed.includes(word))) return false
  return !maySkip(question)
}

/** True when the question need not even look for a stored yes. */
export function maySkip({ client, redirect_uri, audience }: Omit<ConsentQuestion, 'scope' | 'allowed'>): boolean {
  if (!client.is_first_party || isUnverifiable(client, redirect_uri)) return false
  return apisOf(audience).every((api) => api.skip_consent_for_verifiable_first_party_clients)
}
