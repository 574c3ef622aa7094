/** Owns reading an access token of our own back: an opaque one from the database, a JWT by its signature and by what was revoked. */
import { words } from '@latchkey/oauth'
import type { Context } from '../context.ts'
import { isRevoked } from '../lineage.ts'
import { type Confirmation, readConfirmation } from '../proofs/confirmation.ts'
import { userOfSubject } from '../subjects.ts'
import { isOpaque, type TokenDetails } from './access_token.ts'
import { verifyOwn } from './verify.ts'

/** What an access token that counts says. */
export interface AccessTokenFacts {
  readonly sub: string
  /** Absent where a client acts for itself. */
  readonly user_id?: string
  readonly client_id: string
  readonly audience: readonly string[]
  readonly scope: readonly string[]
  /** Seconds since 1970. */
  readonly iat: number
  readonly exp: number
  /** Of a JWT. */
  readonly jti?: string
  /** Every claim of a JWT. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** What is kept with an opaque token. */
  readonly details?: TokenDetails
  /** What it was issued together with. */
  readonly lineage?: string
  /** What it is bound to: without a proof of it the token does not count. */
  readonly confirmation?: Confirmation
  /** Claims that were asked for one by one at `/userinfo`. */
  readonly userinfo_claims?: readonly string[]
}

/**
 * @returns undefined for a token that is not ours, is over, or was revoked, whose client is no more, and for anything that is no access
 *   token
 * @spec RFC 7592 §2.3
 */
export async function readAccessToken(ctx: Context, token: string): Promise<AccessTokenFacts | undefined> {
  const facts = await (isOpaque(token) ? readOpaque(ctx, token) : readJwt(ctx, token))
  return facts === undefined || isGone(ctx, facts.client_id) ? undefined : facts
}

/** A client whose id is an address is not configured: it is read when it asks. */
function isGone(ctx: Context, client_id: string): boolean {
  return ctx.configuration.client(client_id) === undefined && !/^https?:\/\//.test(client_id)
}

async function readOpaque(ctx: Context, token: string): Promise<AccessTokenFacts | undefined> {
  const row = await ctx.store.accessTokens.find(token, ctx.now())
  if (row === undefined) return undefined
  const details = row.details === undefined ? {} : (JSON.parse(row.details) as TokenDetails)
  return {
    ...{
      sub: details.sub ?? row.user_id,
      user_id: row.user_id,
      details,
      client_id: row.client_id,
      audience: row.audience,
      scope: words(row.scope),
    },
    iat: Math.floor(row.issued_at / 1000),
    exp: Math.floor(row.ends_at / 1000),
    ...(row.lineage === undefined ? {} : { lineage: row.lineage }),
    ...bound(details.cnf),
    ...named(details.userinfo_claims),
  }
}

/** An ID token is signed by the same keys: its audience is a client, and it has no `azp` or `client_id` of an access token. */
async function readJwt(ctx: Context, token: string): Promise<AccessTokenFacts | undefined> {
  const claims = await verifyOwn(ctx, token)
  if (claims === undefined) return undefined
  const { sub, jti, iat, exp, scope, nonce } = claims
  const audience = [claims.aud ?? []].flat()
  const client_id = claims.client_id ?? claims.azp
  if (sub === undefined || jti === undefined || iat === undefined || exp === undefined) return undefined
  if (typeof client_id !== 'string' || nonce !== undefined || audience.includes(client_id)) return undefined
  if (await isRevoked(ctx, jti)) return undefined
  // What a client does for itself has no person behind it.
  const user_id = isClientSubject(ctx, sub) ? undefined : await userOfSubject(ctx, client_id, sub)
  if (user_id === undefined && !isClientSubject(ctx, sub)) return undefined
  return {
    ...(user_id === undefined ? {} : { user_id }),
    ...{ sub, client_id, audience, scope: typeof scope === 'string' ? words(scope) : [], iat, exp, jti, claims },
    ...bound(claims.cnf),
    ...named(claims.userinfo_claims),
  }
}

function isClientSubject(ctx: Context, sub: string): boolean {
  return sub.endsWith('@clients') && ctx.configuration.client(sub.slice(0, -'@clients'.length)) !== undefined
}

function bound(cnf: unknown): { readonly confirmation?: Confirmation } {
  const confirmation = readConfirmation(cnf)
  return confirmation === undefined ? {} : { confirmation }
}

function named(userinfo_claims: unknown): Pick<AccessTokenFacts, 'userinfo_claims'> {
  return Array.isArray(userinfo_claims) ? { userinfo_claims: userinfo_claims.map(String) } : {}
}
