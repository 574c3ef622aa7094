/** Owns the grant `authorization_code`: a code becomes tokens, once. */
import { OAuthError } from '@latchkey/oauth'
import type { StoredCodeRequest } from '../codes.ts'
import type { Context } from '../context.ts'
import { AlreadyTaken, defineGrant, type Granted, type GrantRequest } from '../grant.ts'
import { revokeLineage } from '../lineage.ts'
import { checkVerifier } from '../pkce.ts'
import { boundTo, checkCodeSender } from '../proofs/sender.ts'
import { beginFamily, isRefreshable } from '../refresh.ts'
import { forTarget } from '../resources.ts'
import { restoreAuthorization } from '../stored_authorization.ts'

const invalid = () => new OAuthError('invalid_grant', 'Invalid authorization code')

/**
 * @spec RFC 6749 §4.1.3
 * @spec OpenID Connect Core §3.1.3.2
 * @spec RFC 8707 §2.2
 */
export const authorizationCode = defineGrant({
  type: 'authorization_code',
  async authorize(ctx, client, request): Promise<Granted> {
    const code = request.parameters.get('code')
    if (code === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: code')
    const row = await ctx.store.codes.peek(code)
    if (row === undefined || row.client_id !== client.client_id) throw invalid()
    const kept = JSON.parse(row.authorization) as StoredCodeRequest
    // Public since it asked: then nothing else would prove that it is the one who did.
    if (kept.challenge === undefined && client.token_endpoint_auth_method === 'none') throw invalid()
    checkBinding(kept, request)
    // Whoever comes this far has the proofs of the client that asked: a second use means that one of the two stole the code.
    if (row.used) {
      await revokeLineage(ctx, row.lineage)
      ctx.log.warn(
        { client_id: client.client_id, lineage: row.lineage },
        'a code was used twice: its tokens are revoked',
      )
      throw invalid()
    }
    if (row.ends_at <= ctx.now()) throw invalid()
    return exchange(ctx, { code, lineage: row.lineage, kept }, request)
  },
})

/** @spec RFC 6749 §4.1.3 */
function checkBinding(kept: StoredCodeRequest, { parameters, confirmation }: GrantRequest): void {
  const redirect_uri = parameters.get('redirect_uri')
  const mayLeaveOut = !kept.redirect_uri_given && redirect_uri === undefined
  if (!mayLeaveOut && redirect_uri !== kept.redirect_uri)
    throw new OAuthError('invalid_grant', 'redirect_uri is not the one of the authorization request')
  checkVerifier(kept.challenge, parameters.get('code_verifier'))
  checkCodeSender(kept.dpop_jkt, confirmation)
}

async function exchange(
  ctx: Context,
  { code, lineage, kept }: { code: string; lineage: string; kept: StoredCodeRequest },
  { confirmation, parameters }: GrantRequest,
): Promise<Granted> {
  const authorization = boundTo(await restoreAuthorization(ctx, kept.authorization), confirmation)
  const { session, scope } = authorization
  if (session === undefined || !(await ctx.store.sessions.isLive(session.session_id, ctx.now())))
    throw new OAuthError('invalid_grant', 'The session has ended')
  const begun = isRefreshable(authorization) ? beginFamily(ctx, authorization, lineage) : undefined
  return {
    authorization: forTarget(ctx, authorization, parameters),
    asked: authorization.asked ?? scope,
    ...(begun === undefined ? {} : { refresh_token: begun.refresh_token }),
    async take(store) {
      const now = ctx.now()
      if (!(await store.codes.take(code, now))) throw new AlreadyTaken()
      // Whoever ends the sessions of a person ends the tokens too, and must not miss these.
      if (!(await store.sessions.isLive(session.session_id, now))) throw new AlreadyTaken()
      if (begun !== undefined) await store.refreshTokens.create(begun.family, begun.refresh_token, now)
    },
  }
}
