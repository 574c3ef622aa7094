/** Owns the check of a `sector_identifier_uri`: the host there must say itself that the client belongs to it. */
import { FetchError } from '@latchkey/core'
import type { IdentityContext } from '@latchkey/identity'
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'

/**
 * @throws OAuthError `invalid_client_metadata`
 * @spec OpenID Connect Registration §5
 */
export async function checkSector(ctx: IdentityContext, { sector_identifier_uri, callbacks }: Client): Promise<void> {
  if (sector_identifier_uri === undefined) return
  const listed = await readList(ctx, sector_identifier_uri)
  if (listed === undefined) throw refused('This must lead to a JSON list of redirect URIs.')
  if (!callbacks.every((uri) => listed.includes(uri))) throw refused('The list there lacks one of the redirect_uris.')
}

/** @returns undefined when there is no list */
async function readList(ctx: IdentityContext, uri: string): Promise<readonly unknown[] | undefined> {
  try {
    const { text } = await ctx.documents.read(uri, { accept: ['application/json'] })
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list : undefined
  } catch (error) {
    if (!(error instanceof FetchError || error instanceof SyntaxError)) throw error
    ctx.log.info({ err: error, sector_identifier_uri: uri.slice(0, 300) }, 'a sector_identifier_uri cannot be read')
    return undefined
  }
}

function refused(sentence: string): OAuthError {
  return new OAuthError('invalid_client_metadata', `sector_identifier_uri: ${sentence}`)
}
