/** Owns what a client may say of itself: registration metadata, read into the client that an administrator would have configured. */
import { isDeepStrictEqual } from 'node:util'
import { type Context, clientAuthMethods, findResponseType, isOfferedType, offeredGrantTypes } from '@latchkey/core'
import { isLoopbackUri, OAuthError, originOf, parseUri } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { ClientRecord, type Given, judgeClient } from '../tenant_file/records/clients.ts'
import type { Entry } from '../tenant_file/records/record.ts'
import { checkShape } from '../tenant_file/schema_problems.ts'
import { checkBounds } from './bounds.ts'

export type Metadata = Readonly<Record<string, unknown>>

/** Metadata that is a field of a client by the same name. What is not listed here, no client can set for itself. */
const fields: readonly string[] = [
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'jwks',
  'jwks_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'initiate_login_uri',
  'subject_type',
  'sector_identifier_uri',
  'id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc',
  'introspection_signed_response_alg',
  'introspection_encrypted_response_alg',
  'introspection_encrypted_response_enc',
  'authorization_encrypted_response_alg',
  'authorization_encrypted_response_enc',
  'userinfo_signed_response_alg',
  'userinfo_encrypted_response_alg',
  'userinfo_encrypted_response_enc',
  'request_uris',
  'request_object_signing_alg',
  'request_object_encryption_alg',
  'request_object_encryption_enc',
  'require_signed_request_object',
  'require_pushed_authorization_requests',
  'default_max_age',
  'require_auth_time',
  'default_acr_values',
  'post_logout_redirect_uris',
  'frontchannel_logout_uri',
  'frontchannel_logout_session_required',
  'backchannel_logout_uri',
  'backchannel_logout_session_required',
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
  'tls_client_certificate_bound_access_tokens',
  'dpop_bound_access_tokens',
  'authorization_signed_response_alg',
  'authorization_details_types',
]

/** Metadata that is kept and told again, and changes nothing. */
const told: readonly string[] = ['client_uri', 'contacts', 'scope', 'software_id', 'software_version']

const grants: readonly string[] = [
  'authorization_code',
  'implicit',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
]

export interface Registrant {
  readonly client_id: string
  readonly by: 'itself' | 'document'
  /** Seconds since 1970. */
  readonly issued_at: number
}

/** The tenant that a client registers with. */
type Home = Pick<Context, 'configuration' | 'mtls'>

/**
 * @returns the client, which carries its metadata with every default filled in
 * @throws OAuthError `invalid_redirect_uri` or `invalid_client_metadata`, which say what to change
 * @spec RFC 7591 §2
 * @spec OpenID Connect Registration §2
 */
export function readMetadata(home: Home, given: unknown, registrant: Registrant, before?: Client): Client {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new OAuthError('invalid_client_metadata', 'The metadata must be a JSON object')
  const metadata = withDefaults(home, given as Metadata)
  checkBounds(metadata)
  const { by, issued_at, client_id } = registrant
  return {
    ...clientOf(metadata, client_id),
    ...(before === undefined ? {} : setByOthers(before)),
    registration: { by, issued_at, metadata },
  }
}

function clientOf(metadata: Metadata, client_id: string): Client {
  const { value, faults } = checkShape(ClientRecord, candidate(metadata, client_id))
  const [fault] = faults
  if (fault !== undefined) throw problem(fault.path, fault.sentence)
  const client = judgeClient(strictEntry(value as Given), client_id, undefined)
  return { ...client, response_types: texts(metadata, 'response_types') ?? [] }
}

/** What an administrator has changed is not the client's to change back: all that does not follow from what the client said. */
function setByOthers({ registration, ...before }: Client): Partial<Client> {
  const said: Readonly<Record<string, unknown>> = { ...clientOf(registration?.metadata ?? {}, before.client_id) }
  return Object.fromEntries(Object.entries(before).filter(([name, value]) => !isDeepStrictEqual(value, said[name])))
}

/** @spec OpenID Connect Registration §2 */
function withDefaults(home: Home, given: Metadata): Metadata {
  const response_types = texts(given, 'response_types') ?? ['code']
  for (const type of response_types) {
    const parts = findResponseType(type)
    if (parts === undefined || !isOfferedType(home, parts))
      throw problem(['response_types'], `${type.slice(0, 100)} is not supported: see response_types_supported.`)
  }
  const front = response_types.some((type) => /\b(token|id_token)\b/.test(type))
  const asked = texts(given, 'grant_types')
  if (asked !== undefined && front && !asked.includes('implicit'))
    throw problem(['grant_types'], 'The response types need the grant type implicit: add it.')
  const usual = ['authorization_code', ...(front ? ['implicit'] : [])]
  const known = Object.fromEntries(
    [...fields, ...told]
      .filter((name) => isKept(name) && (given[name] ?? undefined) !== undefined)
      .map((name) => [name, given[name]]),
  )
  const token_endpoint_auth_method = given.token_endpoint_auth_method ?? 'client_secret_basic'
  // A client that could never prove itself is refused now, not at its first request.
  if (!clientAuthMethods(home).some((method) => method === token_endpoint_auth_method))
    throw problem(['token_endpoint_auth_method'], 'This must be one of token_endpoint_auth_methods_supported.')
  if (home.mtls === undefined && given.tls_client_certificate_bound_access_tokens === true)
    throw problem(['tls_client_certificate_bound_access_tokens'], 'No connection to this server brings a certificate.')
  const offered = offeredGrantTypes(home)
  return {
    token_endpoint_auth_method,
    id_token_signed_response_alg: given.id_token_signed_response_alg ?? 'RS256',
    ...known,
    application_type: given.application_type ?? 'web',
    ...((given.client_name ?? undefined) === undefined ? {} : { client_name: given.client_name }),
    redirect_uris: texts(given, 'redirect_uris') ?? [],
    response_types,
    grant_types: (asked ?? usual).filter((type) => grants.includes(type) && offered.includes(type)),
  }
}

/** A field that this server does not know is neither stored nor told. */
function isKept(name: string): boolean {
  return told.includes(name) || Object.hasOwn(ClientRecord.properties, name)
}

function texts(given: Metadata, name: string): readonly string[] | undefined {
  const value = given[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || !value.every((one): one is string => typeof one === 'string' && one !== ''))
    throw problem([name], 'This must be a list of texts.')
  return [...new Set(value)]
}

/** As a tenant file would have it. */
function candidate(metadata: Metadata, client_id: string): Metadata {
  const redirect_uris = texts(metadata, 'redirect_uris') ?? []
  const { client_name, application_type, token_endpoint_auth_method } = metadata
  if (application_type !== 'web' && application_type !== 'native')
    throw problem(['application_type'], 'This must be web or native.')
  if (redirect_uris.length === 0) throw problem(['redirect_uris'], 'List at least one.')
  const own = Object.fromEntries(fields.filter((name) => Object.hasOwn(metadata, name)).map((n) => [n, metadata[n]]))
  return {
    ...own,
    client_id: /^[\w.~-]{1,128}$/.test(client_id) ? client_id : undefined,
    name: client_name ?? hostOf(redirect_uris[0]) ?? 'An application',
    callbacks: redirect_uris,
    is_first_party: false,
    grant_types: metadata.grant_types,
    app_type: appType(redirect_uris, application_type === 'native', token_endpoint_auth_method === 'none'),
    jwt_configuration: { alg: metadata.id_token_signed_response_alg },
    id_token_profile_claims: 'standard',
  }
}

/** An application on the person's own machine is native even where it does not say so: its port is another each time. */
function appType(redirect_uris: readonly string[], says_native: boolean, is_public: boolean): string {
  const isLocal = redirect_uris.some((uri) => isLoopbackUri(uri) || originOf(uri) === undefined)
  if (says_native || (is_public && isLocal)) return 'native'
  return is_public ? 'spa' : 'regular_web'
}

function hostOf(uri: string | undefined): string | undefined {
  const host = uri === undefined ? undefined : parseUri(uri)?.host
  return host === '' ? undefined : host
}

/** A problem ends it; of what an administrator is only warned about, a stranger's redirect URIs get no leave. */
function strictEntry(value: Given): Entry<Given> {
  return {
    value,
    problem(path, sentence) {
      throw problem(path, sentence)
    },
    warning(path, sentence) {
      if (path[0] === 'callbacks') throw problem(path, sentence)
    },
    ignored: () => undefined,
  }
}

const wireNames: Readonly<Record<string, string>> = {
  callbacks: 'redirect_uris',
  name: 'client_name',
  jwt_configuration: 'id_token_signed_response_alg',
}

function problem(path: readonly (string | number)[], sentence: string): OAuthError {
  const [first = ''] = path
  const name = wireNames[first] ?? String(first)
  const code = name === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return new OAuthError(code, `${name}: ${sentence}`)
}
