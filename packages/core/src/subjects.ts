/** Owns the `sub` of tokens: the id of a person, or the name that a person has at the clients of one sector alone. */
import { isLoopbackUri, parseUri } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from './context.ts'

/** As discovery lists them. @spec OpenID Connect Core §8 */
export const subjectTypes: readonly string[] = ['public', 'pairwise']

/**
 * The name of a person at a client: every token for that client says it.
 * @spec OpenID Connect Core §8.1
 */
export async function subjectOf(ctx: Context, client: Client, user_id: string): Promise<string> {
  if (client.subject_type !== 'pairwise') return user_id
  const subject = { sector: sectorOf(client), user_id }
  const known = await ctx.store.subjects.subOf(subject)
  if (known !== undefined) return known
  const made = ctx.store.vault.derive('subject', `${subject.sector}\n${user_id}`)
  return ctx.store.subjects.create(subject, made, ctx.now())
}

/**
 * The person behind the `sub` of a token.
 * @returns undefined when nobody has that name in the client's sector
 */
export async function userOfSubject(ctx: Context, client_id: string, sub: string): Promise<string | undefined> {
  const client = ctx.configuration.client(client_id)
  if (client !== undefined && client.subject_type !== 'pairwise') return sub
  const found = await ctx.store.subjects.find(sub)
  // A client that is not in memory now may be of either kind.
  if (client === undefined) return found?.user_id ?? sub
  return found?.sector === sectorOf(client) ? found.user_id : undefined
}

/**
 * The sector of a client. Where its addresses have no host that is its own, it is alone in its sector.
 * @spec OpenID Connect Core §8.1
 */
export function sectorOf({ client_id, sector_identifier_uri, callbacks, registration }: Client): string {
  // What a client publishes about itself is vouched for by the host that it is published at, and by no other.
  if (registration?.by === 'document') return new URL(client_id).hostname
  if (sector_identifier_uri !== undefined) return new URL(sector_identifier_uri).hostname
  return sectorHosts(callbacks)[0] ?? client_id
}

/** The hosts of redirect URIs that tell whose they are: more than one need a `sector_identifier_uri`. */
export function sectorHosts(callbacks: readonly string[]): readonly string[] {
  const hosts = callbacks.flatMap((uri) => {
    const host = /^https?:/i.test(uri) && !isLoopbackUri(uri) ? parseUri(uri)?.hostname : undefined
    return host === undefined || host === '' ? [] : [host]
  })
  return [...new Set(hosts)]
}
