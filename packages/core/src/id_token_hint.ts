/** Owns the reading of `id_token_hint`. */
import { OAuthError } from '@latchkey/oauth'
import type { JWTPayload } from 'jose'
import { peekJwt, verifyClientJwt } from './client_jwt.ts'
import type { Context } from './context.ts'
import { userOfSubject } from './subjects.ts'
import { signingAlgOf } from './tokens/for_client.ts'
import { verifyOwn } from './tokens/verify.ts'

/** What an ID token of ours says. */
export interface HintedToken {
  readonly client_id: string
  readonly sub: string
  /** Absent where nobody has this `sub` any more. */
  readonly user_id?: string
  readonly sid?: string
}

/**
 * An expired ID token is as good as a fresh one here.
 * @throws OAuthError `invalid_request` when the hint is not an ID token of ours
 * @spec OpenID Connect Core §3.1.2.1
 * @spec OpenID Connect RP-Initiated Logout §4
 */
export async function readHintedToken(ctx: Context, hint: string | undefined): Promise<HintedToken | undefined> {
  if (hint === undefined) return undefined
  const { aud, sub, sid, exp, events } = (await readOwn(ctx, hint)) ?? {}
  const forClient = typeof aud === 'string' && ctx.configuration.client(aud) !== undefined
  // A logout token and a signed answer of /userinfo are for a client too: only an ID token has an end, and no events.
  if (!forClient || sub === undefined || exp === undefined || events !== undefined)
    throw new OAuthError('invalid_request', 'id_token_hint is not an ID token of this issuer')
  const user_id = await userOfSubject(ctx, aud, sub)
  return {
    client_id: aud,
    sub,
    ...(user_id === undefined ? {} : { user_id }),
    ...(typeof sid === 'string' ? { sid } : {}),
  }
}

/** By our keys; or, of a client that shares its secret with us, by that: such a client can only mislead itself. */
async function readOwn(ctx: Context, hint: string): Promise<JWTPayload | undefined> {
  const { header, claims } = peekJwt(hint) ?? {}
  if (header?.alg !== 'HS256') return verifyOwn(ctx, hint, { expired_too: true })
  const client = typeof claims?.aud === 'string' ? ctx.configuration.client(claims.aud) : undefined
  if (client === undefined || signingAlgOf(client, 'id_token') !== 'HS256') return undefined
  const verified = await verifyClientJwt(ctx, client, hint, ['HS256'])
  return ctx.issuers.some((issuer) => issuer === verified?.claims.iss) ? verified?.claims : undefined
}

/**
 * @param client_id who sends the hint. What another client was told is not its business, and no means to ask who is signed in.
 * @returns the user that the hint names
 * @throws OAuthError `invalid_request` when the hint is not an ID token of ours for this client
 */
export async function readIdTokenHint(
  ctx: Context,
  client_id: string,
  hint: string | undefined,
): Promise<string | undefined> {
  const hinted = await readHintedToken(ctx, hint)
  if (hinted === undefined) return undefined
  if (hinted.client_id !== client_id)
    throw new OAuthError('invalid_request', 'id_token_hint is not an ID token for this client')
  return hinted.user_id ?? hinted.sub
}
