/** Owns ID tokens. */
import { hash } from 'node:crypto'
import type { PersonalAuthorization } from '../authorization.ts'
import { namedClaims, userClaims } from '../claims.ts'
import { type Context, seconds } from '../context.ts'
import { subjectOf } from '../subjects.ts'
import { authenticationClaims } from './authentication_claims.ts'
import { makeFor, signingAlgOf } from './for_client.ts'

/**
 * @param beside what the same response carries already: hashes tie the access token and the code to this ID token
 * @spec OpenID Connect Core §2
 * @spec OpenID Connect Core §3.2.2.10
 * @spec OpenID Connect Core §3.3.2.11
 */
export async function issueIdToken(
  ctx: Context,
  authorization: PersonalAuthorization,
  beside: { readonly access_token?: string; readonly code?: string },
): Promise<string> {
  const { client, user, session, scope, requested_claims } = authorization
  const iat = seconds(ctx.now())
  const alg = signingAlgOf(client, 'id_token') ?? 'RS256'
  // OpenID Connect Core §5.4: where an access token is issued, now or for the code, the claims are for /userinfo.
  const { response_type } = authorization
  const alone = response_type.length === 1 && response_type[0] === 'id_token'
  const everything = client.id_token_profile_claims === 'always' || alone
  return makeFor(ctx, client, 'id_token', 'JWT', {
    ...(everything ? userClaims(user, scope) : undefined),
    ...(requested_claims === undefined ? undefined : namedClaims(user, requested_claims.id_token)),
    ...authorization.claims?.id_token,
    iss: ctx.issuer,
    sub: await subjectOf(ctx, client, user.user_id),
    aud: client.client_id,
    iat,
    exp: iat + client.jwt_configuration.lifetime_in_seconds,
    sid: session?.session_id,
    nonce: authorization.nonce,
    auth_time: authorization.tell_auth_time ? session?.auth_time : undefined,
    ...(authorization.tell_acr === true ? authenticationClaims(session) : undefined),
    at_hash: beside.access_token === undefined ? undefined : leftHalfHash(alg, beside.access_token),
    c_hash: beside.code === undefined ? undefined : leftHalfHash(alg, beside.code),
  })
}

/**
 * The left half of a hash, by the hash function of the token's own algorithm.
 * @spec OpenID Connect Core §3.1.3.6
 */
export function leftHalfHash(alg: string, value: string): string {
  const digest = hash(alg === 'EdDSA' ? 'sha512' : 'sha256', value, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
