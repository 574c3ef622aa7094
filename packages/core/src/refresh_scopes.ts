/** Owns which scopes that ask for a refresh token can be granted. */
import type { Client } from '@latchkey/store'
import type { Audience } from './authorization.ts'
import { apisOf } from './resources.ts'

/**
 * Which of the scopes that ask for a refresh token can be granted to a client that may refresh: `offline_access` at an API that allows
 * it, with a code to exchange; `online_access` where there is a session for the refresh token to end with.
 * @spec OpenID Connect Core §11
 */
export function refreshScopes(
  client: Client,
  audience: Audience,
  response_type: readonly string[],
): { readonly offline_access: boolean; readonly online_access: boolean } {
  const refreshes = client.grant_types.includes('refresh_token')
  const hasCode = response_type.includes('code') || response_type.includes('device_code')
  return {
    offline_access: refreshes && hasCode && apisOf(audience).every((api) => api.allow_offline_access),
    online_access: refreshes && response_type.includes('code'),
  }
}
