/** Owns the pushing of authorization requests: a client sends its request itself, and the browser will carry a reference to it. */
import { OAuthError } from '@latchkey/oauth'
import { readDestination, readRequest } from './authorization_request.ts'
import { authenticateClient, type EndpointRequest } from './client_auth/index.ts'
import type { Context } from './context.ts'
import { meantRequest } from './meant_request.ts'
import { readPushedKey } from './proofs/sender.ts'
import { keepPushedRequest, type PushedAnswer } from './pushed_request.ts'

/** Of the authentication, not of the request. */
const aboutTheClient = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

/**
 * Judges the request as `/authorize` would, and keeps it.
 * @throws OAuthError for the client
 * @spec RFC 9126 §2.1
 */
export async function pushRequest(ctx: Context, request: EndpointRequest): Promise<PushedAnswer> {
  const client = await authenticateClient(ctx, request)
  if (request.parameters.has('request_uri'))
    throw new OAuthError('invalid_request', 'request_uri cannot be pushed: send the request itself')
  const sent = new Map([...request.parameters].filter(([name]) => !aboutTheClient.has(name)))
  const { parameters, origin } = await meantRequest(ctx, sent.set('client_id', client.client_id))
  const dpop_jkt = await readPushedKey(ctx, client, request, parameters.get('dpop_jkt'))
  const bound = dpop_jkt === undefined ? parameters : new Map([...parameters, ['dpop_jkt', dpop_jkt]])
  await readRequest(ctx, readDestination(ctx, bound), bound, { ...origin, pushed: 'now' })
  return keepPushedRequest(ctx, client, bound, origin.signed)
}
