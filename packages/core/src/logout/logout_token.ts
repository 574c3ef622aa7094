/** Owns logout tokens: the signed word to a client that a session has ended. */
import type { Client, SessionClient } from '@latchkey/store'
import { type Context, seconds } from '../context.ts'
import { subjectOf } from '../subjects.ts'
import { signFor } from '../tokens/for_client.ts'

/** Seconds that a logout token counts; each attempt to deliver one makes it anew, with the same `jti`. */
const lasts = 120

/**
 * @spec OpenID Connect Back-Channel Logout §2.4
 * @spec OpenID Connect Back-Channel Logout §2.6
 */
export async function issueLogoutToken(ctx: Context, client: Client, notice: SessionClient): Promise<string> {
  const iat = seconds(ctx.now())
  return signFor(ctx, client, 'id_token', 'logout+jwt', {
    iss: notice.issuer,
    sub: await subjectOf(ctx, client, notice.user_id),
    aud: client.client_id,
    iat,
    exp: iat + lasts,
    // A client that gets the word twice, because its first answer was lost, sees that it is the same.
    jti: ctx.store.vault.derive('logout token', `${notice.sid}\n${client.client_id}`),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    sid: notice.sid,
  })
}
