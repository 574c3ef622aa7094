/** Owns the list of grants at the token endpoint. */
import type { Context } from '../context.ts'
import type { Grant } from '../grant.ts'
import { isSwitchedOff } from '../switched_off.ts'
import { authorizationCode } from './authorization_code.ts'
import { clientCredentials } from './client_credentials.ts'
import { deviceCode } from './device_code.ts'
import { jwtBearer } from './jwt_bearer.ts'
import { password, passwordRealm } from './password.ts'
import { refreshToken } from './refresh_token.ts'
import { tokenExchange } from './token_exchange.ts'

const list: readonly Grant[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
  tokenExchange,
  jwtBearer,
  password,
  passwordRealm,
  deviceCode,
]

/** Every one that there is. */
export const grantTypes: readonly string[] = list.map((grant) => grant.type)

/** As discovery lists them: those of the token endpoint, and `implicit`, which has no request there. */
export function offeredGrantTypes(ctx: Pick<Context, 'configuration'>): readonly string[] {
  const has = (type: string) => ctx.configuration.clients.some(({ grant_types }) => grant_types.includes(type))
  const here = list.filter(({ type, where_listed }) => where_listed !== true || has(type)).map(({ type }) => type)
  return ['implicit', ...here].filter((type) => !isSwitchedOff(ctx, 'grant_types', type))
}

export function findGrant(type: string): Grant | undefined {
  return list.find((grant) => grant.type === type)
}
