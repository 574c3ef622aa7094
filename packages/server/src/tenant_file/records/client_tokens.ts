/** Owns what a tenant file says of the tokens of a client: whom they name, which it may look into, and which it may exchange. */
import { sectorHosts } from '@latchkey/core'
import type { Client } from '@latchkey/store'
import { Type } from 'typebox'
import { entryVerdict } from '../urls.ts'
import { report, Url } from './fields.ts'
import type { Entry } from './record.ts'

export const TokenFields = {
  resource_server_identifier: Type.Optional(Type.String({ minLength: 1, maxLength: 600 })),
  subject_type: Type.Optional(Type.Enum(['public', 'pairwise'])),
  sector_identifier_uri: Type.Optional(Url),
  is_token_endpoint_ip_header_trusted: Type.Optional(Type.Boolean()),
  token_exchange: Type.Optional(
    Type.Object({
      allowed: Type.Optional(Type.Array(Type.Enum(['impersonation', 'delegation']), { maxItems: 2 })),
      audiences: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 600 }), { maxItems: 100 })),
      subject_clients: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 100 })),
      scope: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 280 }), { maxItems: 100 })),
    }),
  ),
}

interface Given {
  readonly sector_identifier_uri?: string
}

/** @spec OpenID Connect Core §8.1 */
export function checkTokens(entry: Entry<Given>, client: Client): void {
  const { sector_identifier_uri } = entry.value
  if (sector_identifier_uri !== undefined) report(entry, ['sector_identifier_uri'], entryVerdict(sector_identifier_uri))
  if (client.token_exchange !== undefined && client.token_endpoint_auth_method === 'none')
    entry.problem(['token_exchange'], 'A public client cannot exchange tokens: set token_endpoint_auth_method.')
  if (!client.is_first_party && client.grant_types.some((type) => /\bpassword(-realm)?$/.test(type)))
    entry.problem(['grant_types'], 'A third-party client may not ask for passwords: remove the password grants.')
  const isOpen = client.subject_type === 'pairwise' && client.sector_identifier_uri === undefined
  if (isOpen && sectorHosts(client.callbacks).length > 1)
    entry.problem(
      ['subject_type'],
      'The redirect URIs have several hosts, so say with sector_identifier_uri to which one the pairwise subjects belong.',
    )
}
