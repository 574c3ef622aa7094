/** Owns what a client may register to prove itself and its requests: keys, algorithms, request objects, pushed requests. */
import { clientSigningAlgs, decryptionAlgs, encryptionEncs } from '@latchkey/core'
import { isLoopbackHost, parseUri } from '@latchkey/oauth'
import type { Client, Jwk } from '@latchkey/store'
import { Type } from 'typebox'
import type { Verdict } from '../urls.ts'
import { report, reportAll, Url, UrlList } from './fields.ts'
import type { Entry } from './record.ts'

export const ProofFields = {
  jwks: Type.Optional(
    Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 20 }) }),
  ),
  jwks_uri: Type.Optional(Url),
  token_endpoint_auth_signing_alg: Type.Optional(Type.Enum([...clientSigningAlgs])),
  token_endpoint_auth_aud: Type.Optional(Type.Enum(['issuer', 'any'])),
  request_uris: Type.Optional(UrlList),
  request_object_signing_alg: Type.Optional(Type.Enum(['none', ...clientSigningAlgs])),
  request_object_encryption_alg: Type.Optional(Type.Enum([...decryptionAlgs.keys()])),
  request_object_encryption_enc: Type.Optional(Type.Enum([...encryptionEncs])),
  require_signed_request_object: Type.Optional(Type.Boolean()),
  require_pushed_authorization_requests: Type.Optional(Type.Boolean()),
}

interface Given {
  readonly jwks?: unknown
  readonly jwks_uri?: string
  readonly token_endpoint_auth_signing_alg?: string
  readonly request_object_signing_alg?: string
}

/**
 * @spec OpenID Connect Registration §2
 * @spec RFC 9101 §10.5
 */
export function checkProofs(entry: Entry<Given>, client: Client): void {
  const { jwks, jwks_uri, token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = client
  if (jwks !== undefined && jwks_uri !== undefined)
    entry.problem(['jwks_uri'], 'A client has its keys in jwks or at jwks_uri, not in both: remove one of them.')
  for (const [index, key] of (jwks?.keys ?? []).entries()) {
    const problem = keyProblem(key)
    if (problem !== undefined) entry.problem(['jwks', 'keys', index], problem)
  }
  if (jwks_uri !== undefined) report(entry, ['jwks_uri'], documentVerdict(jwks_uri))
  reportAll(entry, 'request_uris', client.request_uris, documentVerdict)
  const hasKeys = jwks !== undefined || jwks_uri !== undefined
  if (method === 'private_key_jwt' && !hasKeys)
    entry.problem(
      ['token_endpoint_auth_method'],
      'private_key_jwt needs the public keys of the client: add jwks_uri or jwks.',
    )
  if (alg !== undefined && (method === 'client_secret_jwt') !== (alg === 'HS256') && method.endsWith('_jwt'))
    entry.problem(
      ['token_endpoint_auth_signing_alg'],
      `${alg} does not fit ${method}: client_secret_jwt signs with HS256, private_key_jwt with a key.`,
    )
  checkRequestObjects(entry, client, hasKeys)
}

function checkRequestObjects(entry: Entry<Given>, client: Client, hasKeys: boolean): void {
  const { request_object_signing_alg: alg, require_signed_request_object: required } = client
  if (alg === 'none' && required === true)
    entry.problem(
      ['request_object_signing_alg'],
      'A client whose requests must be signed cannot send unsigned ones: name an algorithm, or remove require_signed_request_object.',
    )
  if (alg === 'HS256' && client.token_endpoint_auth_method === 'none')
    entry.problem(
      ['request_object_signing_alg'],
      'A public client has no secret to sign with: use RS256 with jwks_uri or jwks.',
    )
  if (!hasKeys && alg !== 'HS256' && alg !== 'none' && (alg !== undefined || required === true))
    entry.problem(
      ['request_object_signing_alg'],
      'Signed requests need the public keys of the client: add jwks_uri or jwks.',
    )
}

function keyProblem({ kty, d, k }: Jwk): string | undefined {
  if (d !== undefined || k !== undefined || kty === 'oct')
    return 'This is a secret key: only the public part belongs here. Make a new pair, for this one is known now.'
  return kty === 'RSA' || kty === 'EC' || kty === 'OKP' ? undefined : 'A key has the kty RSA, EC or OKP.'
}

/** Where the server itself fetches something. */
function documentVerdict(text: string): Verdict {
  const uri = parseUri(text)
  if (uri === undefined || !/^https?:$/.test(uri.protocol) || uri.username !== '' || uri.password !== '')
    return { problem: 'This must be an absolute https URL, such as https://app.example.com/jwks.json.' }
  if (uri.protocol === 'http:' || isLoopbackHost(uri.hostname))
    return { warning: 'It is fetched only where the option fetch_allow lists its host.' }
  return {}
}
