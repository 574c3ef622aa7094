/** Owns the token endpoint's path from a request to an answer. A grant fills in only what is its own. */
import { OAuthError, sameWords } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { authenticateClient, type EndpointRequest } from './client_auth/index.ts'
import type { Context } from './context.ts'
import { AlreadyTaken, type Grant, type Granted } from './grant.ts'
import { findGrant, offeredGrantTypes } from './grants/index.ts'
import { boundTo, readSender, type Sender } from './proofs/sender.ts'
import { isSwitchedOff, switchedOff } from './switched_off.ts'
import { mintAccessToken } from './tokens/access_token.ts'
import { issueIdToken } from './tokens/id_token.ts'

/** The answer's JSON. */
export type TokenResponse = Readonly<Record<string, unknown>>

/**
 * @throws OAuthError of RFC 6749 §5.2
 * @spec RFC 6749 §5.1
 * @spec OpenID Connect Core §3.1.3.3
 * @spec RFC 9396 §7
 */
export async function token(ctx: Context, request: EndpointRequest): Promise<TokenResponse> {
  const grant = readGrant(ctx, request)
  const client = await authenticateClient(ctx, request)
  if (!client.grant_types.includes(grant.type)) throw notAllowed(client, grant)
  const sender = await readSender(ctx, client, request)
  const { confirmation } = sender
  const proved = { ...request, ...(confirmation === undefined ? {} : { confirmation }) }
  for (let tries = 0; ; tries++) {
    const granted = await grant.authorize(ctx, client, proved)
    try {
      return await issueTokens(ctx, { ...granted, authorization: boundTo(granted.authorization, confirmation) }, sender)
    } catch (error) {
      // Somebody was quicker; the grant looks again, and decides what that means.
      if (!(error instanceof AlreadyTaken) || tries >= 3) throw error
    }
  }
}

function readGrant(ctx: Context, { parameters }: EndpointRequest): Grant {
  const type = parameters.get('grant_type')
  if (type === undefined) throw new OAuthError('invalid_request', 'Missing required parameter: grant_type')
  const grant = findGrant(type)
  if (grant !== undefined) {
    if (isSwitchedOff(ctx, 'grant_types', type)) throw switchedOff('unsupported_grant_type', 'grant_types', type)
    return grant
  }
  throw new OAuthError(
    'unsupported_grant_type',
    `Unsupported grant_type: ${type.slice(0, 100)}. Supported: ${offeredGrantTypes(ctx).filter(findGrant).join(', ')}`,
  )
}

function notAllowed(client: Client, { type }: Grant): OAuthError {
  return new OAuthError('unauthorized_client', `Grant type ${type} not allowed for the client`, {
    explanation: {
      summary: `The application ${client.name} may not use the grant type ${type}.`,
      fix: `Add ${type} to the application's grant types.`,
      setting: 'clients[].grant_types',
    },
  })
}

/** Signs first, then takes what works once together with writing what it yields: signing needs no lock, and a lost race costs no token. */
async function issueTokens(ctx: Context, granted: Granted, sender: Sender): Promise<TokenResponse> {
  const { authorization, asked, refresh_token, parameters, take } = granted
  const { user, scope, authorization_details } = authorization
  const { write, ...access } = await mintAccessToken(ctx, authorization, 'direct')
  const id_token =
    user !== undefined && scope.includes('openid')
      ? await issueIdToken(ctx, { ...authorization, user }, { access_token: access.access_token })
      : undefined
  if (take !== undefined || write !== undefined || sender.take !== undefined) {
    await ctx.store.atomically(async (store) => {
      await sender.take?.(store)
      await take?.(store)
      await write?.(store)
    })
  }
  return {
    ...access,
    ...(id_token === undefined ? {} : { id_token }),
    ...(refresh_token === undefined ? {} : { refresh_token }),
    // RFC 6749 §5.1: what was granted is told where it is not what was asked for.
    ...(scope.length === 0 || (asked !== undefined && sameWords(asked, scope)) ? {} : { scope: scope.join(' ') }),
    // RFC 9396 §7: what the token is for.
    ...(authorization_details === undefined ? {} : { authorization_details }),
    ...parameters,
  }
}
