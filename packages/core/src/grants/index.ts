/** Owns the list of grants at the token endpoint. */
import type { Grant } from '../grant.ts'
import { authorizationCode } from './authorization_code.ts'
import { clientCredentials } from './client_credentials.ts'
import { refreshToken } from './refresh_token.ts'
import { tokenExchange } from './token_exchange.ts'

const list: readonly Grant[] = [authorizationCode, refreshToken, clientCredentials, tokenExchange]

/** As discovery lists them. */
export const grantTypes: readonly string[] = list.map((grant) => grant.type)

export function findGrant(type: string): Grant | undefined {
  return list.find((grant) => grant.type === type)
}
