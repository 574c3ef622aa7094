/** Owns who may use a token: what the sender of a request proves to hold, and what tokens are bound to in turn. */
import { OAuthError } from '@latchkey/oauth'
import type { Aggregates, Client } from '@latchkey/store'
import type { Authorization } from '../authorization.ts'
import type { EndpointRequest } from '../client_auth/client_auth.ts'
import type { Context } from '../context.ts'
import type { AccessTokenFacts } from '../tokens/read_access_token.ts'
import { type ClientCertificate, certificateThumbprint } from './client_certificate.ts'
import { type Confirmation, isThumbprint } from './confirmation.ts'
import { checkProof, type ProvedRequest } from './dpop_proof.ts'

/** What tokens that a request yields are bound to. */
export interface Sender {
  readonly confirmation?: Confirmation
  /** Takes the proof, in the transaction that writes the tokens. */
  take?(store: Aggregates): Promise<void>
}

/**
 * The sender of a request to an endpoint that clients call themselves.
 * @throws OAuthError `invalid_dpop_proof` or `use_dpop_nonce`; `invalid_request` without the certificate that the client must use
 * @spec RFC 9449 §5
 * @spec RFC 8705 §3
 */
export async function readSender(ctx: Context, client: Client, request: EndpointRequest): Promise<Sender> {
  const { dpop = [], certificate } = request
  const proof = dpop.length === 0 ? undefined : await checkProof(ctx, { ...request, dpop }, nonceRule(client))
  if (proof === undefined && client.dpop_bound_access_tokens === true)
    throw new OAuthError('invalid_dpop_proof', 'The access tokens of this client are bound to a key: send a DPoP proof')
  const bindsToCertificate = client.tls_client_certificate_bound_access_tokens === true
  if (bindsToCertificate && certificate === undefined)
    throw new OAuthError(
      'invalid_request',
      'The access tokens of this client are bound to its TLS certificate: send one',
    )
  const confirmation: Confirmation = {
    ...(proof === undefined ? {} : { jkt: proof.jkt }),
    ...(bindsToCertificate && certificate !== undefined ? { 'x5t#S256': certificateThumbprint(certificate) } : {}),
  }
  if (Object.keys(confirmation).length === 0) return {}
  return { confirmation, ...(proof === undefined ? {} : { take: proof.take }) }
}

/** The same authorization, bound to this sender and to no other. */
export function boundTo<A extends Authorization>(authorization: A, confirmation: Confirmation | undefined): A {
  const { confirmation: _former, ...rest } = authorization
  return { ...rest, ...(confirmation === undefined ? {} : { confirmation }) } as A
}

/**
 * A refresh token of a public client counts only from the sender that it was issued to; a confidential client proves itself anyway.
 * @throws OAuthError `invalid_grant`
 * @spec RFC 9449 §5
 * @spec RFC 8705 §4
 */
export function checkRefreshSender(client: Client, bound: Confirmation | undefined, sent: Confirmation = {}): void {
  if (bound === undefined || client.token_endpoint_auth_method !== 'none') return
  if (bound.jkt !== undefined && bound.jkt !== sent.jkt)
    throw new OAuthError('invalid_grant', 'The refresh token is bound to another DPoP key')
  if (bound['x5t#S256'] !== undefined && bound['x5t#S256'] !== sent['x5t#S256'])
    throw new OAuthError('invalid_grant', 'The refresh token is bound to another TLS certificate')
}

/**
 * The key that a code will be bound to.
 * @throws OAuthError `invalid_request`
 * @spec RFC 9449 §10
 */
export function readDpopJkt(dpop_jkt: string | undefined): string | undefined {
  if (dpop_jkt === undefined || isThumbprint(dpop_jkt)) return dpop_jkt
  throw new OAuthError('invalid_request', 'dpop_jkt must be the SHA-256 thumbprint of a key, in base64url')
}

/**
 * The key that the proof of a pushed authorization request binds its code to, just as `dpop_jkt` does.
 * @param dpop_jkt what the request says itself
 * @throws OAuthError `invalid_dpop_proof`, also when the request names another key; `use_dpop_nonce`
 * @spec RFC 9449 §10.1
 */
export async function readPushedKey(
  ctx: Context,
  client: Client,
  request: EndpointRequest,
  dpop_jkt: string | undefined,
): Promise<string | undefined> {
  const { dpop = [] } = request
  if (dpop.length === 0) return readDpopJkt(dpop_jkt)
  const { jkt, take } = await checkProof(ctx, { ...request, dpop }, nonceRule(client))
  if (dpop_jkt !== undefined && dpop_jkt !== jkt)
    throw new OAuthError('invalid_dpop_proof', 'dpop_jkt is not the key of the DPoP proof')
  await take(ctx.store)
  return jkt
}

/** @throws OAuthError `invalid_grant` @spec RFC 9449 §10 */
export function checkCodeSender(dpop_jkt: string | undefined, sent: Confirmation = {}): void {
  if (dpop_jkt !== undefined && dpop_jkt !== sent.jkt)
    throw new OAuthError('invalid_grant', 'The code is bound to another DPoP key')
}

/**
 * A token that travels through a browser cannot be bound to anything.
 * @throws OAuthError `unauthorized_client`
 * @spec RFC 9449 §5.2
 */
export function refuseUnbound(client: Client): void {
  if (client.dpop_bound_access_tokens !== true && client.tls_client_certificate_bound_access_tokens !== true) return
  throw new OAuthError('unauthorized_client', 'The access tokens of this client are bound to a key: ask for a code', {
    explanation: {
      summary: `${client.name} gets bound access tokens alone, and response_type token cannot yield one.`,
      fix: 'Use response_type code, or switch the setting off.',
      setting: 'clients[].dpop_bound_access_tokens',
    },
  })
}

/** The refusal of a bound token that was sent as Bearer: the challenge then asks for DPoP. */
export class ProofNeeded extends OAuthError {}

/** How an access token of ours was sent to one of our own resources. */
export interface TokenSender extends ProvedRequest {
  /** Of the Authorization header; a token in a form counts as `bearer`. */
  readonly scheme: 'bearer' | 'dpop'
  readonly certificate?: ClientCertificate
}

/**
 * Refuses a token from anybody but the one it is bound to.
 * @throws OAuthError `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`
 * @spec RFC 9449 §7.1
 * @spec RFC 9449 §7.2
 * @spec RFC 8705 §3
 */
export async function checkPossession(
  ctx: Context,
  { client_id, confirmation = {} }: AccessTokenFacts,
  access_token: string,
  sender: TokenSender,
): Promise<void> {
  const { jkt, 'x5t#S256': x5t } = confirmation
  const { scheme, certificate } = sender
  if (x5t !== undefined && (certificate === undefined || certificateThumbprint(certificate) !== x5t))
    throw new OAuthError('invalid_token', 'The access token is bound to another TLS certificate')
  if (jkt === undefined && scheme === 'bearer') return
  if (jkt === undefined) throw new OAuthError('invalid_token', 'The access token is bound to no key: send it as Bearer')
  if (scheme === 'bearer')
    throw new ProofNeeded('invalid_token', 'The access token is bound to a key: send it as DPoP, with a proof')
  const client = ctx.configuration.client(client_id)
  const proof = await checkProof(ctx, sender, { ...nonceRule(client), access_token })
  if (proof.jkt !== jkt) throw new OAuthError('invalid_token', 'The access token is bound to another DPoP key')
  await proof.take(ctx.store)
}

function nonceRule(client: Client | undefined): { readonly nonce_required: boolean } {
  return { nonce_required: client?.require_dpop_nonce === true }
}
