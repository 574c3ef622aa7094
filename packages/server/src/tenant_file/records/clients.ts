/** Owns the clients of a tenant file. */
import { grantTypes } from '@latchkey/core'
import { type Client, keepsSecret } from '@latchkey/store'
import { type Static, Type } from 'typebox'
import { merged } from '../change.ts'
import { type Draft, nameOnce, put } from '../draft.ts'
import { newClientId } from '../ids.ts'
import { callbackVerdict, entryVerdict, linkVerdict, logoutVerdict, originVerdict } from '../urls.ts'
import { checkLogout, LogoutFields } from './client_logout.ts'
import { checkProofs, ProofFields } from './client_proofs.ts'
import { checkRequests, RequestFields } from './client_requests.ts'
import { checkResponses, ResponseFields, withOneAlgorithm } from './client_responses.ts'
import { checkSenders, SenderFields } from './client_senders.ts'
import { checkTokens, TokenFields } from './client_tokens.ts'
import { DisplayName, report, reportAll, Url, UrlList } from './fields.ts'
import { defineRecord, type Entry } from './record.ts'

/** Seconds: a year. */
const maxRefreshLifetime = 31_557_600

export const ClientRecord = Type.Object({
  name: DisplayName,
  client_id: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._~-]{1,128}$',
      must_be: '1 to 128 letters, digits, ".", "_", "~" or "-"',
    }),
  ),
  client_secret: Type.Optional(Type.String({ maxLength: 512 })),
  description: Type.Optional(Type.String({ maxLength: 140 })),
  logo_uri: Type.Optional(Url),
  policy_uri: Type.Optional(Url),
  tos_uri: Type.Optional(Url),
  app_type: Type.Optional(Type.String()),
  is_first_party: Type.Optional(Type.Boolean()),
  oidc_conformant: Type.Optional(Type.Boolean()),
  callbacks: Type.Optional(UrlList),
  web_origins: Type.Optional(UrlList),
  allowed_origins: Type.Optional(UrlList),
  allowed_logout_urls: Type.Optional(UrlList),
  grant_types: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 50 })),
  token_endpoint_auth_method: Type.Optional(
    Type.Enum([
      ...['none', 'client_secret_post', 'client_secret_basic', 'client_secret_jwt', 'private_key_jwt'],
      ...['tls_client_auth', 'self_signed_tls_client_auth'],
    ]),
  ),
  jwt_configuration: Type.Optional(
    Type.Object({
      lifetime_in_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_592_000 })),
      alg: Type.Optional(Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'])),
    }),
  ),
  initiate_login_uri: Type.Optional(Url),
  ...LogoutFields,
  ...RequestFields,
  ...TokenFields,
  ...ResponseFields,
  ...ProofFields,
  ...SenderFields,
  refresh_token: Type.Optional(
    Type.Object({
      rotation_type: Type.Optional(Type.Enum(['rotating', 'non-rotating'])),
      expiration_type: Type.Optional(Type.Enum(['expiring', 'non-expiring'])),
      leeway: Type.Optional(Type.Integer({ minimum: 0, maximum: 600 })),
      token_lifetime: Type.Optional(Type.Integer({ minimum: 1, maximum: maxRefreshLifetime })),
      idle_token_lifetime: Type.Optional(Type.Integer({ minimum: 1, maximum: maxRefreshLifetime })),
      infinite_token_lifetime: Type.Optional(Type.Boolean()),
      infinite_idle_token_lifetime: Type.Optional(Type.Boolean()),
    }),
  ),
  require_pkce: Type.Optional(Type.Boolean()),
  allow_plain_pkce: Type.Optional(Type.Boolean()),
  client_metadata: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 255 }), { maxProperties: 10 })),
  id_token_profile_claims: Type.Optional(Type.Enum(['always', 'standard'])),
})

export type Given = Static<typeof ClientRecord>

export const clients = defineRecord({
  key: 'clients',
  schema: ClientRecord,
  names: ['name', 'client_id'],
  async plan(entry, draft) {
    const { client_secret, ...given } = withKnownValues(entry)
    if (!nameOnce(draft, 'client', given.name)) {
      entry.problem(['name'], `The file has two clients named ${given.name}: give each its own name, or merge them.`)
      return
    }
    const before = findClient(entry, draft)
    const client_id = before?.client_id ?? given.client_id ?? newClientId(draft.random)
    const after = judged(entry, given, client_id, before)
    const usesSecret = keepsSecret(after) || after.token_endpoint_auth_method.startsWith('client_secret_')
    const lacksSealed = keepsSecret(after) && (await draft.store.configuration.clientSecret(client_id)) === undefined
    if (client_secret === undefined && usesSecret && (before === undefined || lacksSealed))
      entry.warning([], missingSecret(before))
    draft.clients.set(client_id, after)
    const hasNewSecret =
      client_secret !== undefined &&
      (lacksSealed || !(await draft.store.configuration.hasClientSecret(client_id, client_secret)))
    put(draft, {
      ...{ kind: 'client', name: after.name, id: client_id, before, after },
      unseen: hasNewSecret ? ['client_secret'] : [],
      async write({ configuration }, now) {
        await configuration.saveClient(after, now)
        if (hasNewSecret) await configuration.saveClientSecret(client_id, client_secret, now)
      },
    })
  },
})

function missingSecret(before: Client | undefined): string {
  return before === undefined
    ? 'The client has no client_secret, so it cannot authenticate: add one of 32 characters or more.'
    : 'The client signs with its client_secret, of which only a hash is stored: give the client_secret once more.'
}

/**
 * A client as it would be with what is given; what is wrong with it is said to the entry.
 * @param before the client as it is, if there is one
 */
export function judgeClient(entry: Entry<Given>, client_id: string, before: Client | undefined): Client {
  const { client_secret: _, ...given } = withKnownValues(entry)
  return judged(entry, given, client_id, before)
}

function judged(
  entry: Entry<Given>,
  given: Omit<Given, 'client_secret'>,
  client_id: string,
  before: Client | undefined,
): Client {
  const base = before ?? { ...defaults(given), client_id, name: given.name }
  const after = merged<Client>(base, { ...given, client_id })
  checkUrls(entry, after)
  checkRules(entry, after, before)
  return after
}

const appTypes: readonly string[] = ['spa', 'native', 'regular_web', 'non_interactive']

/** The words of a masked export stand for nothing; an unknown type of application is treated as a web application. */
function withKnownValues(entry: Entry<Given>): Given {
  const { client_secret, app_type, web_origins, allowed_origins, ...given } = withOneAlgorithm(entry, entry.value)
  if (client_secret === '_VALUE_NOT_SHOWN_') entry.ignored(['client_secret'])
  else if (client_secret !== undefined && client_secret.length < 32)
    entry.problem(
      ['client_secret'],
      'A client secret needs 32 characters or more: make one with openssl rand -base64 48.',
    )
  const isKnown = app_type === undefined || appTypes.includes(app_type)
  if (!isKnown)
    entry.warning(['app_type'], `The type ${app_type} is not supported yet: the client is treated as regular_web.`)
  return {
    ...given,
    ...(client_secret === undefined || client_secret === '_VALUE_NOT_SHOWN_' ? {} : { client_secret }),
    ...(app_type === undefined ? {} : { app_type: isKnown ? app_type : 'regular_web' }),
    ...(web_origins === undefined ? {} : { web_origins: origins(entry, 'web_origins', web_origins) }),
    ...(allowed_origins === undefined ? {} : { allowed_origins: origins(entry, 'allowed_origins', allowed_origins) }),
  }
}

function origins(entry: Entry<Given>, field: string, urls: readonly string[]): string[] {
  const kept = urls.flatMap((url, index) => {
    const verdict = originVerdict(url)
    return report(entry, [field, index], verdict) && verdict.value !== undefined ? [verdict.value] : []
  })
  return [...new Set(kept)]
}

/** By its id where the file gives one, else by its name. */
function findClient(entry: Entry<Given>, draft: Draft): Client | undefined {
  const { name, client_id } = entry.value
  // A client that registered itself took what name it liked.
  const named = [...draft.clients.values()].filter((one) => one.name === name && one.registration === undefined)
  if (client_id === undefined) {
    if (named.length > 1)
      entry.problem(['name'], `The tenant has ${named.length} clients named ${name}: say which one with client_id.`)
    return named[0]
  }
  const other = named.find((one) => one.client_id !== client_id)
  if (other !== undefined)
    entry.problem(['client_id'], `The client ${name} has the id ${other.client_id}: give this id, or another name.`)
  return draft.clients.get(client_id)
}

/** @spec OpenID Connect Registration §2 */
function defaults({ app_type = 'regular_web', token_endpoint_auth_method }: Given): Omit<Client, 'client_id' | 'name'> {
  const isPublicType = app_type === 'spa' || app_type === 'native'
  const method = token_endpoint_auth_method ?? (isPublicType ? 'none' : 'client_secret_post')
  const interactive = isPublicType
    ? ['implicit', 'authorization_code', 'refresh_token']
    : ['authorization_code', 'refresh_token']
  return {
    app_type: app_type as Client['app_type'],
    is_first_party: true,
    oidc_conformant: true,
    callbacks: [],
    web_origins: [],
    allowed_origins: [],
    allowed_logout_urls: [],
    grant_types: [
      ...(app_type === 'non_interactive' ? [] : interactive),
      ...(method === 'none' ? [] : ['client_credentials']),
    ],
    token_endpoint_auth_method: method,
    jwt_configuration: { lifetime_in_seconds: 36_000, alg: 'RS256' },
    client_metadata: {},
    id_token_profile_claims: 'always',
  }
}

/** The whole record is judged, so that a change of one field is held against what the others already say. */
function checkUrls(entry: Entry<Given>, client: Client): void {
  const rules = { wildcards: client.is_first_party }
  reportAll(entry, 'callbacks', client.callbacks, (url) => callbackVerdict(url, rules))
  reportAll(entry, 'allowed_logout_urls', client.allowed_logout_urls, (url) => logoutVerdict(url, rules))
  for (const field of ['logo_uri', 'policy_uri', 'tos_uri'] as const) {
    const url = entry.value[field]
    if (url !== undefined) report(entry, [field], linkVerdict(url))
  }
  const { initiate_login_uri } = entry.value
  if (initiate_login_uri !== undefined) report(entry, ['initiate_login_uri'], entryVerdict(initiate_login_uri))
  checkLogout(entry, client)
  checkRequests(entry)
  checkTokens(entry, client)
  checkResponses(entry, client)
  checkProofs(entry, client)
  checkSenders(entry, client)
}

function checkRules(entry: Entry<Given>, client: Client, before: Client | undefined): void {
  const isPublic = client.token_endpoint_auth_method === 'none'
  if (isPublic && client.grant_types.includes('client_credentials'))
    entry.problem(
      ['grant_types'],
      'A client that does not authenticate cannot use client_credentials: remove it, or set token_endpoint_auth_method.',
    )
  if (isPublic && client.jwt_configuration.alg === 'HS256')
    entry.problem(['jwt_configuration', 'alg'], 'A public client has no secret to verify HS256 with: use RS256.')
  if (before !== undefined && before.is_first_party !== client.is_first_party)
    entry.problem(['is_first_party'], 'Whose application it is cannot be changed: make a new client.')
  if (entry.value.oidc_conformant === false)
    entry.warning(['oidc_conformant'], 'Every client is served in the OIDC-conformant way; false has no effect.')
  for (const [index, grant] of (entry.value.grant_types ?? []).entries()) {
    if (!knownGrants.has(grant)) entry.warning(['grant_types', index], `The grant type ${grant} is not supported yet.`)
  }
}

const knownGrants = new Set(['implicit', ...grantTypes])
