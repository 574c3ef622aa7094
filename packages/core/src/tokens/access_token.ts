/** Owns access tokens: opaque for `/userinfo` alone, a JWT for an API. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ResourceServer } from '@latchkey/store'
import type { Authorization } from '../authorization.ts'
import { type Context, seconds } from '../context.ts'
import type { CustomClaims } from '../rules/rules.ts'
import { signJwt, signJwtWithSecret } from './sign.ts'

export interface IssuedAccessToken {
  readonly access_token: string
  readonly token_type: 'Bearer'
  /** Seconds; equal to `exp - iat`. */
  readonly expires_in: number
}

/** Seconds that a token for `/userinfo` alone lives when a browser gets it; not configurable, as in Auth0. */
export const opaqueTokenLifetimeForWeb = 7200

const opaqueTokenPrefix = 'lk_at_'

/** @spec RFC 6749 §4.2.2 */
export function issueAccessToken(ctx: Context, authorization: Authorization): Promise<IssuedAccessToken> {
  const { api } = authorization.audience
  const issued = api === undefined ? issueOpaque(ctx, authorization) : issueJwt(ctx, authorization, api)
  return authorization.claims === undefined ? issued : keepClaims(ctx, authorization, authorization.claims, issued)
}

// Rules do not run at /userinfo, so what they put into the ID token is kept beside the token that may ask there.
async function keepClaims(
  ctx: Context,
  { scope, audience: { api } }: Authorization,
  { id_token }: CustomClaims,
  issuing: Promise<IssuedAccessToken>,
): Promise<IssuedAccessToken> {
  const issued = await issuing
  const servesUserinfo = scope.includes('openid') && api?.signing_alg !== 'HS256'
  if (servesUserinfo && Object.keys(id_token).length > 0)
    await ctx.store.tokenClaims.create(issued.access_token, id_token, ctx.now() + issued.expires_in * 1000)
  return issued
}

async function issueOpaque(ctx: Context, authorization: Authorization): Promise<IssuedAccessToken> {
  const now = ctx.now()
  const access_token = `${opaqueTokenPrefix}${ctx.random(32)}`
  await ctx.store.accessTokens.create(access_token, {
    client_id: authorization.client.client_id,
    user_id: authorization.user.user_id,
    session_id: authorization.session.session_id,
    audience: [userinfoAudience(ctx)],
    scope: authorization.scope.join(' '),
    issued_at: now,
    ends_at: now + opaqueTokenLifetimeForWeb * 1000,
  })
  return { access_token, token_type: 'Bearer', expires_in: opaqueTokenLifetimeForWeb }
}

async function issueJwt(ctx: Context, authorization: Authorization, api: ResourceServer): Promise<IssuedAccessToken> {
  const iat = seconds(ctx.now())
  const expires_in = Math.min(api.token_lifetime_for_web, api.token_lifetime)
  const scope = authorization.scope.join(' ')
  const rfc9068 = api.token_dialect.startsWith('rfc9068_profile')
  const claims = {
    ...authorization.claims?.access_token,
    iss: ctx.issuer,
    sub: authorization.user.user_id,
    aud: audienceOf(ctx, authorization, api),
    iat,
    exp: iat + expires_in,
    ...(scope === '' ? {} : { scope }),
    ...(rfc9068
      ? { client_id: authorization.client.client_id, jti: ctx.random(16) }
      : { azp: authorization.client.client_id }),
  }
  const typ = rfc9068 ? 'at+jwt' : 'JWT'
  const access_token =
    api.signing_alg === 'HS256'
      ? await signJwtWithSecret(secretOf(api), typ, claims)
      : await signJwt(ctx.keys, api.signing_alg, typ, claims)
  return { access_token, token_type: 'Bearer', expires_in }
}

/** With `openid` the token serves `/userinfo` too; an HS256 token never does, for this server would have to trust the API's secret. */
function audienceOf(ctx: Context, authorization: Authorization, api: ResourceServer): string | string[] {
  const both = authorization.scope.includes('openid') && api.signing_alg !== 'HS256'
  return both ? [api.identifier, userinfoAudience(ctx)] : api.identifier
}

export function userinfoAudience(ctx: Context): string {
  return `${ctx.issuer}userinfo`
}

/** True when the text is shaped like one of our opaque tokens. */
export function isOpaque(token: string): boolean {
  return token.startsWith(opaqueTokenPrefix)
}

const secretKeys = new WeakMap<ResourceServer, KeyObject>()

function secretOf(api: ResourceServer): KeyObject {
  const known = secretKeys.get(api)
  if (known !== undefined) return known
  if (api.signing_secret === undefined)
    throw new Error(`The API ${api.identifier} signs with HS256 and has no signing_secret`)
  const key = createSecretKey(Buffer.from(api.signing_secret))
  secretKeys.set(api, key)
  return key
}
