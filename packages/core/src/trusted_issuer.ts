/** Owns the issuers that a tenant trusts to say who a person is: their assertions, and whom those mean here. */
import { OAuthError } from '@latchkey/oauth'
import type { Aggregates, Client, TrustedIssuer, User } from '@latchkey/store'
import {
  type ClientJwt,
  clientSigningAlgs,
  clockSkew,
  jwtType,
  peekJwt,
  timeProblem,
  verifyClientJwt,
} from './client_jwt.ts'
import type { Context } from './context.ts'

/** Seconds that the end of an assertion may lie ahead. */
const longest = 3600

/** What an assertion came to. */
export interface Assertion {
  readonly user: User
  readonly issuer: string
  readonly claims: ClientJwt['claims']
  /**
   * Takes its id, which counts once.
   * @throws OAuthError `invalid_grant` when it was used before
   */
  take(store: Aggregates): Promise<void>
}

/** True when the token names an issuer that is trusted; nothing of it has been checked. */
export function isFromTrustedIssuer(ctx: Context, jwt: string): boolean {
  return issuerOf(ctx, peekJwt(jwt)) !== undefined
}

/**
 * @param client the one that brings it
 * @throws OAuthError `invalid_grant`
 * @spec RFC 7523 §3
 * @spec RFC 7521 §5.2
 */
export async function readAssertion(ctx: Context, client: Client, jwt: string): Promise<Assertion> {
  const seen = peekJwt(jwt)
  if (seen === undefined) throw refused('is no signed JWT')
  const trusted = issuerOf(ctx, seen)
  if (trusted === undefined || !trusted.clients.includes(client.client_id)) throw notTrusted(client, seen)
  const { issuer: client_id, jwks, jwks_uri } = trusted
  const keys = { client_id, ...(jwks === undefined ? {} : { jwks }), ...(jwks_uri === undefined ? {} : { jwks_uri }) }
  // Only by a public key: a secret that we share could sign for us as well.
  const algs = clientSigningAlgs.filter((alg) => alg !== 'HS256')
  const verified = await verifyClientJwt(ctx, keys, jwt, algs)
  if (verified === undefined) throw refused('is not signed by a key of its issuer')
  checkClaims(ctx, trusted, verified)
  const { claims } = verified
  return {
    user: await userOf(ctx, trusted, claims),
    issuer: trusted.issuer,
    claims,
    take: (store) => take(store, trusted, claims),
  }
}

function issuerOf({ configuration }: Context, jwt: ClientJwt | undefined): TrustedIssuer | undefined {
  return configuration.settings.trusted_issuers?.find(({ issuer }) => issuer === jwt?.claims.iss)
}

/** @spec RFC 7523 §3 */
function checkClaims(ctx: Context, { audience = 'issuer' }: TrustedIssuer, { header, claims }: ClientJwt): void {
  // A JWT that was made for something else, such as an access token, does not count even if everything in it fits.
  if (!['jwt', 'authorization-grant+jwt'].includes(jwtType(header))) throw refused(`has the type ${String(header.typ)}`)
  const accepted =
    audience === 'issuer' ? [ctx.issuer] : [ctx.issuer, ctx.issuer.slice(0, -1), `${ctx.issuer}oauth/token`]
  const named = Array.isArray(claims.aud) ? claims.aud : [claims.aud ?? '']
  // RFC 7519 §4.1.3 allows a list; for others as well it may have been made elsewhere, and stolen there.
  if (named.length !== 1 || !accepted.includes(named[0] ?? ''))
    throw refused(`must have the issuer alone as aud: ${ctx.issuer}`)
  const wrong = timeProblem(ctx, claims, { exp_required: true, longest })
  if (wrong !== undefined) throw refused(wrong)
  if (typeof claims.jti !== 'string' || claims.jti === '') throw refused('has no jti')
}

/** The person that an assertion means: of one connection, with an address that is confirmed, or by the id. */
async function userOf(ctx: Context, trusted: TrustedIssuer, claims: ClientJwt['claims']): Promise<User> {
  const { match = 'user_id', claim = match === 'email' ? 'email' : 'sub', connection = '' } = trusted.subject ?? {}
  const value = claims[claim]
  if (typeof value !== 'string' || value === '') throw refused(`has no ${claim}`)
  const { users } = ctx.store
  const user =
    match === 'user_id'
      ? await users.find(value)
      : match === 'email'
        ? await users.findByEmail(connection, value)
        : await users.findByUsername(connection, value)
  // Whoever signed up with an address that is not his must not get what is meant for its owner.
  const isDoubtful = match === 'email' && (user?.email_verified !== true || claims.email_verified === false)
  if (user === undefined || isDoubtful) throw refused('is about nobody who is known here')
  if (user.blocked) throw new OAuthError('invalid_grant', 'user is blocked')
  return user
}

async function take(store: Aggregates, { issuer }: TrustedIssuer, claims: ClientJwt['claims']): Promise<void> {
  const ends_at = ((claims.exp ?? 0) + clockSkew) * 1000
  if (await store.usedIds.take(`assertion ${issuer}`, String(claims.jti), ends_at)) return
  throw refused('was used before: each needs a jti of its own')
}

function refused(problem: string): OAuthError {
  return new OAuthError('invalid_grant', `The assertion ${problem}`)
}

function notTrusted({ name }: Client, { claims }: ClientJwt): OAuthError {
  return new OAuthError('invalid_grant', 'The assertion is of an issuer that is not trusted', {
    explanation: {
      summary: `${name} brought an assertion of ${String(claims.iss).slice(0, 300)}.`,
      fix: 'Add the issuer there with its keys, and the client to its clients.',
      setting: 'tenant.trusted_issuers',
    },
  })
}
