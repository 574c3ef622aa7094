/** Owns the list of client authentication methods, and finding out which client sent a request. */
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import { isSwitchedOff, switchedOff } from '../switched_off.ts'
import type { ClientAuthMethod, EndpointRequest, Presented } from './client_auth.ts'
import { clientSecretBasic } from './client_secret_basic.ts'
import { clientSecretJwt } from './client_secret_jwt.ts'
import { clientSecretPost } from './client_secret_post.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private_key_jwt.ts'
import { selfSignedTlsClientAuth } from './self_signed_tls_client_auth.ts'
import { tlsClientAuth } from './tls_client_auth.ts'

export type { EndpointRequest } from './client_auth.ts'

const proving: readonly ClientAuthMethod[] = [clientSecretBasic, clientSecretPost, clientSecretJwt, privateKeyJwt]

/** A request of one of these names its client and brings nothing else that tells them apart: the client's registration does. */
const naming: readonly ClientAuthMethod[] = [tlsClientAuth, selfSignedTlsClientAuth]

const all: readonly ClientAuthMethod[] = [...proving, ...naming, none]

/** Every one that there is. */
export const authMethods: readonly string[] = all.map((one) => one.name)

/** As discovery lists them. */
export function clientAuthMethods(ctx: Pick<Context, 'mtls' | 'configuration'>): readonly string[] {
  return all
    .filter((one) => one.isOffered?.(ctx) !== false && !isSwitchedOff(ctx, 'token_endpoint_auth_methods', one.name))
    .map((one) => one.name)
}

/**
 * The client of a request, by the one method that the request uses.
 * @throws OAuthError `invalid_client`; `invalid_request` for two methods at once, or for a `client_id` that is another's
 * @spec RFC 6749 §2.3
 * @spec RFC 6749 §3.2.1
 */
export async function authenticateClient(ctx: Context, request: EndpointRequest): Promise<Client> {
  const { method, presented } = findMethod(ctx, request)
  const stated = request.parameters.get('client_id')
  if (stated !== undefined && stated !== presented.client_id)
    throw new OAuthError('invalid_request', 'client_id is not the client that authenticates')
  if (isSwitchedOff(ctx, 'token_endpoint_auth_methods', method.name))
    throw switchedOff('invalid_client', 'token_endpoint_auth_methods', method.name)
  const client = ctx.configuration.client(presented.client_id)
  const proved = await presented.prove(ctx, client)
  if (client === undefined || !proved || !method.serves.includes(client.token_endpoint_auth_method))
    throw invalidClient(client, method)
  return client
}

/** The client that a request says it comes from, before anything is proved: good for deciding who may read the answer. */
export function presentedClient(ctx: Context, request: EndpointRequest): Client | undefined {
  try {
    return ctx.configuration.client(findMethod(ctx, request).presented.client_id)
  } catch {
    return undefined
  }
}

function findMethod(ctx: Context, request: EndpointRequest): { method: ClientAuthMethod; presented: Presented } {
  const found = proving.flatMap((method) => {
    const presented = method.find(request)
    return presented === undefined ? [] : [{ method, presented }]
  })
  if (found.length > 1)
    throw new OAuthError('invalid_request', 'The client authenticates by more than one method: use one')
  const [only] = found
  if (only !== undefined) return only
  const stated = none.find(request)
  if (stated === undefined) throw new OAuthError('invalid_client', 'The client did not say who it is')
  const registered = ctx.configuration.client(stated.client_id)?.token_endpoint_auth_method
  const method = naming.find((one) => one.name === registered) ?? none
  return { method, presented: method.find(request) ?? stated }
}

function invalidClient(client: Client | undefined, method: ClientAuthMethod): OAuthError {
  // Told the same whether the client is unknown or the proof is wrong: the log has the difference.
  const registered = client?.token_endpoint_auth_method
  return new OAuthError('invalid_client', 'Client authentication failed', {
    explanation:
      client === undefined
        ? { summary: 'No client has this client_id.', fix: 'Copy the client_id from the application.' }
        : {
            summary: method.serves.includes(registered ?? '')
              ? `The proof of ${client.name} is wrong.`
              : `${client.name} is registered with ${registered} and sent ${method.name}.`,
            fix: 'Send the credentials of the registered method, or register the other one.',
            setting: 'clients[].token_endpoint_auth_method',
          },
  })
}
