/** Owns the checking of client assertions: JWTs by which a client proves itself, signed by its key or with its secret. */
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { type ClientJwt, clockSkew, jwtType, peekJwt, refusedJwt, timeProblem, verifyClientJwt } from '../client_jwt.ts'
import type { Context } from '../context.ts'
import type { EndpointRequest, Presented } from './client_auth.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Seconds. */
const longest = 3600

/**
 * What a request presents as an assertion.
 * @param method the one that asks; which of the two it is shows in the algorithm
 * @throws OAuthError `invalid_request` when only half of an assertion is there
 * @spec RFC 7521 §4.2
 * @spec OpenID Connect Core §9
 */
export function findAssertion(
  request: EndpointRequest,
  method: string,
  isOwn: (alg: string) => boolean,
): Presented | undefined {
  const type = request.parameters.get('client_assertion_type')
  const assertion = request.parameters.get('client_assertion')
  if (type === undefined && assertion === undefined) return undefined
  if (type !== assertionType) throw new OAuthError('invalid_request', `client_assertion_type must be ${assertionType}`)
  if (assertion === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: client_assertion')
  const seen = peekJwt(assertion)
  const { alg } = seen?.header ?? {}
  const { sub } = seen?.claims ?? {}
  if (typeof alg !== 'string' || typeof sub !== 'string')
    throw new OAuthError('invalid_client', 'client_assertion is not a signed JWT with a sub')
  if (!isOwn(alg)) return undefined
  return {
    client_id: sub,
    async prove(ctx, client) {
      if (client?.token_endpoint_auth_method !== method) return false
      const registered = client.token_endpoint_auth_signing_alg
      if (registered !== undefined && registered !== alg) return false
      const verified = await verifyClientJwt(ctx, client, assertion, [alg])
      if (verified === undefined) return false
      checkClaims(ctx, client, verified, request)
      return takeId(ctx, client, verified)
    },
  }
}

/**
 * @throws OAuthError `invalid_client`
 * @spec RFC 7523 §3
 */
function checkClaims(ctx: Context, client: Client, { header, claims }: ClientJwt, request: EndpointRequest): void {
  const refuse = (problem: string) => {
    throw refusedJwt('invalid_client', 'client_assertion', problem)
  }
  // A JWT that was made for something else does not count, even if everything in it fits.
  if (!['jwt', 'client-authentication+jwt'].includes(jwtType(header))) refuse(`has the type ${String(header.typ)}`)
  if (claims.iss !== client.client_id || claims.sub !== client.client_id)
    refuse('must have the client_id as iss and sub')
  if (!isForUs(ctx, client, claims.aud, request)) throw otherAudience(ctx, client)
  const wrong = timeProblem(ctx, claims, { exp_required: true, longest })
  if (wrong !== undefined) refuse(wrong)
  if (typeof claims.jti !== 'string' || claims.jti === '') refuse('has no jti')
}

/** @spec RFC 10070 §4 */
function isForUs(ctx: Context, client: Client, aud: unknown, { url }: EndpointRequest): boolean {
  // A client that registered itself follows OpenID Connect Core §9, which names the token endpoint, and cannot set the switch.
  const audience = client.token_endpoint_auth_aud ?? (client.registration?.by === 'itself' ? 'any' : 'issuer')
  if (audience === 'issuer') return aud === ctx.issuer
  const accepted = [ctx.issuer, ctx.issuer.slice(0, -1), `${ctx.issuer}oauth/token`, url]
  return (Array.isArray(aud) ? aud : [aud]).some((one) => accepted.includes(one))
}

function otherAudience(ctx: Context, { name }: Client): OAuthError {
  return new OAuthError('invalid_client', `client_assertion must have the issuer alone as aud: ${ctx.issuer}`, {
    explanation: {
      summary: `The assertion of ${name} names another audience than the issuer, or more than that.`,
      fix: 'Let the client put the issuer there, as a string. For a client that cannot, allow the token endpoint and lists.',
      setting: 'clients[].token_endpoint_auth_aud',
    },
  })
}

/** Each assertion counts once; its id is remembered as long as it would be good. */
async function takeId(ctx: Context, { client_id }: Client, { claims }: ClientJwt): Promise<boolean> {
  const ends_at = ((claims.exp ?? 0) + clockSkew) * 1000
  if (await ctx.store.usedIds.take(`client_assertion ${client_id}`, String(claims.jti), ends_at)) return true
  throw refusedJwt('invalid_client', 'client_assertion', 'was used before: each needs a jti of its own')
}
