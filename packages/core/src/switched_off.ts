/** Owns what a tenant has switched off: grants, response types and modes, client authentication. Neither served nor announced. */
import { OAuthError } from '@latchkey/oauth'
import type { Client, TenantSettings } from '@latchkey/store'
import type { Context } from './context.ts'

type Kind = 'grant_types' | 'response_types' | 'response_modes' | 'token_endpoint_auth_methods'
type Configured = Pick<Context, 'configuration'>

const settingOf = {
  grant_types: 'disabled_grant_types',
  response_types: 'disabled_response_types',
  response_modes: 'disabled_response_modes',
  token_endpoint_auth_methods: 'disabled_token_endpoint_auth_methods',
} as const satisfies Record<Kind, keyof TenantSettings>

/** True for a word of one of the lists in discovery that the tenant does not want. */
export function isSwitchedOff({ configuration }: Configured, kind: Kind, word: string): boolean {
  return configuration.settings[settingOf[kind]]?.includes(word) === true
}

/** The client as it is served: without the grants that nobody may use here. */
export function servedClient({ disabled_grant_types: off }: TenantSettings, client: Client): Client {
  if (off === undefined || !client.grant_types.some((type) => off.includes(type))) return client
  return { ...client, grant_types: client.grant_types.filter((type) => !off.includes(type)) }
}

/** A refusal of something that works elsewhere, and here in another tenant or at another time. */
export function switchedOff(
  code: 'unsupported_grant_type' | 'unsupported_response_type' | 'invalid_request' | 'invalid_client',
  kind: Kind,
  word: string,
): OAuthError {
  const what = words[kind]
  return new OAuthError(code, `The ${what} ${word} is switched off`, {
    explanation: {
      summary: `The tenant has switched off the ${what} ${word} for all of its applications.`,
      fix: `Use another one that discovery lists, or take it out of ${settingOf[kind]}.`,
      setting: `tenant.${settingOf[kind]}`,
    },
  })
}

const words: Readonly<Record<Kind, string>> = {
  grant_types: 'grant type',
  response_types: 'response type',
  response_modes: 'response mode',
  token_endpoint_auth_methods: 'client authentication method',
}
