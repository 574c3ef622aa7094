/** Owns what a client may register of how things that are for it alone are signed and encrypted. */
import { encryptionAlgs, encryptionEncs, encryptsWithSecret } from '@latchkey/core'
import type { Client } from '@latchkey/store'
import { Type } from 'typebox'
import type { Entry } from './record.ts'

const Signing = Type.Optional(Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256']))
const Alg = Type.Optional(Type.Enum([...encryptionAlgs]))
const Enc = Type.Optional(Type.Enum([...encryptionEncs]))

export const ResponseFields = {
  /** Another name of `jwt_configuration.alg`. */
  id_token_signed_response_alg: Signing,
  id_token_encrypted_response_alg: Alg,
  id_token_encrypted_response_enc: Enc,
  userinfo_signed_response_alg: Signing,
  userinfo_encrypted_response_alg: Alg,
  userinfo_encrypted_response_enc: Enc,
  introspection_signed_response_alg: Signing,
  introspection_encrypted_response_alg: Alg,
  introspection_encrypted_response_enc: Enc,
  authorization_encrypted_response_alg: Alg,
  authorization_encrypted_response_enc: Enc,
}

const purposes = ['id_token', 'userinfo', 'introspection', 'authorization'] as const

/** @spec OpenID Connect Registration §2 */
export function checkResponses(entry: Entry<object>, client: Client): void {
  const isPublic = client.token_endpoint_auth_method === 'none'
  const hasKeys = client.jwks !== undefined || client.jwks_uri !== undefined
  for (const signed of ['userinfo_signed_response_alg', 'introspection_signed_response_alg'] as const) {
    if (isPublic && client[signed] === 'HS256')
      entry.problem([signed], 'A public client has no secret to verify HS256 with: use RS256.')
  }
  for (const purpose of purposes) {
    const encrypted = `${purpose}_encrypted_response_alg` as const
    const enc = `${purpose}_encrypted_response_enc` as const
    const alg = client[encrypted]
    if (alg === undefined && client[enc] !== undefined)
      entry.problem([enc], `Say with ${encrypted} how the key is encrypted.`)
    if (alg === undefined) continue
    if (encryptsWithSecret(alg) && isPublic)
      entry.problem([encrypted], `A public client has no secret for ${alg}: use RSA-OAEP-256 with jwks_uri or jwks.`)
    if (!encryptsWithSecret(alg) && !hasKeys)
      entry.problem([encrypted], `${alg} needs a public key of the client: add jwks_uri or jwks.`)
  }
}

interface Algorithms {
  readonly id_token_signed_response_alg?: string
  readonly jwt_configuration?: { readonly alg?: string }
}

/** The two names of one setting become one; where both are given they must agree. */
export function withOneAlgorithm<G extends Algorithms>(
  entry: Pick<Entry<object>, 'problem'>,
  { id_token_signed_response_alg: alg, ...given }: G,
): Omit<G, 'id_token_signed_response_alg'> {
  if (alg === undefined) return given
  const other = given.jwt_configuration?.alg
  if (other !== undefined && other !== alg)
    entry.problem(['id_token_signed_response_alg'], `jwt_configuration.alg says ${other}: say the same in both.`)
  return { ...given, jwt_configuration: { ...given.jwt_configuration, alg } }
}
