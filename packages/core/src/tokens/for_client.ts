/** Owns JWTs that are for one client alone: signed as it registered, and encrypted where it asked for that. */
import { createSecretKey } from 'node:crypto'
import { OAuthError } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import type { Context } from '../context.ts'
import { type EncryptionWish, encryptFor } from './encryption.ts'
import { type Claims, signJwt, signJwtWithSecret } from './sign.ts'

/** What it is: each has settings of its own, by the names of OpenID Connect Registration. */
export type Purpose = 'id_token' | 'userinfo' | 'introspection' | 'authorization'

/**
 * Signed, and then encrypted where the client registered that.
 * @param typ the `typ` header of the signed JWT
 * @throws OAuthError `unauthorized_client` when the client has no key for it
 * @spec OpenID Connect Core §10.1
 * @spec OpenID Connect Core §10.2
 */
export async function makeFor(
  ctx: Context,
  client: Client,
  purpose: Purpose,
  typ: string,
  claims: Claims,
): Promise<string> {
  const signed = await signFor(ctx, client, purpose, typ, claims)
  const wish = encryptionOf(client, purpose)
  return wish === undefined ? signed : encryptFor(ctx, client, wish, signed, 'JWT')
}

/** Signed alone. @spec OpenID Connect Core §10.1 */
export async function signFor(
  ctx: Context,
  client: Client,
  purpose: Purpose,
  typ: string,
  claims: Claims,
): Promise<string> {
  const alg = signingAlgOf(client, purpose) ?? 'RS256'
  if (alg === 'HS256') return signJwtWithSecret(await secretOf(ctx, client), typ, claims)
  return signJwt(ctx.keys, alg, typ, claims)
}

/** What the client registered; undefined where it left the choice, or wants nothing signed. */
export function signingAlgOf(client: Client, purpose: Purpose): string | undefined {
  const alg = purpose === 'id_token' ? client.jwt_configuration.alg : client[`${purpose}_signed_response_alg`]
  // What everybody holds is no secret.
  return alg === 'HS256' && client.token_endpoint_auth_method === 'none' ? 'RS256' : alg
}

export function encryptionOf(client: Client, purpose: Purpose): EncryptionWish | undefined {
  const alg = client[`${purpose}_encrypted_response_alg`]
  const enc = client[`${purpose}_encrypted_response_enc`]
  if (alg === undefined) return undefined
  return enc === undefined ? { alg } : { alg, enc }
}

/** Every algorithm that something is signed with for a client, by a key of the tenant. */
export function signingAlgsOf(client: Client): readonly string[] {
  const purposes = ['id_token', 'userinfo', 'introspection', 'authorization'] as const
  return purposes.flatMap((purpose) => signingAlgOf(client, purpose) ?? []).filter((alg) => alg !== 'HS256')
}

/** @spec OpenID Connect Core §10.1 */
async function secretOf(ctx: Context, { client_id, name }: Client) {
  const secret = await ctx.store.configuration.clientSecret(client_id)
  if (secret !== undefined) return createSecretKey(secret, 'utf8')
  throw new OAuthError('unauthorized_client', 'The client has no secret to sign with', {
    explanation: {
      summary: `What is for ${name} is to be signed with HS256, and its secret cannot be read back.`,
      fix: 'Give the client its client_secret once more.',
      setting: 'clients[].client_secret',
    },
  })
}
