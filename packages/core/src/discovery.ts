/** Owns the discovery document. Everything in it is computed from the lists and the configuration: it says what is on. */
import { dpopAlgorithms, reservedScopes, scopeClaims } from '@latchkey/oauth'
import { acrValues } from './acr.ts'
import { typesOf } from './authorization_details.ts'
import { clientAuthMethods } from './client_auth/index.ts'
import { clientSigningAlgs } from './client_jwt.ts'
import type { Context } from './context.ts'
import { offeredGrantTypes } from './grants/index.ts'
import { prompts } from './prompts.ts'
import { responseModes } from './response_modes/index.ts'
import { responseTypes } from './response_types/index.ts'
import { subjectTypes } from './subjects.ts'
import { decryptionAlgs } from './tokens/algorithms.ts'
import { encryptionAlgs, encryptionEncs } from './tokens/encryption.ts'
import { signingAlgOf } from './tokens/for_client.ts'

/**
 * @spec OpenID Connect Discovery §3
 * @spec RFC 8414 §2
 */
export function discovery(ctx: Context, locales: readonly string[]): Record<string, unknown> {
  const at = (path: string) => `${ctx.issuer}${path}`
  return withCertificates(ctx, {
    issuer: ctx.issuer,
    authorization_endpoint: at('authorize'),
    token_endpoint: at('oauth/token'),
    ...(ctx.configuration.settings.flags?.enable_dynamic_client_registration === true
      ? { registration_endpoint: at('oidc/register') }
      : {}),
    userinfo_endpoint: at('userinfo'),
    ...tokenStatus(ctx),
    jwks_uri: at('.well-known/jwks.json'),
    device_authorization_endpoint: at('oauth/device/code'),
    end_session_endpoint: at('oidc/logout'),
    check_session_iframe: at('oidc/check_session'),
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    scopes_supported: reservedScopes,
    response_types_supported: responseTypes,
    response_modes_supported: responseModes.map((mode) => mode.name),
    grant_types_supported: ['implicit', ...offeredGrantTypes(ctx)],
    token_endpoint_auth_methods_supported: clientAuthMethods(ctx),
    token_endpoint_auth_signing_alg_values_supported: clientSigningAlgs,
    dpop_signing_alg_values_supported: dpopAlgorithms,
    code_challenge_methods_supported: ['S256'],
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
    authorization_signing_alg_values_supported: ctx.keys.algorithms,
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

/** What is signed and encrypted for clients. HS256 needs no key of ours, and is told where a client has it. */
function signing({ keys, configuration }: Context): Record<string, unknown> {
  const shared = configuration.clients.some((client) => signingAlgOf(client, 'id_token') === 'HS256')
  const algs = shared ? [...keys.algorithms, 'HS256'] : keys.algorithms
  return {
    id_token_signing_alg_values_supported: algs,
    id_token_encryption_alg_values_supported: encryptionAlgs,
    id_token_encryption_enc_values_supported: encryptionEncs,
    userinfo_signing_alg_values_supported: algs,
    userinfo_encryption_alg_values_supported: encryptionAlgs,
    userinfo_encryption_enc_values_supported: encryptionEncs,
    authorization_encryption_alg_values_supported: encryptionAlgs,
    authorization_encryption_enc_values_supported: encryptionEncs,
  }
}

/** @spec RFC 7662 §2 @spec RFC 7009 §2 @spec RFC 9701 §7 */
function tokenStatus(ctx: Context): Record<string, unknown> {
  const methods = clientAuthMethods(ctx)
  return {
    introspection_endpoint: `${ctx.issuer}oauth/introspect`,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: clientSigningAlgs,
    introspection_signing_alg_values_supported: ctx.keys.algorithms,
    introspection_encryption_alg_values_supported: encryptionAlgs,
    introspection_encryption_enc_values_supported: encryptionEncs,
    revocation_endpoint: `${ctx.issuer}oauth/revoke`,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: clientSigningAlgs,
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
