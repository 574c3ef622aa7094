/** Owns access tokens: opaque for `/userinfo` alone, a JWT for an API. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Aggregates, ResourceServer } from '@latchkey/store'
import type { Authorization } from '../authorization.ts'
import { type Context, seconds } from '../context.ts'
import { newTokenId } from '../lineage.ts'
import type { Confirmation } from '../proofs/confirmation.ts'
import { subjectOf } from '../subjects.ts'
import { authenticationClaims } from './authentication_claims.ts'
import { signJwt, signJwtWithSecret } from './sign.ts'

export interface IssuedAccessToken {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds; equal to `exp - iat`. */
  readonly expires_in: number
}

export interface MintedAccessToken extends IssuedAccessToken {
  /** Writes down what must be known of the token later; absent where the token says it all. */
  readonly write?: (store: Aggregates) => Promise<void>
}

/** Who receives the token: a browser, out of the answer of `/authorize`, or the client itself at the token endpoint. */
export type Channel = 'browser' | 'direct'

/** Seconds that a token for `/userinfo` alone lives: shorter with the implicit grant. Not configurable, as in Auth0. */
const opaqueTokenLifetime = { implicit: 7200, other: 86_400 } as const

const opaqueTokenPrefix = 'lk_at_'

/** Mints a token and writes down what must be. @spec RFC 6749 §4.2.2 */
export async function issueAccessToken(ctx: Context, authorization: Authorization): Promise<IssuedAccessToken> {
  const { write, ...issued } = await mintAccessToken(ctx, authorization, 'browser')
  if (write !== undefined) await write(ctx.store)
  return issued
}

/** @spec RFC 6749 §5.1 */
export async function mintAccessToken(
  ctx: Context,
  authorization: Authorization,
  channel: Channel,
): Promise<MintedAccessToken> {
  const { api } = authorization.audience
  const minted =
    api === undefined ? await mintOpaque(ctx, authorization, channel) : await mintJwt(ctx, authorization, api, channel)
  return keepingClaims(ctx, authorization, minted)
}

// Rules do not run at /userinfo, so what they put into the ID token is kept beside the token that may ask there.
function keepingClaims(ctx: Context, authorization: Authorization, minted: MintedAccessToken): MintedAccessToken {
  const { claims, scope, audience } = authorization
  const servesUserinfo = scope.includes('openid') && audience.api?.signing_alg !== 'HS256'
  if (claims === undefined || !servesUserinfo || Object.keys(claims.id_token).length === 0) return minted
  const { access_token, expires_in, write } = minted
  return {
    ...minted,
    async write(store) {
      await write?.(store)
      await store.tokenClaims.create(access_token, claims.id_token, ctx.now() + expires_in * 1000)
    },
  }
}

async function mintOpaque(ctx: Context, authorization: Authorization, channel: Channel): Promise<MintedAccessToken> {
  const { client, user, session, lineage, scope, response_type } = authorization
  if (user === undefined) throw new Error('A token for /userinfo needs a user')
  const now = ctx.now()
  const access_token = `${opaqueTokenPrefix}${ctx.random(32)}`
  const sub = await subjectOf(ctx, client, user.user_id)
  const isImplicit = channel === 'browser' && !response_type.includes('code')
  const expires_in = opaqueTokenLifetime[isImplicit ? 'implicit' : 'other']
  const row = {
    ...{
      client_id: client.client_id,
      user_id: user.user_id,
      audience: [userinfoAudience(ctx)],
      scope: scope.join(' '),
    },
    ...(session === undefined ? {} : { session_id: session.session_id }),
    ...(lineage === undefined ? {} : { lineage }),
    ...detailsOf(authorization, sub),
    issued_at: now,
    ends_at: now + expires_in * 1000,
  }
  return {
    access_token,
    token_type: tokenType(authorization),
    expires_in,
    write: (store) => store.accessTokens.create(access_token, row),
  }
}

/** What is kept with an opaque token, as JSON. */
export interface TokenDetails {
  readonly cnf?: Confirmation
  /** Where it is not the id of the user. */
  readonly sub?: string
  /** Claims that were asked for one by one at `/userinfo`. */
  readonly userinfo_claims?: readonly string[]
  /** Seconds since 1970. */
  readonly auth_time?: number
  readonly acr?: string
}

function detailsOf(authorization: Authorization, sub: string): { readonly details?: string } {
  const { confirmation, user, session, tell_acr } = authorization
  const { auth_time, acr } = tell_acr === true ? authenticationClaims(session) : {}
  const details: TokenDetails = {
    ...(confirmation === undefined ? {} : { cnf: confirmation }),
    ...(sub === user?.user_id ? {} : { sub }),
    ...userinfoClaims(authorization),
    ...(auth_time === undefined ? {} : { auth_time }),
    ...(acr === undefined ? {} : { acr }),
  }
  return Object.keys(details).length === 0 ? {} : { details: JSON.stringify(details) }
}

/** Said by the token itself, so that `/userinfo` has nothing more to look up. */
function userinfoClaims({ requested_claims, scope }: Authorization): Pick<TokenDetails, 'userinfo_claims'> {
  const names = requested_claims?.userinfo ?? []
  return names.length === 0 || !scope.includes('openid') ? {} : { userinfo_claims: names }
}

/** @spec RFC 9449 §5 */
function tokenType({ confirmation }: Authorization): IssuedAccessToken['token_type'] {
  return confirmation?.jkt === undefined ? 'Bearer' : 'DPoP'
}

async function mintJwt(
  ctx: Context,
  authorization: Authorization,
  api: ResourceServer,
  channel: Channel,
): Promise<MintedAccessToken> {
  const { client, session, gty, lineage, confirmation, authorization_details } = authorization
  const iat = seconds(ctx.now())
  const expires_in = lifetimeOf(authorization, api, channel, iat)
  const scope = authorization.scope.join(' ')
  const rfc9068 = api.token_dialect.startsWith('rfc9068_profile')
  const claims = {
    ...authorization.claims?.access_token,
    iss: ctx.issuer,
    sub: await subOf(ctx, authorization),
    aud: audienceOf(ctx, authorization, api),
    iat,
    exp: iat + expires_in,
    jti: newTokenId(ctx, lineage),
    scope: scope === '' ? undefined : scope,
    client_id: rfc9068 ? client.client_id : undefined,
    azp: rfc9068 ? undefined : client.client_id,
    gty: rfc9068 ? undefined : gty,
    act: authorization.act,
    cnf: confirmation,
    ...(rfc9068 || authorization.tell_acr === true ? authenticationClaims(session) : undefined),
    ...userinfoClaims(authorization),
    authorization_details,
  }
  const typ = rfc9068 ? 'at+jwt' : 'JWT'
  const access_token =
    api.signing_alg === 'HS256'
      ? await signJwtWithSecret(secretOf(api), typ, claims)
      : await signJwt(ctx.keys, api.signing_alg, typ, claims)
  return { access_token, token_type: tokenType(authorization), expires_in }
}

/** Seconds: the shortest of those whom the token is for, and no longer than what the token was made of. */
function lifetimeOf(
  { audience: { more }, ends_at }: Authorization,
  api: ResourceServer,
  channel: Channel,
  iat: number,
): number {
  const of = ({ token_lifetime_for_web, token_lifetime }: ResourceServer) =>
    channel === 'browser' ? Math.min(token_lifetime_for_web, token_lifetime) : token_lifetime
  const lifetime = more === undefined ? of(api) : Math.min(of(api), ...more.map(of))
  return ends_at === undefined ? lifetime : Math.min(lifetime, ends_at - iat)
}

/** A client that acts for itself is its own subject. */
async function subOf(ctx: Context, { client, user, sub }: Authorization): Promise<string> {
  return user === undefined ? (sub ?? `${client.client_id}@clients`) : subjectOf(ctx, client, user.user_id)
}

/** With `openid` the token serves `/userinfo` too; an HS256 token never does, for this server would have to trust the API's secret. */
function audienceOf(ctx: Context, authorization: Authorization, api: ResourceServer): string | string[] {
  const both = authorization.scope.includes('openid') && api.signing_alg !== 'HS256'
  const { more } = authorization.audience
  if (more !== undefined && more.length > 0)
    return [api.identifier, ...more.map((one) => one.identifier), ...(both ? [userinfoAudience(ctx)] : [])]
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
