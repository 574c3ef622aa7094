/** Owns the list of client authentication methods, and finding out which client sent a request. */
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import type { ClientAuthMethod, EndpointRequest, Presented } from './client_auth.ts'
import { clientSecretBasic } from './client_secret_basic.ts'
import { clientSecretPost } from './client_secret_post.ts'
import { none } from './none.ts'

export type { EndpointRequest } from './client_auth.ts'

const proving: readonly ClientAuthMethod[] = [clientSecretBasic, clientSecretPost]

/** As discovery lists them. */
export const clientAuthMethods: readonly string[] = [...proving.map((method) => method.name), none.name]

/**
 * The client of a request, by the one method that the request uses.
 * @throws OAuthError `invalid_client`; `invalid_request` for two methods at once, or for a `client_id` that is another's
 * @spec RFC 6749 §2.3
 * @spec RFC 6749 §3.2.1
 */
export async function authenticateClient(ctx: Context, request: EndpointRequest): Promise<Client> {
  const { method, presented } = findMethod(request)
  const stated = request.parameters.get('client_id')
  if (stated !== undefined && stated !== presented.client_id)
    throw new OAuthError('invalid_request', 'client_id is not the client that authenticates')
  const client = ctx.configuration.client(presented.client_id)
  const proved = await presented.prove(ctx, client)
  if (client === undefined || !proved || !method.serves.includes(client.token_endpoint_auth_method))
    throw invalidClient(client, method)
  return client
}

/** The client that a request says it comes from, before anything is proved: good for deciding who may read the answer. */
export function presentedClient(ctx: Context, request: EndpointRequest): Client | undefined {
  try {
    return ctx.configuration.client(findMethod(request).presented.client_id)
  } catch {
    return undefined
  }
}

function findMethod(request: EndpointRequest): { method: ClientAuthMethod; presented: Presented } {
  const found = proving.flatMap((method) => {
    const presented = method.find(request)
    return presented === undefined ? [] : [{ method, presented }]
  })
  if (found.length > 1)
    throw new OAuthError('invalid_request', 'The client authenticates by more than one method: use one')
  const [only] = found
  if (only !== undefined) return only
  const presented = none.find(request)
  if (presented === undefined) throw new OAuthError('invalid_client', 'The client did not say who it is')
  return { method: none, presented }
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
