/** Owns writing down which clients a session gave tokens to, where they want to hear of its end. */
import type { Client, Session } from '@latchkey/store'
import type { Context } from './context.ts'

/** True for a client that is told when a session ends. */
export function hearsOfLogout({ frontchannel_logout_uri, backchannel_logout_uri }: Client): boolean {
  return frontchannel_logout_uri !== undefined || backchannel_logout_uri !== undefined
}

/** Writes only the first time that a session answers a client, and only for a client that is told: all others cost nothing. */
export async function rememberClient(
  ctx: Context,
  client: Client,
  { session_id }: Pick<Session, 'session_id'>,
): Promise<void> {
  if (hearsOfLogout(client))
    await ctx.store.sessionClients.remember(session_id, client.client_id, ctx.issuer, ctx.now())
}
