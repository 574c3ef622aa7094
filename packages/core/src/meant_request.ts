/** Owns finding the request that is meant: the parameters themselves, or what they refer to, by value or by reference. */
import { OAuthError, type Parameters } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { findClient, type MeantRequest, type RequestOrigin } from './authorization_request.ts'
import type { Context } from './context.ts'
import { FetchError } from './outbound.ts'
import { findPushedRequest, isPushedReference } from './pushed_request.ts'
import { readRequestObject } from './request_object.ts'

const itself: RequestOrigin = {}

/**
 * @throws OAuthError when the client cannot be found, or what the request refers to is none
 * @spec RFC 9101 §5
 * @spec OpenID Connect Core §6
 */
export async function meantRequest(ctx: Context, parameters: Parameters): Promise<MeantRequest> {
  const request = parameters.get('request')
  const request_uri = parameters.get('request_uri')
  if (request === undefined && request_uri === undefined) return { parameters, origin: itself }
  // Who asks is judged first: what a request refers to is looked at for a client that is known.
  const client = findClient(ctx, parameters.get('client_id'))
  if (request !== undefined && request_uri !== undefined)
    throw new OAuthError('invalid_request', 'Send request or request_uri, not both')
  if (request !== undefined) return fromObject(ctx, client, request, parameters, 'request')
  if (request_uri !== undefined && isPushedReference(request_uri)) return findPushedRequest(ctx, client, request_uri)
  const fetched = await fetchObject(ctx, client, request_uri ?? '')
  return fromObject(ctx, client, fetched, parameters, 'request_uri')
}

async function fromObject(
  ctx: Context,
  client: Client,
  jwt: string,
  outside: Parameters,
  by: 'request' | 'request_uri',
): Promise<MeantRequest> {
  const { parameters, signed } = await readRequestObject(ctx, client, jwt, outside, by)
  return { parameters, origin: signed ? { signed } : {} }
}

const accept = ['application/oauth-authz-req+jwt', 'application/jwt', 'application/jose']

/**
 * Only registered addresses are fetched. The fragment is a mark of the client's for the content, and is not sent.
 * @spec RFC 9101 §5.2
 * @spec OpenID Connect Core §6.2
 */
async function fetchObject(ctx: Context, client: Client, request_uri: string): Promise<string> {
  const { request_uris = [] } = client
  if (!isRegistered(request_uris, request_uri)) {
    const code = request_uris.length === 0 ? 'request_uri_not_supported' : 'invalid_request_uri'
    throw new OAuthError(code, 'request_uri is not registered for the client', {
      explanation: {
        summary: `${client.name} has not registered ${request_uri.slice(0, 300)} as a place of its request objects.`,
        fix: 'Register the address, byte for byte; a fragment may be left out.',
        setting: 'clients[].request_uris',
      },
    })
  }
  try {
    const { status, body } = await ctx.fetch(request_uri, { accept })
    if (status === 200) return body.toString('utf8').trim()
    throw new FetchError('unusable', `${request_uri} answered ${status} where 200 is needed`)
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    ctx.log.warn({ err: error, client_id: client.client_id }, 'a request object cannot be fetched')
    throw new OAuthError('invalid_request_uri', 'request_uri cannot be fetched', { cause: error })
  }
}

function isRegistered(registered: readonly string[], request_uri: string): boolean {
  const [bare = ''] = request_uri.split('#', 1)
  return registered.includes(request_uri) || registered.includes(bare)
}
