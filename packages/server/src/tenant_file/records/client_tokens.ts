/** Owns what a tenant file says of the tokens of a client: whose tokens it may look into. */
import { Type } from 'typebox'

export const TokenFields = {
  resource_server_identifier: Type.Optional(Type.String({ minLength: 1, maxLength: 600 })),
}
