/** Owns the discovery document. Everything in it is computed from the lists and the configuration: it says what is on. */
import { dpopAlgorithms, reservedScopes, scopeClaims } from '@latchkey/oauth'
import { acrValues } from './acr.ts'
import { typesOf } from './authorization_details.ts'
import { clientAuthMethods } from './client_auth/index.ts'
import { clientSigningAlgs } from './client_jwt.ts'
import type { Context } from './context.ts'
import { deviceCodeGrant } from './device/grant_type.ts'
import { offeredGrantTypes } from './grants/index.ts'
import { prompts } from './prompts.ts'
import { offeredResponseModes } from './response_modes/index.ts'
import { offeredResponseTypes } from './response_types/index.ts'
import { subjectTypes } from './subjects.ts'
import { algorithms, decryptionAlgs } from './tokens/algorithms.ts'
import { encryptionAlgs, encryptionEncs } from './tokens/encryption.ts'
import { type Purpose, signingAlgOf } from './tokens/for_client.ts'

/**
 * @spec OpenID Connect Discovery §3
 * @spec RFC 8414 §2
 */
export function discovery(ctx: Context, locales: readonly string[]): Record<string, unknown> {
  const at = (path: string) => `${ctx.issuer}${path}`
  const grant_types = offeredGrantTypes(ctx)
  const refreshes = grant_types.includes('refresh_token')
  return withCertificates(ctx, {
    issuer: ctx.issuer,
    authorization_endpoint: at('authorize'),
    token_endpoint: at('oauth/token'),
    ...(isRegistrationOpen(ctx) ? { registration_endpoint: at('oidc/register') } : {}),
    userinfo_endpoint: at('userinfo'),
    ...tokenStatus(ctx),
    jwks_uri: at('.well-known/jwks.json'),
    ...(grant_types.includes(deviceCodeGrant) ? { device_authorization_endpoint: at('oauth/device/code') } : {}),
    end_session_endpoint: at('oidc/logout'),
    check_session_iframe: at('oidc/check_session'),
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    scopes_supported: reservedScopes.filter((scope) => refreshes || !scope.endsWith('line_access')),
    response_types_supported: offeredResponseTypes(ctx),
    response_modes_supported: offeredResponseModes(ctx).map((mode) => mode.name),
    grant_types_supported: grant_types,
    token_endpoint_auth_methods_supported: clientAuthMethods(ctx),
    ...assertionAlgs(ctx, 'token'),
    dpop_signing_alg_values_supported: dpopAlgorithms,
    ...(grant_types.includes('authorization_code') ? { code_challenge_methods_supported: challengeMethods(ctx) } : {}),
    subject_types_supported: subjectTypes,
    ...signing(ctx),
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'nonce',
      'auth_time',
      'acr',
      'amr',
      'at_hash',
      'c_hash',
      'sid',
      ...Object.values(scopeClaims).flat(),
    ],
    prompt_values_supported: prompts,
    ui_locales_supported: locales,
    ...richRequests(ctx),
    acr_values_supported: acrValues,
    display_values_supported: ['page', 'popup'],
    claim_types_supported: ['normal'],
    claims_parameter_supported: true,
    request_parameter_supported: true,
    request_uri_parameter_supported: true,
    require_request_uri_registration: true,
    request_object_signing_alg_values_supported: ['none', ...clientSigningAlgs],
    request_object_encryption_alg_values_supported: [...decryptionAlgs.keys()],
    request_object_encryption_enc_values_supported: encryptionEncs,
    require_signed_request_object: false,
    pushed_authorization_request_endpoint: at('oauth/par'),
    require_pushed_authorization_requests: false,
    authorization_response_iss_parameter_supported: true,
    ...(ctx.configuration.settings.client_id_metadata_documents?.enabled === true
      ? { client_id_metadata_document_supported: true }
      : {}),
  })
}

function isRegistrationOpen({ configuration }: Context): boolean {
  return configuration.settings.flags?.enable_dynamic_client_registration === true
}

/** `plain` is for old clients, and told where there is one. */
function challengeMethods({ configuration }: Context): readonly string[] {
  return configuration.clients.some((client) => client.allow_plain_pkce === true) ? ['S256', 'plain'] : ['S256']
}

/** What is signed and encrypted for clients. */
function signing(ctx: Context): Record<string, unknown> {
  const signs = offeredResponseModes(ctx).some((mode) => mode.wraps !== undefined)
  const purposes: readonly Purpose[] = ['id_token', 'userinfo', ...(signs ? (['authorization'] as const) : [])]
  return Object.fromEntries(purposes.flatMap((purpose) => signingOf(ctx, purpose)))
}

function signingOf(ctx: Context, purpose: Purpose): readonly (readonly [string, unknown])[] {
  return [
    [`${purpose}_signing_alg_values_supported`, signingAlgs(ctx, purpose)],
    [`${purpose}_encryption_alg_values_supported`, encryptionAlgs],
    [`${purpose}_encryption_enc_values_supported`, encryptionEncs],
  ]
}

/** The tenant's keys are made for what its clients ask for; where clients register themselves, they may ask for every algorithm. */
function signingAlgs(ctx: Context, purpose: Purpose): readonly string[] {
  const { keys, configuration } = ctx
  const registered = isRegistrationOpen(ctx) ? [...algorithms.keys()].filter((alg) => alg !== 'HS256') : []
  // HS256 needs no key of ours.
  const isShared =
    configuration.clients.some((client) => signingAlgOf(client, purpose) === 'HS256') ||
    (isRegistrationOpen(ctx) && purpose !== 'authorization')
  return [...new Set([...keys.algorithms, ...registered, ...(isShared ? ['HS256'] : [])])]
}

/** What assertions may be signed with, where one of the methods that send them is on. @spec RFC 8414 §2 */
function assertionAlgs(ctx: Context, endpoint: 'token' | 'introspection' | 'revocation'): Record<string, unknown> {
  const methods = clientAuthMethods(ctx)
  const algs = clientSigningAlgs.filter((alg) =>
    methods.includes(alg === 'HS256' ? 'client_secret_jwt' : 'private_key_jwt'),
  )
  return algs.length === 0 ? {} : { [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: algs }
}

/** @spec RFC 7662 §2 @spec RFC 7009 §2 @spec RFC 9701 §7 */
function tokenStatus(ctx: Context): Record<string, unknown> {
  const methods = clientAuthMethods(ctx)
  return {
    introspection_endpoint: `${ctx.issuer}oauth/introspect`,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    ...assertionAlgs(ctx, 'introspection'),
    ...Object.fromEntries(signingOf(ctx, 'introspection')),
    revocation_endpoint: `${ctx.issuer}oauth/revoke`,
    revocation_endpoint_auth_methods_supported: methods,
    ...assertionAlgs(ctx, 'revocation'),
  }
}

/** The endpoints that clients call themselves. */
const calledByClients = [
  'token',
  'userinfo',
  'introspection',
  'revocation',
  'device_authorization',
  'pushed_authorization_request',
]

/**
 * Clients with a certificate call another address where browsers would be asked for one too.
 * @spec RFC 8705 §3.3
 * @spec RFC 8705 §5
 */
function withCertificates({ mtls, issuer }: Context, document: Record<string, unknown>): Record<string, unknown> {
  if (mtls === undefined) return document
  const { url } = mtls
  const told = { ...document, tls_client_certificate_bound_access_tokens: true }
  if (url === undefined) return told
  const names = calledByClients.map((name) => `${name}_endpoint`)
  const aliases = names.flatMap((name) => {
    const address = document[name]
    return typeof address === 'string' ? [[name, `${url}${address.slice(issuer.length)}`]] : []
  })
  return { ...told, mtls_endpoint_aliases: Object.fromEntries(aliases) }
}

/** @spec RFC 9396 §10 */
function richRequests({ configuration }: Context): Record<string, unknown> {
  const types = new Set(configuration.resourceServers.flatMap(typesOf))
  return types.size === 0 ? {} : { authorization_details_types_supported: [...types] }
}
