/** Owns the APIs (resource servers) of a tenant file. */
import { isScopeText, reservedScopes } from '@latchkey/oauth'
import type { ResourceServer } from '@latchkey/store'
import { type Static, Type } from 'typebox'
import { merged } from '../change.ts'
import { nameOnce, put } from '../draft.ts'
import { newResourceServerId } from '../ids.ts'
import { DetailsType, DisplayName } from './fields.ts'
import { defineRecord, type Entry } from './record.ts'

const maxTokenLifetime = 2_592_000

const ResourceServerRecord = Type.Object({
  identifier: Type.String({
    pattern: '^[\\u0021-\\u007e]{1,600}$',
    must_be: '1 to 600 printable ASCII characters without spaces, best a URL',
  }),
  name: Type.Optional(DisplayName),
  scopes: Type.Optional(
    Type.Array(
      Type.Object({
        value: Type.String({ minLength: 1, maxLength: 280 }),
        description: Type.Optional(Type.String({ maxLength: 500 })),
      }),
      { maxItems: 1000 },
    ),
  ),
  signing_alg: Type.Optional(Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'])),
  signing_secret: Type.Optional(Type.String({ minLength: 32, maxLength: 512 })),
  token_lifetime: Type.Optional(Type.Integer({ minimum: 1, maximum: maxTokenLifetime })),
  token_lifetime_for_web: Type.Optional(Type.Integer({ minimum: 1, maximum: maxTokenLifetime })),
  skip_consent_for_verifiable_first_party_clients: Type.Optional(Type.Boolean()),
  allow_offline_access: Type.Optional(Type.Boolean()),
  token_dialect: Type.Optional(
    Type.Enum(['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz']),
  ),
  authorization_details: Type.Optional(Type.Array(Type.Object({ type: DetailsType }), { maxItems: 100 })),
  enforce_policies: Type.Optional(Type.Boolean()),
  is_system: Type.Optional(Type.Boolean()),
})

type Given = Static<typeof ResourceServerRecord>

export const resourceServers = defineRecord({
  key: 'resourceServers',
  schema: ResourceServerRecord,
  names: ['identifier'],
  plan(entry, draft) {
    const { enforce_policies, is_system, ...given } = entry.value
    // The Management API belongs to the server, not to the file.
    if (is_system === true) return entry.ignored([])
    if (!nameOnce(draft, 'resource server', given.identifier))
      return entry.problem(['identifier'], `The file has two APIs with the identifier ${given.identifier}: merge them.`)
    if (enforce_policies === true)
      entry.warning(
        ['enforce_policies'],
        'Roles are not supported yet: every user may be granted every scope of this API.',
      )
    const before = draft.resource_servers.get(given.identifier)
    const base = before ?? defaults(given, newResourceServerId(draft.random))
    const after = withSecret(withWebLifetime(merged<ResourceServer>(base, given), given, base), draft.random)
    check(entry, after, before)
    draft.resource_servers.set(after.identifier, after)
    put(draft, {
      ...{ kind: 'resource server', name: after.name, id: after.identifier, before, after },
      hidden: ['signing_secret'],
      write: ({ configuration }, now) => configuration.saveResourceServer(after, now),
    })
  },
})

function defaults({ identifier }: Given, id: string): ResourceServer {
  return {
    id,
    identifier,
    name: identifier,
    scopes: [],
    signing_alg: 'RS256',
    token_lifetime: 86_400,
    token_lifetime_for_web: 7200,
    skip_consent_for_verifiable_first_party_clients: true,
    allow_offline_access: false,
    token_dialect: 'access_token',
  }
}

/** What the file does not say follows what it says: a short lifetime shortens that of browsers too. */
function withWebLifetime(api: ResourceServer, given: Given, base: ResourceServer): ResourceServer {
  if (given.token_lifetime_for_web !== undefined) return api
  return { ...api, token_lifetime_for_web: Math.min(base.token_lifetime_for_web, api.token_lifetime) }
}

/** An HS256 API has a secret; any other has none. */
function withSecret({ signing_secret, ...api }: ResourceServer, random: (bytes: number) => string): ResourceServer {
  if (api.signing_alg !== 'HS256') return api
  return { ...api, signing_secret: signing_secret ?? random(48) }
}

function check(entry: Entry<Given>, api: ResourceServer, before: ResourceServer | undefined): void {
  const { signing_secret, token_lifetime_for_web, token_dialect } = entry.value
  if (signing_secret !== undefined && api.signing_alg !== 'HS256')
    entry.problem(['signing_secret'], 'Only an HS256 API has a signing secret: remove it, or set signing_alg to HS256.')
  if (token_lifetime_for_web !== undefined && token_lifetime_for_web > api.token_lifetime)
    entry.problem(
      ['token_lifetime_for_web'],
      `This must not exceed token_lifetime, which is ${api.token_lifetime}: lower it, or raise token_lifetime.`,
    )
  if (token_dialect?.endsWith('_authz') === true)
    entry.warning(['token_dialect'], 'Tokens do not carry permissions yet.')
  if (before !== undefined && before.signing_alg !== api.signing_alg)
    entry.warning(
      ['signing_alg'],
      'Tokens are signed in another way from now on: the API must accept both for a while.',
    )
  checkScopes(entry)
}

/** @spec RFC 6749 §3.3 */
function checkScopes(entry: Entry<Given>): void {
  const seen = new Set<string>()
  for (const [index, { value }] of (entry.value.scopes ?? []).entries()) {
    const path = ['scopes', index, 'value']
    if (reservedScopes.includes(value))
      entry.problem(path, `${value} is a scope of OpenID Connect, which no API may define: choose another name.`)
    else if (!isScopeText(value) || value.includes(' '))
      entry.problem(path, 'A scope is printable ASCII without spaces, quotes and backslashes, such as read:messages.')
    else if (seen.has(value)) entry.problem(path, `The scope ${value} is listed twice: remove one.`)
    seen.add(value)
  }
}
