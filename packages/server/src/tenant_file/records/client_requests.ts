/** Owns what a client's settings add to its authorization requests and to their answers. */
import { acrValues } from '@latchkey/core'
import { Type } from 'typebox'
import { DetailsType } from './fields.ts'
import type { Entry } from './record.ts'

/** Seconds: ten years. */
const longestAge = 315_576_000

export const RequestFields = {
  authorization_details_types: Type.Optional(Type.Array(DetailsType, { maxItems: 100 })),
  authorization_signed_response_alg: Type.Optional(Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA'])),
  default_max_age: Type.Optional(Type.Integer({ minimum: 0, maximum: longestAge })),
  require_auth_time: Type.Optional(Type.Boolean()),
  default_acr_values: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 20 })),
}

interface Given {
  readonly default_acr_values?: readonly string[]
}

/** @spec OpenID Connect Registration §2 */
export function checkRequests(entry: Entry<Given>): void {
  for (const [index, acr] of (entry.value.default_acr_values ?? []).entries())
    if (!acrValues.includes(acr))
      entry.warning(
        ['default_acr_values', index],
        `No sign-in here is of this class. There are: ${acrValues.join(', ')}`,
      )
}
